/** An answer's Markdown. Loaded lazily; what a model writes never becomes HTML or a request of its own. */
import { useMemo, type ReactNode } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { CITATION_HREF, linkCitations } from './citations';
import { CodeBlock } from './code-block';

interface Props {
  text: string;
  live: boolean;
  citationNumbers: number[];
  onCitation: (number: number) => void;
}

export default function Markdown({ text, live, citationNumbers, onCitation }: Props) {
  const plugins = useMemo(() => [linkCitations(new Set(citationNumbers))], [citationNumbers]);
  const components = useMemo<Components>(
    () => ({
      a: ({ href = '', children }) =>
        href.startsWith(CITATION_HREF) ? (
          <CitationButton number={Number(href.slice(CITATION_HREF.length))} onPress={onCitation} />
        ) : (
          <a href={href} target="_blank" rel="noopener noreferrer">
            {children}
          </a>
        ),
      // An image would tell its server who reads what; a link asks first.
      img: ({ src, alt }) => (
        <a href={typeof src === 'string' ? src : undefined} target="_blank" rel="noopener noreferrer">
          {alt || 'Image'}
        </a>
      ),
      table: ({ children }) => (
        <div className="table-scroll" tabIndex={0} role="region" aria-label="Table">
          <table>{children}</table>
        </div>
      ),
      pre: ({ node }) => {
        const inner = node?.children[0];
        if (inner?.type !== 'element') return null;
        const first = inner.children[0];
        const classes = inner.properties.className;
        const language = Array.isArray(classes) ? String(classes[0] ?? '').replace('language-', '') : '';
        return <CodeBlock code={first?.type === 'text' ? first.value.replace(/\n$/, '') : ''} language={language} live={live} />;
      },
    }),
    [live, onCitation],
  );
  return (
    <div className="answer">
      <ReactMarkdown remarkPlugins={[remarkGfm]} rehypePlugins={plugins} components={components}>
        {text}
      </ReactMarkdown>
    </div>
  );
}

function CitationButton({ number, onPress }: { number: number; onPress: (number: number) => void }): ReactNode {
  return (
    <button type="button" className="citation" aria-label={`Source ${number}`} onClick={() => onPress(number)}>
      {number}
    </button>
  );
}
