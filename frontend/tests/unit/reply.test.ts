import { expect, test } from 'vitest';
import type { Citation } from '../../src/api/types';
import { advance, emptyReply, isLive, type Chunk, type Reply } from '../../src/chat/reply';

const CITATION: Citation = { number: 1, documentId: 'd', documentName: 'a.pdf', source: 's3://b/a.pdf', repositoryId: 'r', collectionId: 'c', text: 'x' };
const after = (...chunks: Chunk[]): Reply => chunks.reduce(advance, emptyReply);

test('text is appended in order', () => {
  expect(after({ type: 'text', text: 'Hel' }, { type: 'text', text: 'lo' })).toMatchObject({ text: 'Hello', status: 'streaming' });
});

test('citations arrive before the text and stay', () => {
  const reply = after({ type: 'citations', citations: [CITATION] }, { type: 'text', text: 'x [1]' }, { type: 'done' });
  expect(reply).toMatchObject({ status: 'done', citations: [CITATION] });
});

test('an answer without text is a failure that says so', () => {
  expect(after({ type: 'done' })).toMatchObject({ status: 'failed', problem: { title: 'Empty answer' } });
});

test('what was written before a failure or a stop is kept', () => {
  const problem = { title: 'No connection', detail: 'Try again.' };
  expect(after({ type: 'text', text: 'half' }, { type: 'failed', problem })).toMatchObject({ text: 'half', status: 'failed', problem });
  expect(after({ type: 'text', text: 'half' }, { type: 'stopped' })).toMatchObject({ text: 'half', status: 'stopped' });
});

test('a late chunk changes nothing', () => {
  const stopped = after({ type: 'text', text: 'half' }, { type: 'stopped' });
  expect(advance(stopped, { type: 'text', text: ' more' })).toBe(stopped);
  expect(isLive(stopped)).toBe(false);
});
