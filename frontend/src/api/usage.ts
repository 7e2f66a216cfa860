import { request, segment } from './client';
import type { LimitView, PutLimit, SubjectUsage, UsageKind, UsageList, UsagePeriod } from './types';

const query = ({ kind, value }: UsagePeriod) => ({ period: kind, value });

export const myUsage = (period: UsagePeriod): Promise<SubjectUsage> => request('GET', 'usage/me', { query: query(period) });

export const usageOf = (username: string, period: UsagePeriod): Promise<SubjectUsage> =>
  request('GET', `usage/users/${segment(username)}`, { query: query(period) });

export const listUsage = (kind: UsageKind, period: UsagePeriod, nextToken: string | null): Promise<UsageList> =>
  request('GET', 'usage', { query: { kind, ...query(period), nextToken } });

export const listLimits = async (): Promise<LimitView[]> => (await request<{ limits: LimitView[] }>('GET', 'usage/limits')).limits;

/** Replaces the limit as a whole. */
export const putLimit = ({ kind, name }: Pick<LimitView, 'kind' | 'name'>, limit: PutLimit): Promise<LimitView> =>
  request('PUT', `usage/limits/${kind}/${segment(name)}`, { json: limit });

export const deleteLimit = ({ kind, name }: Pick<LimitView, 'kind' | 'name'>): Promise<unknown> =>
  request('DELETE', `usage/limits/${kind}/${segment(name)}`);
