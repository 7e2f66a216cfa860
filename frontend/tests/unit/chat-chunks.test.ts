import { afterEach, expect, test, vi } from 'vitest';
import { chunksOf, streamReply } from '../../src/api/chat';
import { identifyWith } from '../../src/api/client';
import type { Chunk } from '../../src/chat/reply';

const REQUEST = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }], stream: true };
const event = (body: unknown) => `data: ${JSON.stringify(body)}\n\n`;
const text = (content: string, finish: string | null = null) => event({ choices: [{ delta: { content }, finish_reason: finish }] });

afterEach(() => vi.unstubAllGlobals());

async function answered(body: string, type = 'text/event-stream', status = 200): Promise<Chunk[]> {
  identifyWith({ token: async () => 'token', rejected: () => undefined });
  vi.stubGlobal('document', { baseURI: 'https://lisa.example/' });
  vi.stubGlobal('fetch', async () => new Response(body, { status, headers: { 'content-type': type } }));
  const chunks: Chunk[] = [];
  for await (const chunk of streamReply(REQUEST, new AbortController().signal)) chunks.push(chunk);
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

test('an answer that was cut by its limit says so', () => {
  expect([...chunksOf({ choices: [{ delta: {}, finish_reason: 'length' }] })]).toEqual([{ type: 'cut' }]);
});
