import { screen, waitFor, within } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { expect, test } from 'vitest';
import MyUsagePage from '../../src/usage/my-usage-page';
import UsagePage from '../../src/usage/usage-page';
import UserUsagePage from '../../src/usage/user-usage-page';
import { ADMIN, api, refusal, show, type Call } from './render';

const TOTALS = { requests: 12, promptTokens: 3400, completionTokens: 560, cachedTokens: 100, costUsd: 0.0123, estimatedRequests: 1 };
const NOTHING = { requests: 0, promptTokens: 0, completionTokens: 0, cachedTokens: 0, costUsd: 0, estimatedRequests: 0 };
const MONTH = new Date().toISOString().slice(0, 7);
const QUOTA = { subject: 'user#ada', metric: 'cost', window: 'month', limit: 10, committed: 10, remaining: 0, resetsAt: '2126-12-01T00:00:00Z' };
const KEY_QUOTA = { ...QUOTA, subject: 'key#k1', metric: 'requests', window: 'minute', limit: 60, committed: 3, remaining: 57 };
const MINE = { subject: 'user#ada', period: 'month', value: MONTH, totals: TOTALS, days: [{ ...TOTALS, day: `${MONTH}-01`, promptTokens: 3000, costUsd: 0.01 }], limits: [QUOTA, KEY_QUOTA] };
const TOKENS = { tokens: [{ tokenUUID: 'k1', name: 'nightly report', username: 'ada', groups: [] }] };
const USER_LIMIT = { subject: 'user#*', kind: 'user', name: '*', requestsPerMinute: 60, tokensPerMinute: null, budgetUsd: 20, budgetPeriod: 'month' };

test('my usage tells what was used, what is left, and when it begins anew', async () => {
  api({ 'GET usage/me': MINE, 'GET api-tokens': TOKENS });
  show(<MyUsagePage />);
  expect(await screen.findByText('3,400')).toBeVisible();
  expect(screen.getByText('$0.0123')).toBeVisible();
  expect(screen.getByText(/Of 1 request the tokens are estimated/)).toBeVisible();
  expect(screen.getByRole('progressbar', { name: /Budget of the month/ })).toHaveAttribute('value', '100');
  expect(screen.getByText(/\$10.00 of \$10.00 used, \$0.00 left\. Begins anew on/)).toBeVisible();
  expect(screen.getByText('Used up')).toBeVisible();
  expect(await screen.findByText('API key nightly report')).toBeVisible();
});

test('nothing used is said, with a way on', async () => {
  api({ 'GET usage/me': { ...MINE, totals: NOTHING, days: [], limits: [] } });
  show(<MyUsagePage />);
  expect(await screen.findByText(/^Nothing was used in/)).toBeVisible();
  expect(screen.getByRole('link', { name: 'chat' })).toHaveAttribute('href', '#/chat');
  expect(screen.getByText('No limits apply.')).toBeVisible();
});

test('usage that cannot be loaded can be loaded again', async () => {
  let broken = true;
  api({ 'GET usage/me': () => (broken ? refusal(503, 'The table cannot be read. Try again in a minute.') : MINE), 'GET api-tokens': TOKENS });
  show(<MyUsagePage />);
  expect(await screen.findByText('The table cannot be read. Try again in a minute.')).toBeVisible();
  broken = false;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('3,400')).toBeVisible();
});

test('another month is asked for by its name', async () => {
  const calls = api({ 'GET usage/me': (call: Call) => ({ ...MINE, value: call.query.get('value') }), 'GET api-tokens': TOKENS });
  show(<MyUsagePage />, { path: '/my-usage?period=2026-01' });
  expect(await screen.findByRole('heading', { name: 'January 2026' })).toBeVisible();
  expect(Object.fromEntries(calls[0]?.query ?? [])).toEqual({ period: 'month', value: '2026-01' });
  await userEvent.click(screen.getByRole('button', { name: /^Day/ }));
  await userEvent.click(await screen.findByRole('option', { name: '15 January 2026' }));
  expect(await screen.findByRole('heading', { name: '15 January 2026' })).toBeVisible();
  expect(Object.fromEntries(calls.filter((call) => call.path === 'usage/me').at(-1)?.query ?? [])).toEqual({ period: 'day', value: '2026-01-15' });
});

const row = (name: string, requests: number, costUsd: number) => ({ ...NOTHING, subject: `user#${name}`, name, requests, costUsd });

test('an admin sees users by cost, pages on, and loads them all', async () => {
  const first = Array.from({ length: 30 }, (_, index) => row(`user-${index}`, index, index));
  const calls = api({
    'GET usage/limits': { limits: [] },
    'GET api-tokens': TOKENS,
    'GET usage': ({ query }: Call) => ({ kind: 'users', period: 'month', value: MONTH, totals: TOTALS, ...(query.get('nextToken') ? { items: [row('zoe', 9, 99)], nextToken: null } : { items: first, nextToken: 'more' }) }),
  });
  show(<UsagePage />, { person: ADMIN, path: '/usage' });
  const names = () => screen.getAllByRole('row').slice(1).map((each) => within(each).getAllByRole('link')[0]?.textContent);
  expect(await screen.findByRole('link', { name: 'user-29' })).toHaveAttribute('href', `#/usage/user-29?period=${MONTH}`);
  expect(names()).toHaveLength(25);
  expect(screen.queryByRole('link', { name: 'user-0' })).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Load all' }));
  expect(await screen.findByRole('link', { name: 'zoe' })).toBeVisible();
  expect(names()[0]).toBe('zoe');
  expect(screen.queryByRole('button', { name: 'Load all' })).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Next page' }));
  expect(names()).toHaveLength(6);
  await userEvent.click(screen.getByRole('button', { name: /^User/ }));
  expect(names().slice(0, 2)).toEqual(['user-0', 'user-1']);
  expect(calls.filter((call) => call.path === 'usage')).toHaveLength(2);
});

test('somebody else is told where their own usage is', () => {
  const calls = api({});
  show(<UsagePage />);
  expect(screen.getByRole('link', { name: 'My usage' })).toHaveAttribute('href', '#/my-usage');
  expect(calls).toEqual([]);
});

test('a user is shown as they see themselves', async () => {
  const calls = api({ 'GET usage/users/ada%40example.com': MINE, 'GET api-tokens': TOKENS });
  show(<UserUsagePage />, { person: ADMIN, path: '/usage/ada%40example.com', route: '/usage/:username' });
  expect(await screen.findByRole('heading', { name: 'ada@example.com' })).toBeVisible();
  expect(await screen.findByText('3,400')).toBeVisible();
  expect(calls.some((call) => call.path === 'usage/users/ada%40example.com')).toBe(true);
});

test('a limit is added after the form has been put right', async () => {
  const calls = api({ 'GET usage/limits': { limits: [USER_LIMIT] }, 'GET api-tokens': TOKENS, 'PUT usage/limits/group/research': {} });
  show(<UsagePage />, { person: ADMIN, path: '/usage?show=limits' });
  expect(await screen.findByText('Every user without a limit of their own')).toBeVisible();
  expect(screen.getByText('$20.00 a month')).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Add limit' }));
  const dialog = within(await screen.findByRole('dialog'));
  const add = () => userEvent.click(dialog.getByRole('button', { name: 'Add limit' }));
  await add();
  expect(dialog.getByText('Name the user.')).toBeVisible();
  expect(dialog.getByText('Set at least one of the three limits.')).toBeVisible();
  await userEvent.click(dialog.getByRole('checkbox', { name: /every user/ }));
  expect(dialog.getByText(/There is a limit for this already/)).toBeVisible();
  await userEvent.click(dialog.getByRole('button', { name: /^Applies to/ }));
  await userEvent.click(await screen.findByRole('option', { name: /^Group/ }));
  await userEvent.type(dialog.getByLabelText('Group name'), 'research');
  await userEvent.type(dialog.getByLabelText(/^Budget in US dollars/), '12.50');
  await add();
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(calls.find((call) => call.method === 'PUT')?.body).toEqual({ requestsPerMinute: null, tokensPerMinute: null, budgetUsd: 12.5, budgetPeriod: 'month' });
});

test('a limit is changed, and removed after a question', async () => {
  const calls = api({ 'GET usage/limits': { limits: [USER_LIMIT] }, 'GET api-tokens': TOKENS, 'PUT usage/limits/user/*': {}, 'DELETE usage/limits/user/*': { deleted: true } });
  show(<UsagePage />, { person: ADMIN, path: '/usage?show=limits' });
  const act = async (name: string) => {
    await userEvent.click(await screen.findByRole('button', { name: /^Actions for Every user/ }));
    await userEvent.click(await screen.findByRole('menuitem', { name }));
    return within(await screen.findByRole('dialog'));
  };
  const form = await act('Edit');
  await userEvent.clear(form.getByLabelText(/^Requests per minute/));
  await userEvent.click(form.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(calls.find((call) => call.method === 'PUT')?.body).toMatchObject({ requestsPerMinute: null, budgetUsd: 20 }));
  await userEvent.click((await act('Remove')).getByRole('button', { name: 'Remove limit' }));
  await waitFor(() => expect(calls.some((call) => call.method === 'DELETE' && call.path === 'usage/limits/user/*')).toBe(true));
});

test('a limit that the API refuses stays in its dialog', async () => {
  api({ 'GET usage/limits': { limits: [] }, 'GET api-tokens': TOKENS, 'PUT usage/limits/user/ada': () => refusal(422, 'name: is too long.'), 'GET usage': { kind: 'users', period: 'month', value: MONTH, totals: TOTALS, items: [row('ada', 1, 1)], nextToken: null } });
  show(<UsagePage />, { person: ADMIN, path: '/usage' });
  await userEvent.click(await screen.findByRole('button', { name: 'Limit ada' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByLabelText('User name')).toHaveValue('ada');
  await userEvent.type(dialog.getByLabelText(/^Tokens per minute/), '1000');
  await userEvent.click(dialog.getByRole('button', { name: 'Add limit' }));
  expect(await dialog.findByText('name: is too long.')).toBeVisible();
});
