/** What one has used, and how much of one's limits is left. */
import Link from '@cloudscape-design/components/link';
import { useQuery } from '@tanstack/react-query';
import { myUsage } from '../api/usage';
import { Page } from '../layout/page';
import { Listed } from '../layout/page-states';
import { useServices } from '../services';
import { useKeyNames } from './key-names';
import { isPresent } from './period';
import { PeriodPicker, usePeriod } from './period-picker';
import { UsageView } from './usage-view';

export const REFRESH_MS = 30_000; // limits per minute are soon out of date

export default function MyUsagePage() {
  const { person } = useServices();
  const [period, choose] = usePeriod();
  const usage = useQuery({
    queryKey: ['usage', 'me', period],
    queryFn: () => myUsage(period),
    refetchInterval: isPresent(period, new Date()) && REFRESH_MS,
  });
  const keys = useKeyNames(usage.data?.limits.some((quota) => quota.subject.startsWith('key#')));
  return (
    <Page title="My usage" description="What your chats and API tokens have used, and how much is left to you." actions={<PeriodPicker period={period} onChoose={choose} />}>
      <Listed of={usage} what="your usage">
        {(mine) => (
          <UsageView
            usage={mine}
            names={{ username: person.username, keys }}
            nothing={
              <>
                Ask something in the <Link href="#/chat">chat</Link>, or use an <Link href="#/api-tokens">API token</Link>. Calls show here within a minute or so.
              </>
            }
            noLimits="You may use as much as the models give."
            limitsNote={mine.limits.length > 0 && 'When a limit is used up, requests are refused until it begins anew. An administrator can change it.'}
          />
        )}
      </Listed>
    </Page>
  );
}
