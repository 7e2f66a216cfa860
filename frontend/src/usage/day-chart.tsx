/** The days of a month as bars, and as a table for those who would rather read. */
import BarChart from '@cloudscape-design/components/bar-chart';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Header from '@cloudscape-design/components/header';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';
import type { DayTotals } from '../api/types';
import { barsOf, dayName, highest, tickText, valueText, type ChartMetric } from './chart';
import { count, usd } from './numbers';
import { daysOf, periodName } from './period';

const METRICS: { id: ChartMetric; text: string }[] = [
  { id: 'requests', text: 'Requests' },
  { id: 'tokens', text: 'Tokens' },
  { id: 'cost', text: 'Cost' },
];

export function DayChart({ days, month }: { days: DayTotals[]; month: string }) {
  const [metric, setMetric] = useState<ChartMetric>('requests');
  const now = new Date();
  const bars = barsOf(days, metric, month, now);
  const name = METRICS.find((each) => each.id === metric)?.text ?? '';
  const title = `${name} by day, ${periodName(month)}`;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={`${periodName(month)}. Days begin at midnight UTC.`}
          actions={<SegmentedControl label="What the chart shows" selectedId={metric} options={METRICS} onChange={({ detail }) => setMetric(detail.selectedId as ChartMetric)} />}
        >
          {name} by day
        </Header>
      }
    >
      <SpaceBetween size="m">
        <BarChart
          ariaLabel={title}
          height={220}
          hideFilter
          hideLegend={bars.length === 1}
          stackedBars
          series={bars.map(({ title: series, data }) => ({ type: 'bar', title: series, data, valueFormatter: (value: number) => valueText(metric, value) }))}
          xDomain={daysOf(month, now)}
          yDomain={[0, highest(bars) || 1]} // without calls there still is an axis
          xTickFormatter={dayName}
          yTickFormatter={(value) => tickText(metric, value)}
          xTitle="Day"
          yTitle={metric === 'cost' ? 'US dollars' : name}
          detailPopoverSeriesContent={({ series, y }) => ({ key: series.title, value: valueText(metric, y) })}
          i18nStrings={{ chartAriaRoleDescription: 'bar chart', detailPopoverDismissAriaLabel: 'Close', legendAriaLabel: 'Legend' }}
        />
        <ExpandableSection headerText="The days as a table">
          <Table
            variant="embedded"
            items={[...days].sort((a, b) => b.day.localeCompare(a.day))}
            trackBy="day"
            ariaLabels={{ tableLabel: `Usage by day, ${periodName(month)}` }}
            columnDefinitions={[
              { id: 'day', header: 'Day', isRowHeader: true, cell: (day) => periodName(day.day) },
              { id: 'requests', header: 'Requests', cell: (day) => count(day.requests) },
              { id: 'in', header: 'Tokens in', cell: (day) => count(day.promptTokens) },
              { id: 'out', header: 'Tokens out', cell: (day) => count(day.completionTokens) },
              { id: 'cost', header: 'Cost', cell: (day) => usd(day.costUsd) },
            ]}
          />
        </ExpandableSection>
      </SpaceBetween>
    </Container>
  );
}
