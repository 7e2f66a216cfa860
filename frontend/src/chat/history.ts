/** How much of a conversation a model is sent: the newest turns that fit, beginning with a question. */
import type { ChatRequest } from '../api/chat';
import type { Message } from './conversation';

const CHARACTERS_PER_TOKEN = 3; // on the safe side for English
const DEFAULT_CONTEXT_TOKENS = 4096;
const SHARE_FOR_HISTORY = 0.5; // the rest is for passages and the answer
const MAX_MESSAGES = 20;

/** A question that a guardrail blocked would be blocked again, with every later one. */
const isBlocked = (message?: Message): boolean => message?.type === 'ai' && message.reply.blocked === true;

export function historyFor(messages: Message[], contextWindow?: number | null): ChatRequest['messages'] {
  const budget = (contextWindow ?? DEFAULT_CONTEXT_TOKENS) * CHARACTERS_PER_TOKEN * SHARE_FOR_HISTORY;
  const turns = messages
    .filter((message, index) => !isBlocked(message) && !isBlocked(messages[index + 1]))
    .map((message) =>
      message.type === 'human'
        ? { role: 'user' as const, content: message.text }
        : { role: 'assistant' as const, content: message.reply.text },
    )
    .filter((turn) => turn.content.trim() !== '');
  let size = 0;
  let first = turns.length;
  while (first > 0 && turns.length - first < MAX_MESSAGES) {
    size += turns[first - 1]?.content.length ?? 0;
    if (size > budget && first < turns.length) break; // the question itself is always sent
    first -= 1;
  }
  const kept = turns.slice(first);
  const start = kept.findIndex((turn) => turn.role === 'user');
  return start < 0 ? [] : kept.slice(start);
}
