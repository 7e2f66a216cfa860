/** The order of a table's rows. */
import type { SubjectTotals } from '../api/types';

export type SortField = 'name' | 'requests' | 'promptTokens' | 'completionTokens' | 'costUsd';

export interface Sorting {
  field: SortField;
  descending: boolean;
}

export function sorted<T extends SubjectTotals>(items: T[], { field, descending }: Sorting, nameOf: (item: T) => string): T[] {
  const compare = (a: T, b: T): number => (field === 'name' ? nameOf(a).localeCompare(nameOf(b)) : a[field] - b[field]);
  return [...items].sort((a, b) => (descending ? compare(b, a) : compare(a, b)) || nameOf(a).localeCompare(nameOf(b)));
}
