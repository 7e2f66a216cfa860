/** The form of a limit as data: what is wrong with it, and what it sends. */
import type { LimitKind, LimitView, PutLimit } from '../api/types';

export interface LimitForm {
  kind: LimitKind;
  /** For everybody who has no limit of their own. */
  isDefault: boolean;
  name: string;
  requestsPerMinute: string;
  tokensPerMinute: string;
  budgetUsd: string;
  budgetPeriod: 'day' | 'month';
}

export type LimitErrors = Partial<Record<'name' | 'requestsPerMinute' | 'tokensPerMinute' | 'budgetUsd' | 'all', string>>;

export const EMPTY_LIMIT: LimitForm = {
  kind: 'user',
  isDefault: false,
  name: '',
  requestsPerMinute: '',
  tokensPerMinute: '',
  budgetUsd: '',
  budgetPeriod: 'month',
};
export const DEFAULT_NAME = '*';

const MAX_COUNT = 1e12;
const MAX_USD = 1e9;
const WHOLE = /^\d+$/;
const DOLLARS = /^\d+(\.\d{1,6})?$/;

const text = (value: number | null | undefined): string => (value === null || value === undefined ? '' : String(value));

export function formOf(limit: LimitView): LimitForm {
  return {
    kind: limit.kind,
    isDefault: limit.name === DEFAULT_NAME,
    name: limit.name === DEFAULT_NAME ? '' : limit.name,
    requestsPerMinute: text(limit.requestsPerMinute),
    tokensPerMinute: text(limit.tokensPerMinute),
    budgetUsd: limit.budgetUsd === null || limit.budgetUsd === undefined ? '' : plain(limit.budgetUsd),
    budgetPeriod: limit.budgetPeriod,
  };
}

/** Without the exponent that `String` gives to a millionth. */
const plain = (amount: number): string => amount.toFixed(6).replace(/\.?0+$/, '');

/** A group has no default: its limit is one that its members share. */
export const hasDefault = (kind: LimitKind): boolean => kind !== 'group';

export function targetOf(form: LimitForm): Pick<LimitView, 'kind' | 'name'> {
  return { kind: form.kind, name: form.isDefault && hasDefault(form.kind) ? DEFAULT_NAME : form.name.trim() };
}

/** `taken`: the limits that there are, when a new one is made. */
export function errorsOf(form: LimitForm, taken: LimitView[] = []): LimitErrors {
  const errors: LimitErrors = {};
  const { kind, name } = targetOf(form);
  if (name === '') errors.name = { user: 'Name the user.', group: 'Name the group.', key: 'Choose the API key.' }[kind];
  else if (name === DEFAULT_NAME && kind === 'group') errors.name = 'A group has no default. Name the group.';
  else if (taken.some((limit) => limit.kind === kind && limit.name === name)) errors.name = 'There is a limit for this already. Edit that one.';
  for (const field of ['requestsPerMinute', 'tokensPerMinute'] as const) {
    if (form[field] && !(WHOLE.test(form[field]) && Number(form[field]) >= 1 && Number(form[field]) <= MAX_COUNT)) {
      errors[field] = 'Give a whole number from 1, or leave it empty for no limit.';
    }
  }
  if (form.budgetUsd && !(DOLLARS.test(form.budgetUsd) && Number(form.budgetUsd) <= MAX_USD)) {
    errors.budgetUsd = 'Give an amount in US dollars, for example 20 or 0.5, or leave it empty for no budget.';
  }
  if (!form.requestsPerMinute && !form.tokensPerMinute && !form.budgetUsd) errors.all = 'Set at least one of the three limits.';
  return errors;
}

export function limitOf(form: LimitForm): PutLimit {
  return {
    requestsPerMinute: form.requestsPerMinute ? Number(form.requestsPerMinute) : null,
    tokensPerMinute: form.tokensPerMinute ? Number(form.tokensPerMinute) : null,
    budgetUsd: form.budgetUsd ? Number(form.budgetUsd) : null,
    budgetPeriod: form.budgetPeriod,
  };
}
