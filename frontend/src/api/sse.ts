/** Server-sent events, parsed by hand: EventSource can neither POST nor send a header. */

export interface Parser {
  rest: string;
  data: string[];
}

export const emptyParser: Parser = { rest: '', data: [] };

/** Feeds a piece of text, cut anywhere; returns the `data` of the events it completes. */
export function feed(parser: Parser, text: string): [Parser, string[]] {
  const lines = (parser.rest + text).split(/\r\n|\n|\r(?!$)/);
  const rest = lines.pop() ?? '';
  const events: string[] = [];
  let data = parser.data;
  for (const line of lines) {
    if (line === '') {
      if (data.length > 0) events.push(data.join('\n'));
      data = [];
    } else if (line.startsWith('data:')) {
      data = [...data, line.slice(line.startsWith('data: ') ? 6 : 5)];
    }
  }
  return [{ rest, data }, events];
}
