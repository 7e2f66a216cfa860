/** One question or answer. Memoised: while an answer streams, the others are not drawn again. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import Icon from '@cloudscape-design/components/icon';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { lazy, memo, Suspense, useCallback, useMemo } from 'react';
import type { Citation } from '../api/types';
import { ProblemBox } from '../layout/page-states';
import { placeOf } from './citations';
import type { Answer, Question } from './conversation';
import { isLive } from './reply';

const Markdown = lazy(() => import('./markdown'));

interface QuestionProps {
  question: Question;
  onEdit?: (question: Question) => void;
}

export const QuestionView = memo(function QuestionView({ question, onEdit }: QuestionProps) {
  return (
    <article className="question" aria-label="Your question">
      {onEdit && (
        <span className="question-edit">
          <Button variant="inline-icon" iconName="edit" ariaLabel="Edit the question" onClick={() => onEdit(question)} />
        </span>
      )}
      <div className="question-text">{question.text}</div>
    </article>
  );
});

interface AnswerProps {
  answer: Answer;
  onCitation: (citations: Citation[], number: number) => void;
  /** Given for the last answer only. */
  onRegenerate?: () => void;
}

export const AnswerView = memo(function AnswerView({ answer, onCitation, onRegenerate }: AnswerProps) {
  const { reply } = answer;
  const live = isLive(reply);
  const numbers = useMemo(() => reply.citations.map((citation) => citation.number), [reply.citations]);
  const open = useCallback((number: number) => onCitation(reply.citations, number), [onCitation, reply.citations]);
  return (
    <article className="reply" aria-label={`Answer of ${answer.modelId || 'the model'}`} aria-busy={live}>
      <span className="reply-mark" data-live={live || undefined} aria-hidden="true">
        <Icon name="gen-ai" />
      </span>
      <div className="reply-body">
        {reply.status === 'waiting' && (
          <Box color="text-status-inactive">{reply.citations.length > 0 ? 'Reading the sources…' : 'Thinking…'}</Box>
        )}
        {reply.text && (
          <Suspense fallback={<div className="plain">{reply.text}</div>}>
            <Markdown text={reply.text} live={live} citationNumbers={numbers} onCitation={open} />
          </Suspense>
        )}
        {reply.status === 'stopped' && <StatusIndicator type="stopped">Stopped</StatusIndicator>}
        {reply.cut && <StatusIndicator type="warning">The model reached its limit; the answer is cut off.</StatusIndicator>}
        {reply.blocked && <StatusIndicator type="warning">A guardrail stopped this. The model is not told of it in your next question.</StatusIndicator>}
        {reply.problem && <ProblemBox problem={reply.problem} onRetry={onRegenerate} />}
        {reply.citations.length > 0 && !live && <Sources citations={reply.citations} onOpen={open} />}
        {!live && (
          <div className="reply-foot">
            {reply.text && (
              <CopyToClipboard variant="icon" textToCopy={reply.text} copyButtonAriaLabel="Copy the answer" copySuccessText="Copied" copyErrorText="Copying failed" />
            )}
            {onRegenerate && reply.status !== 'failed' && (
              <Button variant="icon" iconName="refresh" ariaLabel="Answer again" onClick={onRegenerate} />
            )}
            <span className="reply-facts">{factsOf(answer)}</span>
          </div>
        )}
      </div>
    </article>
  );
});

function Sources({ citations, onOpen }: { citations: Citation[]; onOpen: (number: number) => void }) {
  return (
    <div className="sources">
      <h2 className="sources-title">Sources</h2>
      <ol className="sources-list">
        {citations.map((citation) => (
          <li key={citation.number}>
            <button type="button" className="source" onClick={() => onOpen(citation.number)}>
              <span className="source-number">{citation.number}</span>
              <span className="source-name">{citation.documentName}</span>
              <span className="source-place">{placeOf(citation)}</span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}

function factsOf(answer: Answer): string {
  const { usage } = answer.reply;
  return [answer.modelId, answer.seconds === undefined ? '' : `${answer.seconds.toFixed(1)} s`, usage ? `${usage.completionTokens} tokens` : '']
    .filter(Boolean)
    .join(' · ');
}
