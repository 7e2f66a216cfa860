import Link from '@cloudscape-design/components/link';
import { Empty } from './page-states';
import { Page } from './page';

export default function NotFoundPage() {
  return (
    <Page title="Page not found">
      <Empty title="There is no page at this address.">
        Go to the <Link href="#/chat">chat</Link>.
      </Empty>
    </Page>
  );
}
