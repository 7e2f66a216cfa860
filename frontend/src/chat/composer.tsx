/** Where a question is written. Enter sends, Shift+Enter makes a new line; a draft outlives a reload or a new sign-in. */
import Button from '@cloudscape-design/components/button';
import FileInput from '@cloudscape-design/components/file-input';
import PromptInput, { type PromptInputProps } from '@cloudscape-design/components/prompt-input';
import { useEffect, useRef, useState } from 'react';
import { ACCEPTED } from '../uploads/upload';

interface Props {
  /** Names the draft that is kept for this chat. */
  draftOf: string;
  answering: boolean;
  ready: boolean;
  /** Text to take over: a question that is being edited. */
  edited?: string;
  onSend: (text: string) => void;
  onStop: () => void;
  onFiles?: (files: File[]) => void;
}

const DRAFTS = 'lisa.draft.';
const EXTENSIONS = ACCEPTED.map((extension) => `.${extension}`).join(',');

export function Composer({ draftOf, answering, ready, edited, onSend, onStop, onFiles }: Props) {
  const input = useRef<PromptInputProps.Ref>(null);
  const [text, setText] = useState(() => edited ?? sessionStorage.getItem(DRAFTS + draftOf) ?? '');
  useEffect(() => {
    if (window.matchMedia('(hover: hover)').matches) input.current?.focus(); // on a phone the keyboard would cover the page
  }, []);
  const write = (value: string) => {
    setText(value);
    if (value) sessionStorage.setItem(DRAFTS + draftOf, value);
    else sessionStorage.removeItem(DRAFTS + draftOf);
  };
  const send = () => {
    if (answering || !ready || !text.trim()) return;
    onSend(text.trim());
    write('');
  };
  return (
    <PromptInput
      ref={input}
      value={text}
      onChange={({ detail }) => write(detail.value)}
      onAction={send}
      placeholder="Ask a question"
      ariaLabel="Question"
      minRows={1}
      maxRows={8}
      actionButtonAriaLabel="Send"
      actionButtonIconName="send"
      disableActionButton={!ready || !text.trim()}
      customPrimaryAction={
        answering ? <Button variant="icon" iconName="stop-circle" ariaLabel="Stop" onClick={onStop} /> : undefined
      }
      secondaryActions={
        onFiles && (
          <div className="composer-actions">
            <FileInput variant="icon" multiple accept={EXTENSIONS} value={[]} ariaLabel="Upload documents" onChange={({ detail }) => onFiles(detail.value)} />
          </div>
        )
      }
      disableSecondaryActionsPaddings
    />
  );
}
