import type { Element, Root } from 'hast';
import { expect, test } from 'vitest';
import { linkCitations, placeOf, split } from '../../src/chat/citations';

const NUMBERS = new Set([1, 2]);
const shape = (text: string) => split(text, NUMBERS).map((part) => (part.type === 'text' ? part.value : (part as Element).properties.href));

test.each([
  ['28 days [1].', ['28 days ', '#citation-1', '.']],
  ['[1][2]', ['#citation-1', '#citation-2']],
  ['both [1, 2] say so', ['both ', '#citation-1', '#citation-2', ' say so']],
  ['no passage [3]', ['no passage [3]']],
  ['an array a[0] stays', ['an array a[0] stays']],
  ['plain', ['plain']],
])('%s', (text, parts) => {
  expect(shape(text)).toEqual(parts);
});

test('code and links are left alone', () => {
  const element = (tagName: string): Element => ({ type: 'element', tagName, properties: {}, children: [{ type: 'text', value: 'x[1]' }] });
  const tree: Root = { type: 'root', children: [element('p'), element('code'), element('a')] };
  linkCitations(NUMBERS)()(tree);
  expect(tree.children.map((child) => (child as Element).children.length)).toEqual([2, 1, 1]);
});

test('a place is the page and the path of headings', () => {
  const base = { number: 1, documentId: '', documentName: '', source: '', repositoryId: '', collectionId: '', text: '' };
  expect(placeOf({ ...base, page: 12, headings: ['4 Leave', '4.2 Annual'] })).toBe('Page 12 › 4 Leave › 4.2 Annual');
  expect(placeOf(base)).toBe('');
});
