import { expect, test } from 'vitest';
import { changed, configurationOf, newConversation, restored, settingsOf, stored, type Conversation, type ConversationEvent, type Message } from '../../src/chat/conversation';
import { historyFor } from '../../src/chat/history';

const after = (...events: ConversationEvent[]): Conversation => events.reduce(changed, newConversation);
const TURN: ConversationEvent[] = [
  { type: 'asked', id: 'q1', text: 'Why?' },
  { type: 'answering', id: 'a1', modelId: 'm' },
  { type: 'chunk', chunk: { type: 'text', text: 'Because.' } },
  { type: 'chunk', chunk: { type: 'usage', promptTokens: 4, completionTokens: 2 } },
  { type: 'chunk', chunk: { type: 'done' } },
  { type: 'ended', seconds: 1.5 },
];

test('a turn is a question and its answer', () => {
  expect(after(...TURN).messages).toMatchObject([
    { type: 'human', text: 'Why?' },
    { type: 'ai', modelId: 'm', seconds: 1.5, reply: { text: 'Because.', status: 'done' } },
  ]);
});

test('what is stored is restored', () => {
  const { messages } = after(...TURN);
  expect(restored(stored(messages))).toEqual(messages);
});

test('an answer that is still being written is stored as stopped', () => {
  const { messages } = after(...TURN.slice(0, 3));
  expect(stored(messages)[1]).toMatchObject({ type: 'ai', content: 'Because.', metadata: { status: 'stopped' } });
});

test('histories of other clients are read', () => {
  const messages = restored([
    { type: 'system', content: 'Be short.' },
    { type: 'human', content: [{ type: 'text', text: 'Hi' }, { type: 'image_url' }] },
    { type: 'ai', content: 'Hello', usage: { promptTokens: 1, completionTokens: 1, responseTime: 2 } },
  ]);
  expect(messages).toMatchObject([
    { type: 'human', text: 'Hi\n' },
    { type: 'ai', reply: { text: 'Hello', status: 'done', citations: [] }, seconds: 2 },
  ]);
});

test('rewinding drops a message and all that follow', () => {
  expect(changed(after(...TURN), { type: 'rewound', toId: 'a1' }).messages).toHaveLength(1);
  expect(changed(after(...TURN), { type: 'rewound', toId: 'nobody' }).messages).toHaveLength(2);
});

test('settings survive the way to the server and back', () => {
  const settings = { topK: 7, modelId: 'm', repositoryId: 'demo', collection: { collectionId: 'c', name: 'C' } };
  expect(settingsOf(configurationOf(settings))).toEqual(settings);
  expect(settingsOf(null)).toEqual({ topK: 5 });
});

test('the history sent begins with a question and ends with the last one', () => {
  const turns = Array.from({ length: 40 }, (_, index): Message =>
    index % 2 === 0
      ? { type: 'human', id: `${index}`, text: `question ${index}` }
      : { type: 'ai', id: `${index}`, modelId: 'm', reply: { text: 'x'.repeat(400), status: 'done', citations: [] } },
  );
  const messages = historyFor([...turns, { type: 'human', id: 'last', text: 'And now?' }], 2048);
  expect(messages[0]?.role).toBe('user');
  expect(messages.at(-1)).toEqual({ role: 'user', content: 'And now?' });
  expect(messages.length).toBeLessThan(20);
});

test('a question larger than the window is sent all the same', () => {
  expect(historyFor([{ type: 'human', id: 'q', text: 'x'.repeat(100_000) }], 512)).toHaveLength(1);
});

test('answers without text are not sent', () => {
  const failed = changed(after(...TURN.slice(0, 2)), { type: 'chunk', chunk: { type: 'failed', problem: { title: '', detail: '' } } });
  expect(historyFor(failed.messages)).toEqual([{ role: 'user', content: 'Why?' }]);
});

test('a question that a guardrail blocked is not sent again, also after a reload', () => {
  const blocked = [
    { type: 'asked', id: 'q1', text: 'Forbidden' },
    { type: 'answering', id: 'a1', modelId: 'm' },
    { type: 'chunk', chunk: { type: 'blocked' } },
    { type: 'chunk', chunk: { type: 'text', text: 'Sorry, no.' } },
    { type: 'chunk', chunk: { type: 'done' } },
    { type: 'asked', id: 'q2', text: 'Allowed' },
  ] satisfies ConversationEvent[];
  const { messages } = blocked.reduce(changed, newConversation);
  expect(historyFor(messages)).toEqual([{ role: 'user', content: 'Allowed' }]);
  expect(historyFor(restored(stored(messages)))).toEqual([{ role: 'user', content: 'Allowed' }]);
});
