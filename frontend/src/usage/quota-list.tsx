/** Each limit that holds for somebody: how much of it is used, and when it begins anew. */
import Box from '@cloudscape-design/components/box';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { ReactNode } from 'react';
import type { QuotaStatus } from '../api/types';
import { Empty } from '../layout/page-states';
import { State, type StateWords } from '../layout/state';
import { momentOf } from '../layout/time';
import { percentOf, quotaName, quotaText, stateOf, subjectName, type Names, type QuotaState } from './quota';

const STATES: Partial<Record<QuotaState, StateWords>> = {
  nearly: { type: 'warning', text: 'Nearly used up' },
  'used up': { type: 'error', text: 'Used up' },
};

export function QuotaList({ quotas, names, note, empty }: { quotas: QuotaStatus[]; names: Names; note?: ReactNode; empty: ReactNode }) {
  return (
    <Container
      header={
        <Header variant="h2" counter={quotas.length > 0 ? `(${quotas.length})` : ''} description="As they stand now. Running requests count until they end.">
          Limits and budgets
        </Header>
      }
    >
      <SpaceBetween size="l">
        {quotas.length === 0 ? (
          <Empty title="No limits apply.">{empty}</Empty>
        ) : (
          <ColumnLayout columns={2}>
            {quotas.map((quota) => (
              <QuotaBar key={`${quota.subject} ${quota.metric} ${quota.window}`} quota={quota} names={names} />
            ))}
          </ColumnLayout>
        )}
        {note && <Box color="text-body-secondary">{note}</Box>}
      </SpaceBetween>
    </Container>
  );
}

function QuotaBar({ quota, names }: { quota: QuotaStatus; names: Names }) {
  const state = STATES[stateOf(quota)];
  return (
    <div className="quota">
      <ProgressBar
        value={percentOf(quota)}
        label={quotaName(quota)}
        description={subjectName(quota.subject, names)}
        additionalInfo={`${quotaText(quota)}. Begins anew ${momentOf(quota.resetsAt)}.`}
      />
      {state && <State is={state} />}
    </div>
  );
}
