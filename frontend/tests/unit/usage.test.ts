import { expect, test } from 'vitest';
import type { DayTotals, LimitView, QuotaStatus, SubjectTotals } from '../../src/api/types';
import { barsOf, dayName, highest, tickText, valueText } from '../../src/usage/chart';
import { EMPTY_LIMIT, errorsOf, formOf, limitOf, targetOf } from '../../src/usage/limit-form';
import { shortCount, usd } from '../../src/usage/numbers';
import { daysOf, isPresent, monthsUntil, periodName, periodOf } from '../../src/usage/period';
import { percentOf, quotaName, quotaText, stateOf, subjectName } from '../../src/usage/quota';
import { sorted } from '../../src/usage/sorting';

const NOW = new Date('2026-11-23T23:30:00Z');
const TOTALS = { requests: 0, promptTokens: 0, completionTokens: 0, cachedTokens: 0, costUsd: 0, estimatedRequests: 0 };

test.each([
  [null, { kind: 'month', value: '2026-11' }],
  ['2026-09', { kind: 'month', value: '2026-09' }],
  ['2026-11-20', { kind: 'day', value: '2026-11-20' }],
  ['2026-11-24', { kind: 'month', value: '2026-11' }],
  ['2026-02-30', { kind: 'month', value: '2026-02' }],
  ['2027-01', { kind: 'month', value: '2026-11' }],
  ['soon', { kind: 'month', value: '2026-11' }],
])('the period %s of an address is %o', (text, period) => {
  expect(periodOf(text, NOW)).toEqual(period);
});

test('months and days are those of UTC, and none is still to come', () => {
  expect(monthsUntil(NOW, '2026-11').slice(0, 2)).toEqual(['2026-11', '2026-10']);
  expect(monthsUntil(NOW, '2024-05').at(-1)).toBe('2024-05');
  expect(daysOf('2026-11', NOW).at(-1)).toBe('2026-11-23');
  expect(daysOf('2024-02', NOW)).toHaveLength(29);
  expect([periodName('2026-11'), periodName('2026-11-03')]).toEqual(['November 2026', '3 November 2026']);
  expect(isPresent({ kind: 'day', value: '2026-11-23' }, NOW)).toBe(true);
  expect(isPresent({ kind: 'month', value: '2026-10' }, NOW)).toBe(false);
});

test('days without calls have a bar of nothing', () => {
  const days: DayTotals[] = [{ ...TOTALS, day: '2026-11-02', requests: 7, promptTokens: 10, completionTokens: 5, costUsd: 0.5 }];
  expect(barsOf(days, 'requests', '2026-11', NOW)[0]?.data.slice(0, 3)).toEqual([
    { x: '2026-11-01', y: 0 },
    { x: '2026-11-02', y: 7 },
    { x: '2026-11-03', y: 0 },
  ]);
  const tokens = barsOf(days, 'tokens', '2026-11', NOW);
  expect(tokens.map((each) => each.title)).toEqual(['Tokens in', 'Tokens out']);
  expect(highest(tokens)).toBe(15);
  expect(highest([])).toBe(0);
  expect([tickText('requests', 2.5), tickText('requests', 2000), tickText('cost', 0.5)]).toEqual(['', '2K', '$0.50']);
  expect([valueText('cost', 0.5), valueText('tokens', 1200), dayName('2026-11-03')]).toEqual(['$0.50', '1,200', '3 Nov']);
});

test.each([
  [0, '$0.00'],
  [0.000123, '$0.000123'],
  [0.0127, '$0.0127'],
  [1234.5, '$1,234.50'],
])('%d dollars are %s', (amount, text) => {
  expect(usd(amount)).toBe(text);
});

test('large counts are short where there is no room', () => {
  expect(shortCount(1_234_567)).toBe('1.2M');
});

const quota = (change: Partial<QuotaStatus>): QuotaStatus => ({ subject: 'user#ada', metric: 'requests', window: 'minute', limit: 60, committed: 12, remaining: 48, resetsAt: '2026-11-23T23:31:00Z', ...change });

test('a limit is told in words', () => {
  const budget = quota({ metric: 'cost', window: 'month', limit: 20, committed: 13.4821, remaining: 6.5179 });
  expect([quotaName(quota({})), quotaName(budget)]).toEqual(['Requests per minute', 'Budget of the month']);
  expect([quotaText(quota({})), quotaText(budget)]).toEqual(['12 of 60 used, 48 left', '$13.48 of $20.00 used, $6.52 left']);
});

test('a limit is nearly used up before it is', () => {
  expect(stateOf(quota({}))).toBe('fine');
  expect(stateOf(quota({ committed: 48, remaining: 12 }))).toBe('nearly');
  expect(stateOf(quota({ committed: 60, remaining: 0 }))).toBe('used up');
  expect([percentOf(quota({})), percentOf(quota({ limit: 0 })), percentOf(quota({ committed: 70 }))]).toEqual([20, 100, 100]);
});

test.each([
  ['user#ada', 'You'],
  ['user#bob', 'User bob'],
  ['user#*', 'Every user without a limit of their own'],
  ['key#*', 'Every API key without a limit of its own'],
  ['key#k1', 'API key nightly report'],
  ['key#k2', 'API key k2'],
  ['key#management', 'The management key'],
  ['group#a#b', 'Group a#b, its members together'],
])('%s is %s', (subject, name) => {
  expect(subjectName(subject, { username: 'ada', keys: new Map([['k1', 'nightly report']]) })).toBe(name);
});

test('rows are sorted by a column, equal ones by name', () => {
  const row = (name: string, requests: number): SubjectTotals => ({ ...TOTALS, subject: `user#${name}`, name, requests });
  const rows = [row('b', 1), row('a', 1), row('c', 3)];
  const names = (field: 'requests' | 'name', descending: boolean) => sorted(rows, { field, descending }, (item) => item.name).map((item) => item.name);
  expect(names('requests', true)).toEqual(['c', 'a', 'b']);
  expect(names('name', true)).toEqual(['c', 'b', 'a']);
});

const LIMIT: LimitView = { subject: 'user#*', kind: 'user', name: '*', requestsPerMinute: 60, tokensPerMinute: null, budgetUsd: 0.000001, budgetPeriod: 'day' };

test('a limit is what its form is opened with', () => {
  const form = formOf(LIMIT);
  expect(form).toMatchObject({ isDefault: true, name: '', requestsPerMinute: '60', tokensPerMinute: '', budgetUsd: '0.000001' });
  expect(errorsOf(form)).toEqual({});
  expect(targetOf(form)).toEqual({ kind: 'user', name: '*' });
  expect(limitOf(form)).toEqual({ requestsPerMinute: 60, tokensPerMinute: null, budgetUsd: 0.000001, budgetPeriod: 'day' });
  expect(formOf({ ...LIMIT, budgetUsd: 0 }).budgetUsd).toBe('0');
});

test('a limit form says what is wrong with it', () => {
  const wrong = { ...EMPTY_LIMIT, requestsPerMinute: '0', tokensPerMinute: '1.5', budgetUsd: '-3' };
  expect(Object.keys(errorsOf(wrong))).toEqual(['name', 'requestsPerMinute', 'tokensPerMinute', 'budgetUsd']);
  expect(errorsOf({ ...EMPTY_LIMIT, name: 'ada' })).toEqual({ all: 'Set at least one of the three limits.' });
  expect(errorsOf({ ...EMPTY_LIMIT, isDefault: true, budgetUsd: '0' }, [LIMIT]).name).toContain('already');
  expect(errorsOf({ ...EMPTY_LIMIT, kind: 'group', isDefault: true, name: '*', budgetUsd: '1' }).name).toContain('no default');
});
