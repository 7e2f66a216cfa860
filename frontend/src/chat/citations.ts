/** Turns `[1]` in an answer into something to press. Works on the Markdown's HTML tree, so code and links stay as they are. */
import type { Element, ElementContent, Root, RootContent } from 'hast';
import type { Citation } from '../api/types';

export const CITATION_HREF = '#citation-';
const MARK = /\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/g;
const LEFT_ALONE = new Set(['code', 'pre', 'a']);

/** A rehype plugin; numbers without a citation stay text. */
export function linkCitations(numbers: ReadonlySet<number>) {
  return () => (tree: Root): void => {
    tree.children = tree.children.flatMap((node) => linked(node, numbers)) as RootContent[];
  };
}

function linked(node: RootContent | ElementContent, numbers: ReadonlySet<number>): (RootContent | ElementContent)[] {
  if (node.type === 'element') {
    if (!LEFT_ALONE.has(node.tagName)) node.children = node.children.flatMap((child) => linked(child, numbers)) as ElementContent[];
    return [node];
  }
  return node.type === 'text' ? split(node.value, numbers) : [node];
}

export function split(text: string, numbers: ReadonlySet<number>): ElementContent[] {
  const parts: ElementContent[] = [];
  let end = 0;
  for (const mark of text.matchAll(MARK)) {
    const cited = (mark[1] ?? '').split(',').map((digits) => Number(digits.trim()));
    if (!cited.every((number) => numbers.has(number))) continue;
    if (mark.index > end) parts.push({ type: 'text', value: text.slice(end, mark.index) });
    parts.push(...cited.map(link));
    end = mark.index + mark[0].length;
  }
  if (end < text.length) parts.push({ type: 'text', value: text.slice(end) });
  return parts;
}

const link = (number: number): Element => ({
  type: 'element',
  tagName: 'a',
  properties: { href: `${CITATION_HREF}${number}` },
  children: [{ type: 'text', value: String(number) }],
});

export function placeOf(citation: Citation): string {
  return [citation.page ? `Page ${citation.page}` : '', ...(citation.headings ?? [])].filter(Boolean).join(' › ');
}
