/** What the chart of a month draws: one bar a day, days without calls as well. */
import type { DayTotals } from '../api/types';
import { count, shortCount, usd } from './numbers';
import { daysOf } from './period';

export type ChartMetric = 'requests' | 'tokens' | 'cost';

export interface Bars {
  title: string;
  data: { x: string; y: number }[];
}

const SERIES: Record<ChartMetric, { title: string; of: (day: DayTotals) => number }[]> = {
  requests: [{ title: 'Requests', of: (day) => day.requests }],
  tokens: [
    { title: 'Tokens in', of: (day) => day.promptTokens },
    { title: 'Tokens out', of: (day) => day.completionTokens },
  ],
  cost: [{ title: 'Cost', of: (day) => day.costUsd }],
};

export function barsOf(days: DayTotals[], metric: ChartMetric, month: string, now: Date): Bars[] {
  const byDay = new Map(days.map((day) => [day.day, day]));
  return SERIES[metric].map(({ title, of }) => ({
    title,
    data: daysOf(month, now).map((day) => {
      const totals = byDay.get(day);
      return { x: day, y: totals ? of(totals) : 0 };
    }),
  }));
}

/** The highest stack of bars. */
export function highest(bars: Bars[]): number {
  const stacks = bars[0]?.data.map((_, index) => bars.reduce((sum, { data }) => sum + (data[index]?.y ?? 0), 0)) ?? [];
  return Math.max(...stacks, 0);
}

export const valueText = (metric: ChartMetric, value: number): string => (metric === 'cost' ? usd(value) : count(value));

/** There are no halves of a request or a token. */
export const tickText = (metric: ChartMetric, value: number): string => (metric === 'cost' ? usd(value) : Number.isInteger(value) ? shortCount(value) : '');

/** `23 Nov`: below its bar, and over what the chart tells of it. */
export const dayName = (day: string): string => new Date(day).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
