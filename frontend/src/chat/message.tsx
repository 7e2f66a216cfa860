/** One question or answer. Memoised: while an answer streams, the others are not drawn again. */
import Avatar from '@cloudscape-design/chat-components/avatar';
import ChatBubble from '@cloudscape-design/chat-components/chat-bubble';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
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
  author: string;
  onEdit?: (question: Question) => void;
}

export const QuestionView = memo(function QuestionView({ question, author, onEdit }: QuestionProps) {
  return (
    <div className="turn-question">
      <ChatBubble
        type="outgoing"
        ariaLabel="Your question"
        avatar={<Avatar ariaLabel={author} tooltipText={author} initials={initialsOf(author)} />}
        actions={
          onEdit && (
            <Button variant="inline-icon" iconName="edit" ariaLabel="Edit the question" onClick={() => onEdit(question)} />
          )
        }
      >
        <div className="question">{question.text}</div>
      </ChatBubble>
    </div>
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
    <ChatBubble
      type="incoming"
      ariaLabel={`Answer of ${answer.modelId || 'the model'}`}
      showLoadingBar={live}
      avatar={<Avatar ariaLabel={answer.modelId || 'Model'} tooltipText={answer.modelId || 'Model'} color="gen-ai" iconName="gen-ai" loading={live} />}
      actions={
        !live && (
          <div className="turn-actions">
            {reply.text && (
              <CopyToClipboard variant="icon" textToCopy={reply.text} copyButtonAriaLabel="Copy the answer" copySuccessText="Copied" copyErrorText="Copying failed" />
            )}
            {onRegenerate && reply.status !== 'failed' && (
              <Button variant="icon" iconName="refresh" ariaLabel="Answer again" onClick={onRegenerate} />
            )}
            <span className="turn-facts">{factsOf(answer)}</span>
          </div>
        )
      }
    >
      <div className="answer-body" aria-busy={live}>
        {reply.status === 'waiting' && (
          <Box color="text-status-inactive">{reply.citations.length > 0 ? 'Reading the sources…' : 'Thinking…'}</Box>
        )}
        {reply.text && (
          <Suspense fallback={<div className="question">{reply.text}</div>}>
            <Markdown text={reply.text} live={live} citationNumbers={numbers} onCitation={open} />
          </Suspense>
        )}
        {reply.status === 'stopped' && <StatusIndicator type="stopped">Stopped</StatusIndicator>}
        {reply.cut && <StatusIndicator type="warning">The model reached its limit; the answer is cut off.</StatusIndicator>}
        {reply.problem && <ProblemBox problem={reply.problem} onRetry={onRegenerate} />}
        {reply.citations.length > 0 && !live && <Sources citations={reply.citations} onOpen={open} />}
      </div>
    </ChatBubble>
  );
});

function Sources({ citations, onOpen }: { citations: Citation[]; onOpen: (number: number) => void }) {
  return (
    <div className="sources">
      <h3 className="sources-title">Sources</h3>
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

function initialsOf(name: string): string {
  const words = name.split(/[\s@._-]+/).filter(Boolean);
  return ((words[0]?.[0] ?? 'U') + (name.includes('@') ? '' : (words[1]?.[0] ?? ''))).toUpperCase();
}
