/** Months and days of usage, as the API counts them: in UTC. */
import type { UsagePeriod } from '../api/types';

const MONTHS_BACK = 12;
const PERIOD = /^\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$/;

export const thisMonth = (now: Date): string => now.toISOString().slice(0, 7);
const today = (now: Date): string => now.toISOString().slice(0, 10);
export const monthIn = (value: string): string => value.slice(0, 7);

/** A month or day out of an address; the present month when it says none, or none that can have usage. */
export function periodOf(text: string | null, now: Date): UsagePeriod {
  const month = thisMonth(now);
  if (!text || !PERIOD.test(text) || monthIn(text) > month) return { kind: 'month', value: month };
  if (text.length === 7) return { kind: 'month', value: text };
  return daysOf(monthIn(text), now).includes(text) ? { kind: 'day', value: text } : { kind: 'month', value: monthIn(text) };
}

/** The present month and those before it, newest first; `chosen` is among them. */
export function monthsUntil(now: Date, chosen: string): string[] {
  const months = Array.from({ length: MONTHS_BACK + 1 }, (_, back) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back)).toISOString().slice(0, 7));
  return months.includes(chosen) ? months : [...months, chosen].sort().reverse();
}

/** The days of a month, those that are still to come left out. */
export function daysOf(month: string, now: Date): string[] {
  const [year, number] = month.split('-').map(Number) as [number, number];
  const count = new Date(Date.UTC(year, number, 0)).getUTCDate();
  const days = Array.from({ length: count }, (_, index) => `${month}-${String(index + 1).padStart(2, '0')}`);
  return days.filter((day) => day <= today(now));
}

/** `November 2026` or `23 November 2026`. */
export function periodName(value: string): string {
  const date = new Date(value.length === 7 ? `${value}-01` : value);
  const day = value.length === 7 ? {} : { day: 'numeric' as const };
  return date.toLocaleDateString('en-GB', { ...day, month: 'long', year: 'numeric', timeZone: 'UTC' });
}

export const isPresent = (period: UsagePeriod, now: Date): boolean => period.value === thisMonth(now) || period.value === today(now);
