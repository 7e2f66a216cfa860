/** A reply from Serve as a stream of chunks, whether the model streams or not. */
import type { Chunk } from '../chat/reply';
import { send } from './client';
import { ApiError, errorOf, isRecord, problemOf } from './errors';
import { emptyParser, feed } from './sse';
import type { Citation } from './types';

export interface ChatRequest {
  model: string;
  messages: { role: 'user' | 'assistant' | 'system'; content: string }[];
  stream: boolean;
  lisa?: { repositoryId: string; collectionId?: string; topK: number };
}

const LOST = new ApiError(0, 'lost', 'The connection was lost before the answer was complete. Try again.');

/** Usage is counted per session under this header; Serve takes 128 characters of it. */
const SESSION_HEADER = 'x-lisa-session-id';
const SENDABLE = /^[\x21-\x7e]{1,128}$/; // ids of other clients may hold anything

export async function* streamReply(chat: ChatRequest, signal: AbortSignal, sessionId: string): AsyncGenerator<Chunk> {
  const json = chat.stream ? { ...chat, stream_options: { include_usage: true } } : chat;
  const response = await send('POST', 'v1/chat/completions', { json, signal, headers: SENDABLE.test(sessionId) ? { [SESSION_HEADER]: sessionId } : {} });
  if (!response.headers.get('content-type')?.includes('text/event-stream') || !response.body) {
    yield* chunksOf(await response.json());
    yield { type: 'done' };
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let parser = emptyParser;
  let complete = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const [next, events] = feed(parser, value);
      parser = next;
      for (const data of events) {
        if (data === '[DONE]') {
          yield { type: 'done' };
          return;
        }
        const body: unknown = JSON.parse(data);
        complete ||= isFinished(body);
        yield* chunksOf(body);
      }
    }
  } catch (error) {
    if (signal.aborted) throw error;
    yield { type: 'failed', problem: problemOf(error instanceof ApiError ? error : LOST) };
    return;
  } finally {
    reader.cancel().catch(() => undefined);
  }
  yield complete ? { type: 'done' } : { type: 'failed', problem: problemOf(LOST) };
}

/** Chunks of one body: a stream's event or a whole answer. */
export function* chunksOf(body: unknown): Generator<Chunk> {
  if (!isRecord(body)) return;
  if (isRecord(body.error)) {
    yield { type: 'failed', problem: problemOf(errorOf(502, JSON.stringify(body))) };
    return;
  }
  if (isRecord(body.lisa) && Array.isArray(body.lisa.citations)) yield { type: 'citations', citations: body.lisa.citations as Citation[] };
  if (body.lisa_guardrail_triggered === true) yield { type: 'blocked' };
  const choice: unknown = Array.isArray(body.choices) ? body.choices[0] : undefined;
  if (isRecord(choice)) {
    const part = isRecord(choice.delta) ? choice.delta : choice.message;
    if (isRecord(part) && typeof part.content === 'string' && part.content !== '') yield { type: 'text', text: part.content };
    if (choice.finish_reason === 'length') yield { type: 'cut' };
  }
  if (isRecord(body.usage)) {
    yield { type: 'usage', promptTokens: Number(body.usage.prompt_tokens ?? 0), completionTokens: Number(body.usage.completion_tokens ?? 0) };
  }
}

function isFinished(body: unknown): boolean {
  const choice: unknown = isRecord(body) && Array.isArray(body.choices) ? body.choices[0] : undefined;
  return isRecord(choice) && typeof choice.finish_reason === 'string';
}
