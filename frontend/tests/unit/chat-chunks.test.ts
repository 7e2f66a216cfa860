import { afterEach, expect, test, vi } from 'vitest';
import { chunksOf, streamReply } from '../../src/api/chat';
import { identifyWith } from '../../src/api/client';
import { problemOf } from '../../src/api/errors';
import type { Chunk } from '../../src/chat/reply';

const REQUEST = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }], stream: true };
const event = (body: unknown) => `data: ${JSON.stringify(body)}\n\n`;
const text = (content: string, finish: string | null = null) => event({ choices: [{ delta: { content }, finish_reason: finish }] });

afterEach(() => vi.unstubAllGlobals());

let sent: Record<string, string> = {};

async function answered(body: string, type = 'text/event-stream', status = 200, sessionId = 's-1', more: Record<string, string> = {}): Promise<Chunk[]> {
  identifyWith({ token: async () => 'token', rejected: () => undefined });
  vi.stubGlobal('document', { baseURI: 'https://lisa.example/' });
  vi.stubGlobal('fetch', async (_url: string, init: RequestInit) => {
    sent = init.headers as Record<string, string>;
    return new Response(body, { status, headers: { 'content-type': type, ...more } });
  });
  const chunks: Chunk[] = [];
  for await (const chunk of streamReply(REQUEST, new AbortController().signal, sessionId)) chunks.push(chunk);
  return chunks;
}

test('a stream gives citations, text, usage and its end', async () => {
  const chunks = await answered(
    event({ choices: [{ delta: { content: '' }, finish_reason: null }], lisa: { citations: [{ number: 1 }] } }) +
      text('Hel') +
      text('lo', 'stop') +
      event({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } }) +
      'data: [DONE]\n\n',
  );
  expect(chunks).toEqual([
    { type: 'citations', citations: [{ number: 1 }] },
    { type: 'text', text: 'Hel' },
    { type: 'text', text: 'lo' },
    { type: 'usage', promptTokens: 3, completionTokens: 2 },
    { type: 'done' },
  ]);
});

test('a model that does not stream answers all the same', async () => {
  const chunks = await answered(JSON.stringify({ choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }] }), 'application/json');
  expect(chunks).toEqual([{ type: 'text', text: 'Hello' }, { type: 'done' }]);
});

test('a stream that breaks off is a lost connection, not an answer', async () => {
  expect((await answered(text('Hel'))).at(-1)).toMatchObject({ type: 'failed', problem: { title: 'No connection' } });
});

test('a stream that was finished but lacks its last line is complete', async () => {
  expect((await answered(text('Hello', 'stop'))).at(-1)).toEqual({ type: 'done' });
});

test('an error within the stream is told in its own words', () => {
  expect([...chunksOf({ error: { code: 'upstream_failed', message: 'The model did not answer.' } })]).toEqual([
    { type: 'failed', problem: { title: 'A service behind LISA failed', detail: 'The model did not answer.' } },
  ]);
});

test('a refusal before the stream is thrown with its request id', async () => {
  const body = JSON.stringify({ code: 'forbidden', message: 'Your groups may not use this model.', requestId: 'r-1' });
  await expect(answered(body, 'application/json', 403)).rejects.toMatchObject({ status: 403, code: 'forbidden', requestId: 'r-1' });
});

test('the session goes along as a header, unless a header cannot hold its id', async () => {
  await answered('data: [DONE]\n\n');
  expect(sent).toMatchObject({ 'x-lisa-session-id': 's-1', Authorization: 'Bearer token' });
  await answered('data: [DONE]\n\n', undefined, 200, 'Größe 1\n');
  expect(sent).not.toHaveProperty('x-lisa-session-id');
});

test.each([
  ['rate_limit_exceeded', 'Too many requests for now'],
  ['budget_exceeded', 'The budget does not allow this'],
])('a refusal with %s says when to try again, and where to look', async (code, title) => {
  vi.useFakeTimers({ now: new Date('2026-11-23T21:35:10Z') });
  const body = JSON.stringify({ error: { message: 'The limit of alice is 5 requests per minute.', type: 'rate_limit_error', code } });
  const error = await answered(body, 'application/json', 429, 's-1', { 'retry-after': '50' }).catch((thrown: unknown) => thrown);
  vi.useRealTimers();
  expect(problemOf(error)).toEqual({
    title,
    detail: 'The limit of alice is 5 requests per minute.',
    retryAt: '2026-11-23T21:36:00.000Z',
    help: { text: 'See My usage', href: '#/my-usage' },
  });
});

test('an answer that was cut by its limit says so', () => {
  expect([...chunksOf({ choices: [{ delta: {}, finish_reason: 'length' }] })]).toEqual([{ type: 'cut' }]);
});

test('an answer of a guardrail says that it is one', () => {
  const body = { id: 'guardrail-response', lisa_guardrail_triggered: true, choices: [{ delta: { content: 'Sorry, no.' } }] };
  expect([...chunksOf(body)]).toEqual([{ type: 'blocked' }, { type: 'text', text: 'Sorry, no.' }]);
});
