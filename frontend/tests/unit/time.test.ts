import { expect, test } from 'vitest';
import { momentOf } from '../../src/layout/time';

const NOW = new Date(2026, 10, 23, 22, 30);

test.each([
  [new Date(2026, 10, 23, 23, 5), 'today at 23:05'],
  [new Date(2026, 10, 24, 0, 0), 'tomorrow at 00:00'],
  [new Date(2026, 11, 1, 1, 0), 'on 1 December at 01:00'],
])('%s is told as %s', (moment, words) => {
  expect(momentOf(moment.toISOString(), NOW)).toBe(words);
});
