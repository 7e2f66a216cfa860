/** Code highlighting with few languages, each loaded when first seen; regular expressions run in JavaScript, no WebAssembly. */
import { createHighlighterCore, type HighlighterCore, type LanguageInput } from 'shiki/core';
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript';

export interface Token {
  text: string;
  style: Record<string, string>;
}
export type Line = Token[];

const LANGUAGES: Record<string, () => LanguageInput> = {
  bash: () => import('shiki/langs/bash.mjs'),
  css: () => import('shiki/langs/css.mjs'),
  go: () => import('shiki/langs/go.mjs'),
  html: () => import('shiki/langs/html.mjs'),
  java: () => import('shiki/langs/java.mjs'),
  javascript: () => import('shiki/langs/javascript.mjs'),
  json: () => import('shiki/langs/json.mjs'),
  python: () => import('shiki/langs/python.mjs'),
  rust: () => import('shiki/langs/rust.mjs'),
  sql: () => import('shiki/langs/sql.mjs'),
  typescript: () => import('shiki/langs/typescript.mjs'),
  yaml: () => import('shiki/langs/yaml.mjs'),
};
const ALIASES: Record<string, string> = { sh: 'bash', shell: 'bash', js: 'javascript', jsx: 'javascript', py: 'python', rs: 'rust', ts: 'typescript', tsx: 'typescript', yml: 'yaml' };

let highlighter: Promise<HighlighterCore> | undefined;

/** Null when the language is not known. */
export async function highlighted(code: string, name: string): Promise<Line[] | null> {
  const language = ALIASES[name.toLowerCase()] ?? name.toLowerCase();
  const load = LANGUAGES[language];
  if (!load) return null;
  highlighter ??= createHighlighterCore({
    engine: createJavaScriptRegexEngine(),
    themes: [import('shiki/themes/github-light-high-contrast.mjs'), import('shiki/themes/github-dark-high-contrast.mjs')],
    langs: [],
  });
  const shiki = await highlighter;
  if (!shiki.getLoadedLanguages().includes(language)) await shiki.loadLanguage(load());
  const { tokens } = shiki.codeToTokens(code, {
    lang: language,
    themes: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    defaultColor: false,
  });
  return tokens.map((line) => line.map((token) => ({ text: token.content, style: token.htmlStyle ?? {} })));
}
