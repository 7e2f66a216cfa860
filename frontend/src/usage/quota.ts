/** A limit in words: whose it is, what it counts, and how much of it is left. */
import type { QuotaStatus } from '../api/types';
import { count, usd } from './numbers';

const NEARLY = 0.8;

export type QuotaState = 'fine' | 'nearly' | 'used up';

export function stateOf({ committed, limit, remaining }: QuotaStatus): QuotaState {
  if (remaining <= 0) return 'used up';
  return committed >= limit * NEARLY ? 'nearly' : 'fine';
}

/** 0 to 100; a limit of 0 is always used up. */
export const percentOf = ({ committed, limit }: QuotaStatus): number => (limit > 0 ? Math.min(100, Math.round((100 * committed) / limit)) : 100);

export const quotaName = ({ metric, window }: QuotaStatus): string =>
  metric === 'cost' ? `Budget of the ${window}` : `${metric === 'requests' ? 'Requests' : 'Tokens'} per ${window}`;

export function quotaText({ metric, committed, limit, remaining }: QuotaStatus): string {
  const words = metric === 'cost' ? usd : (value: number) => count(Math.round(value));
  return `${words(committed)} of ${words(limit)} used, ${words(remaining)} left`;
}

export interface Names {
  /** Whose page it is: their own limit is named in the second person. */
  username?: string;
  /** Names of API tokens by their id. */
  keys: ReadonlyMap<string, string>;
}

/** `user#alice`, `key#<id>`, `group#research`, `user#*` … as people say it. */
export function subjectName(subject: string, names: Names): string {
  const kind = subject.slice(0, subject.indexOf('#'));
  const name = subject.slice(subject.indexOf('#') + 1);
  switch (kind) {
    case 'user':
      if (name === '*') return 'Every user without a limit of their own';
      return name === names.username ? 'You' : `User ${name}`;
    case 'group':
      return `Group ${name}, its members together`;
    case 'key':
      if (name === '*') return 'Every API key without a limit of its own';
      return keyName(name, names.keys);
    default:
      return subject;
  }
}

export function keyName(id: string, keys: ReadonlyMap<string, string>): string {
  if (id === 'management') return 'The management key';
  return `API key ${keys.get(id) ?? id}`;
}
