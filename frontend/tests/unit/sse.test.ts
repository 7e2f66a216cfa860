import { expect, test } from 'vitest';
import { emptyParser, feed } from '../../src/api/sse';

const STREAM = ': hello\n\nevent: x\ndata: {"a":1}\n\ndata: one\ndata: two\r\n\r\ndata:[DONE]\n\n';
const EVENTS = ['{"a":1}', 'one\ntwo', '[DONE]'];

function all(pieces: string[]): string[] {
  let parser = emptyParser;
  return pieces.flatMap((piece) => {
    const [next, events] = feed(parser, piece);
    parser = next;
    return events;
  });
}

test('a whole stream gives its events', () => {
  expect(all([STREAM])).toEqual(EVENTS);
});

test('where the stream is cut changes nothing', () => {
  for (let cut = 0; cut <= STREAM.length; cut += 1) {
    expect(all([STREAM.slice(0, cut), STREAM.slice(cut)])).toEqual(EVENTS);
  }
  expect(all([...STREAM])).toEqual(EVENTS);
});

test('an event without its empty line is not complete', () => {
  expect(all(['data: half'])).toEqual([]);
});
