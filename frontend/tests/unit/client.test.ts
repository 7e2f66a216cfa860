import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { apiUrl, identifyWith, request } from '../../src/api/client';
import { configOf } from '../../src/api/config';
import { errorOf, problemOf, retryAtOf } from '../../src/api/errors';

const rejected = vi.fn();
let calls: RequestInit[] = [];

beforeEach(() => {
  calls = [];
  vi.stubGlobal('document', { baseURI: 'https://lisa.example/prod/?x=1#/chat' });
  rejected.mockClear();
  identifyWith({ token: async () => 't0ken', rejected });
});

afterEach(() => vi.unstubAllGlobals());

function answer(status: number, body: string): void {
  vi.stubGlobal('fetch', async (_url: string, init: RequestInit) => {
    calls.push(init);
    return new Response(body, { status });
  });
}

test('the credential goes with every request', async () => {
  answer(200, '[]');
  await request('GET', 'session');
  expect(calls[0]?.headers).toMatchObject({ Authorization: 'Bearer t0ken' });
});

test('paths are relative to the page, whatever its base', () => {
  expect(apiUrl('models', { pageSize: 5, after: undefined })).toBe('https://lisa.example/prod/models?pageSize=5');
});

test('a 401 ends the session', async () => {
  answer(401, '{"message":"Unauthorized"}');
  await expect(request('GET', 'session')).rejects.toMatchObject({ status: 401, message: 'Sign in again.' });
  expect(rejected).toHaveBeenCalledOnce();
});

test('without a token nothing is sent', async () => {
  answer(200, '[]');
  identifyWith({ token: async () => null, rejected });
  await expect(request('GET', 'session')).rejects.toMatchObject({ status: 401 });
  expect(calls).toHaveLength(0);
  expect(rejected).toHaveBeenCalledOnce();
});

test('a failed write is not repeated', async () => {
  answer(503, '{"code":"unavailable","message":"Later."}');
  await expect(request('POST', 'models', { json: {} })).rejects.toMatchObject({ code: 'unavailable' });
  expect(calls).toHaveLength(1);
});

test('a broken network says what to do', async () => {
  vi.stubGlobal('fetch', async () => {
    throw new TypeError('Failed to fetch');
  });
  const error: unknown = await request('GET', 'session').catch((thrown: unknown) => thrown);
  expect(problemOf(error)).toMatchObject({ title: 'No connection', detail: expect.stringContaining('try again') });
});

test.each([
  ['{"code":"not_found","message":"No session.","requestId":"r"}', { code: 'not_found', message: 'No session.', requestId: 'r' }],
  ['{"error":{"message":"Too fast","code":"rate_limit_exceeded"}}', { code: 'rate_limit_exceeded', message: 'Too fast' }],
  ['"a bare string"', { code: 'http_404', message: 'a bare string' }],
  ['<html>Bad gateway</html>', { code: 'http_404', message: 'It may have been deleted in the meantime.' }],
])('errors of every shape become words: %s', (text, expected) => {
  expect(errorOf(404, text)).toMatchObject(expected);
});

test.each([
  ['30', '2026-11-23T12:00:30.000Z'],
  ['Mon, 23 Nov 2026 12:05:00 GMT', '2026-11-23T12:05:00.000Z'],
  ['0', undefined],
  ['soon', undefined],
  [null, undefined],
])('Retry-After %s is the moment %s', (header, moment) => {
  expect(retryAtOf(header, new Date('2026-11-23T12:00:00Z'))?.toISOString()).toBe(moment);
});

test('a configuration without an authority is refused by name', () => {
  expect(() => configOf({ clientId: 'c', redirectUri: 'https://x/' })).toThrow(/authority/);
  expect(configOf({ authority: 'https://idp', clientId: 'c', redirectUri: 'https://x/' })).toMatchObject({ groupsClaim: 'cognito:groups' });
});
