/** A block of code: highlighted once it is complete, and easy to copy. */
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import { useEffect, useState } from 'react';
import type { Line } from './highlight';

export function CodeBlock({ code, language, live }: { code: string; language: string; live: boolean }) {
  const [lines, setLines] = useState<Line[] | null>(null);
  useEffect(() => {
    if (live) return; // highlighting each new word would cost more than it gives
    let wanted = true;
    import('./highlight')
      .then(({ highlighted }) => highlighted(code, language))
      .then((result) => wanted && setLines(result))
      .catch(() => undefined); // plain code is readable as well
    return () => {
      wanted = false;
    };
  }, [code, language, live]);
  return (
    <div className="code">
      <div className="code-head">
        <span>{language || 'text'}</span>
        <CopyToClipboard variant="icon" textToCopy={code} copyButtonAriaLabel="Copy code" copySuccessText="Copied" copyErrorText="Copying failed" />
      </div>
      <pre tabIndex={0} aria-label={`Code, ${language || 'text'}`}>
        <code>
          {lines
            ? lines.map((line, index) => (
                <span key={index}>
                  {line.map((token, position) => (
                    <span key={position} className="token" style={token.style as React.CSSProperties}>
                      {token.text}
                    </span>
                  ))}
                  {'\n'}
                </span>
              ))
            : code}
        </code>
      </pre>
    </div>
  );
}
