/** Somebody's usage in a period: their own page and the admins' view of one user show the same. */
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { ReactNode } from 'react';
import type { SubjectUsage } from '../api/types';
import { Empty } from '../layout/page-states';
import { DayChart } from './day-chart';
import { periodName } from './period';
import type { Names } from './quota';
import { QuotaList } from './quota-list';
import { TotalsView } from './totals';

interface Props {
  usage: SubjectUsage;
  names: Names;
  /** What to do when nothing was used. */
  nothing: ReactNode;
  limitsNote?: ReactNode;
  noLimits: ReactNode;
}

export function UsageView({ usage, names, nothing, limitsNote, noLimits }: Props) {
  const { totals, value, period } = usage;
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">{periodName(value)}</Header>}>
        {totals.requests > 0 ? <TotalsView totals={totals} /> : <Empty title={`Nothing was used in ${periodName(value)}.`}>{nothing}</Empty>}
      </Container>
      {period === 'month' && totals.requests > 0 && <DayChart days={usage.days} month={value} />}
      <QuotaList quotas={usage.limits} names={names} note={limitsNote} empty={noLimits} />
    </SpaceBetween>
  );
}
