// Usage and limits of the pretend LISA.
const pad = (number) => String(number).padStart(2, '0');
const NONE = { requests: 0, promptTokens: 0, completionTokens: 0, cachedTokens: 0, costUsd: 0, estimatedRequests: 0 };
const limits = new Map();

function daysOf(month) {
  const [year, number] = month.split('-').map(Number);
  const now = new Date().toISOString().slice(0, 10);
  const days = [];
  for (let day = 1; day <= new Date(Date.UTC(year, number, 0)).getUTCDate(); day += 1) {
    const name = `${month}-${pad(day)}`;
    const weekday = new Date(name).getUTCDay();
    if (name > now || weekday === 0) continue;
    const requests = 20 + ((day * 37) % 61) - (weekday === 6 ? 15 : 0);
    days.push({ day: name, requests, promptTokens: requests * 812, completionTokens: requests * 214, cachedTokens: requests * 90, costUsd: requests * 0.0127, estimatedRequests: day % 5 === 0 ? 2 : 0 });
  }
  return days;
}

const sum = (days) => days.reduce((all, day) => Object.fromEntries(Object.keys(NONE).map((key) => [key, all[key] + day[key]])), NONE);

function windowEnd(window) {
  const now = new Date();
  if (window === 'minute') return new Date(Math.ceil((Date.now() + 1) / 60_000) * 60_000);
  return window === 'day' ? new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1)) : new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1));
}

const quota = (subject, metric, window, limit, committed) => ({ subject, metric, window, limit, committed, remaining: Math.max(0, limit - committed), resetsAt: windowEnd(window).toISOString() });

const QUOTAS = [
  quota('user#admin', 'requests', 'minute', 60, 12),
  quota('user#admin', 'tokens', 'minute', 20_000, 17_350),
  quota('user#admin', 'cost', 'month', 20, 13.4821),
  quota('key#t1', 'cost', 'day', 1, 1),
  quota('group#research', 'cost', 'month', 500, 88.02),
];

function usage(full, username, query) {
  const period = query.get('period') ?? 'month';
  const value = query.get('value') ?? new Date().toISOString().slice(0, 7);
  const month = value.slice(0, 7);
  const days = full && month > '2026-08' ? daysOf(month).filter((day) => day.day.startsWith(value)) : [];
  return { subject: `user#${username}`, period, value, days, totals: sum(days), limits: full ? QUOTAS : [] };
}

const NAMES = {
  users: Array.from({ length: 130 }, (_, index) => (index === 0 ? 'admin' : `user-${pad(index)}@example.com`)),
  groups: ['admin', 'api', 'research', 'legal', 'a group with a rather long name that somebody copied from the directory'],
  keys: ['t1', 'management', 'b7c0f0a2-7f3e-4a6a-9a52-0f4a0ad6a001'],
  models: ['smollm2-135m', 'extractive', 'claude-sonnet', 'minilm-l6-v2'],
  sessions: Array.from({ length: 60 }, (_, index) => `5b1a7c1e-0000-4000-8000-0000000000${pad(index)}`),
};
const SERVED = 50; // rows of a page

export const usageRoutes = (full) => [
  ['GET', /^usage\/me$/, ({ query }) => usage(full, 'admin', query)],
  ['GET', /^usage\/users\/(.+)$/, ({ ids, query }) => usage(full, ids[0], query)],
  ['GET', /^usage\/limits$/, () => ({ limits: [...limits.values()].sort((a, b) => a.subject.localeCompare(b.subject)) })],
  ['PUT', /^usage\/limits\/([^/]+)\/(.+)$/, ({ ids: [kind, name], json }) => {
    const limit = { subject: `${kind}#${name}`, kind, name, ...json };
    limits.set(limit.subject, limit);
    return limit;
  }],
  ['DELETE', /^usage\/limits\/([^/]+)\/(.+)$/, ({ ids: [kind, name] }) => ({ subject: `${kind}#${name}`, deleted: limits.delete(`${kind}#${name}`) })],
  ['GET', /^usage$/, ({ query }) => {
    const kind = query.get('kind');
    const from = Number(query.get('nextToken') ?? 0);
    const { totals, period, value } = usage(full, 'all', query);
    const names = full && totals.requests > 0 ? NAMES[kind] : [];
    const items = names.slice(from, from + SERVED).map((name, index) => {
      const requests = 3 + ((from + index) * 7919) % 541;
      return { ...NONE, subject: `${kind.slice(0, -1)}#${name}`, name, requests, promptTokens: requests * 733, completionTokens: requests * 190, costUsd: kind === 'models' && index === 1 ? 0 : requests * 0.0113 };
    });
    return { kind, period, value, items, totals, nextToken: from + SERVED < names.length ? String(from + SERVED) : null };
  }],
];

for (const limit of [
  { kind: 'user', name: '*', requestsPerMinute: 60, tokensPerMinute: 20_000, budgetUsd: 20, budgetPeriod: 'month' },
  { kind: 'group', name: 'research', requestsPerMinute: null, tokensPerMinute: null, budgetUsd: 500, budgetPeriod: 'month' },
  { kind: 'key', name: 't1', requestsPerMinute: 10, tokensPerMinute: null, budgetUsd: 1, budgetPeriod: 'day' },
]) {
  limits.set(`${limit.kind}#${limit.name}`, { subject: `${limit.kind}#${limit.name}`, ...limit });
}
