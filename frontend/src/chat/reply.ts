/** One answer of a model, and how each piece of the stream changes it. */
import type { Citation, Problem } from '../api/types';

export type Chunk =
  | { type: 'citations'; citations: Citation[] }
  | { type: 'text'; text: string }
  | { type: 'usage'; promptTokens: number; completionTokens: number }
  | { type: 'cut' }
  | { type: 'blocked' }
  | { type: 'done' }
  | { type: 'stopped' }
  | { type: 'failed'; problem: Problem };

export interface Reply {
  text: string;
  /** `waiting`: nothing to read yet. */
  status: 'waiting' | 'streaming' | 'done' | 'stopped' | 'failed';
  citations: Citation[];
  usage?: { promptTokens: number; completionTokens: number };
  /** The model reached its limit of tokens. */
  cut?: boolean;
  /** A guardrail answered in the model's place. */
  blocked?: boolean;
  problem?: Problem;
}

export const emptyReply: Reply = { text: '', status: 'waiting', citations: [] };

export const isLive = (reply: Reply): boolean => reply.status === 'waiting' || reply.status === 'streaming';

export function advance(reply: Reply, chunk: Chunk): Reply {
  if (!isLive(reply)) return reply; // a late chunk changes nothing
  switch (chunk.type) {
    case 'citations':
      return { ...reply, citations: chunk.citations };
    case 'text':
      return { ...reply, status: 'streaming', text: reply.text + chunk.text };
    case 'usage':
      return { ...reply, usage: { promptTokens: chunk.promptTokens, completionTokens: chunk.completionTokens } };
    case 'cut':
      return { ...reply, cut: true };
    case 'blocked':
      return { ...reply, blocked: true };
    case 'done':
      return reply.text.trim() === ''
        ? { ...reply, status: 'failed', problem: { title: 'Empty answer', detail: 'The model sent no text. Try again, or choose another model.' } }
        : { ...reply, status: 'done' };
    case 'stopped':
      return { ...reply, status: 'stopped' };
    case 'failed':
      return { ...reply, status: 'failed', problem: chunk.problem };
  }
}
