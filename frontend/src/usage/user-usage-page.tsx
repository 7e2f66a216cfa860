/** One user's usage, for admins. */
import Link from '@cloudscape-design/components/link';
import { useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { usageOf } from '../api/usage';
import { Page } from '../layout/page';
import { Listed } from '../layout/page-states';
import { useKeyNames } from './key-names';
import { REFRESH_MS } from './my-usage-page';
import { isPresent } from './period';
import { PeriodPicker, usePeriod } from './period-picker';
import { UsageView } from './usage-view';

export default function UserUsagePage() {
  const { username = '' } = useParams();
  const [period, choose] = usePeriod();
  const usage = useQuery({
    queryKey: ['usage', 'user', username, period],
    queryFn: () => usageOf(username, period),
    refetchInterval: isPresent(period, new Date()) && REFRESH_MS,
  });
  const keys = useKeyNames();
  return (
    <Page
      title={username}
      description="What this user's chats and API tokens have used."
      crumbs={[{ text: 'Usage', href: `#/usage?period=${period.value}` }]}
      actions={<PeriodPicker period={period} onChoose={choose} />}
    >
      <Listed of={usage} what="the usage">
        {(theirs) => (
          <UsageView
            usage={theirs}
            names={{ keys }}
            nothing="Choose another period, or look whether the name is right."
            noLimits="Nothing is set for this user, and there is no default."
            limitsNote={
              <>
                Limits that the user's groups share are not shown here. All limits are <Link href="#/usage?show=limits">in one list</Link>.
              </>
            }
          />
        )}
      </Listed>
    </Page>
  );
}
