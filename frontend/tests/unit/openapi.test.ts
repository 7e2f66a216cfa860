import { readFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';
import { expect, test } from 'vitest';

const file = (path: string) => new URL(`../../${path}`, import.meta.url);
const withoutHead = (text: string) => text.slice(text.indexOf('export interface paths')).trim();

test('the types are those of docs/openapi.json (else: npm run types)', async () => {
  const generated = astToString(await openapiTS(file('../docs/openapi.json')));
  expect(withoutHead(readFileSync(file('src/api/openapi.ts'), 'utf8'))).toBe(withoutHead(generated));
});
