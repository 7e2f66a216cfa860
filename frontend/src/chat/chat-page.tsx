/** The chat: messages above, the question below, files dropped anywhere. */
import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import LiveRegion from '@cloudscape-design/components/live-region';
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { useLocation, useNavigate, useParams } from 'react-router';
import { problemOf } from '../api/errors';
import type { Citation } from '../api/types';
import { useNotices } from '../layout/notices';
import { usePlace } from '../layout/page';
import { Loading, ProblemBox } from '../layout/page-states';
import { useShowPanel } from '../layout/panel';
import { newId } from '../new-id';
import { useServices } from '../services';
import { DropZone } from '../uploads/drop-zone';
import { UploadList } from '../uploads/upload-list';
import { Composer } from './composer';
import { DEFAULT_TOP_K, isAnswering, loadingConversation, newConversation, type ChatSettings, type Question } from './conversation';
import { AnswerView, QuestionView } from './message';
import { Pickers } from './pickers';
import { remember } from './preferences';
import { isLive } from './reply';
import { SourcePanel } from './source-panel';
import { useChoices } from './use-choices';
import { useFollowing } from './use-following';
import { Welcome } from './welcome';

const NO_SETTINGS: ChatSettings = { topK: DEFAULT_TOP_K };

export default function ChatPage() {
  const { sessionId: saved } = useParams();
  const { key } = useLocation();
  const [fresh, setFresh] = useState(() => ({ key, id: newId() }));
  if (!saved && fresh.key !== key) setFresh({ key, id: newId() }); // "New chat" was pressed
  const sessionId = saved ?? fresh.id;
  return <Chat sessionId={sessionId} isNew={sessionId === fresh.id} />;
}

function Chat({ sessionId, isNew }: { sessionId: string; isNew: boolean }) {
  const { chat, person, uploads } = useServices();
  const navigate = useNavigate();
  const notices = useNotices();
  const show = useShowPanel();
  const known = useSyncExternalStore(chat.subscribe, () => chat.get(sessionId));
  const conversation = known ?? (isNew ? newConversation : loadingConversation);
  const [edit, setEdit] = useState<{ sessionId: string; question: Question } | null>(null);
  const editing = edit?.sessionId === sessionId ? edit.question : null;
  const wanted = conversation.settings ?? NO_SETTINGS;
  const choices = useChoices(wanted);
  const { messages } = conversation;
  const answering = isAnswering(conversation);
  const following = useFollowing(sessionId, messages);
  const first = messages.find((message) => message.type === 'human');
  usePlace(first ? first.text.slice(0, 60) : 'New chat');

  useEffect(() => {
    void chat.open(sessionId, isNew);
  }, [chat, sessionId, isNew]);

  const { model, settings } = choices;
  const send = (text: string) => {
    if (!model) return;
    following.resume();
    uploads.clearIndexed(); // room for the answer
    const turn = { model, settings };
    if (editing) void chat.askInstead(sessionId, editing.id, text, turn);
    else void chat.ask(sessionId, text, turn);
    setEdit(null);
    if (isNew) void navigate(`/chat/${encodeURIComponent(sessionId)}`, { replace: true });
  };
  const regenerate = useCallback(() => {
    if (model) void chat.regenerate(sessionId, { model, settings });
  }, [chat, sessionId, model, settings]);
  const openSource = useCallback(
    (citations: Citation[], number: number) =>
      show({ title: 'Source', content: <SourcePanel key={`${citations[0]?.documentId}-${number}`} citations={citations} number={number} /> }),
    [show],
  );
  const beginEdit = useCallback((question: Question) => setEdit({ sessionId, question }), [sessionId]);
  const configure = (next: ChatSettings) => chat.configure(sessionId, next);

  // With one repository only there is nothing to ask: dropped files go there.
  const target = choices.repository ?? (choices.repositories.length === 1 ? choices.repositories[0] : undefined);
  const upload = (files: File[]) => {
    if (!target) {
      notices.fail(new Error(choices.repositories.length === 0 ? 'There is no repository for documents yet.' : 'Choose under “Documents” where the files should go, then drop them again.'), 'Nothing was uploaded');
      return;
    }
    if (!choices.repository) {
      remember({ repositoryId: target.repositoryId, collection: undefined });
      configure({ topK: wanted.topK, repositoryId: target.repositoryId });
    }
    uploads.add(files, target.repositoryId, choices.repository ? settings.collection?.collectionId : undefined);
  };

  const last = messages.at(-1);
  return (
    <div className="chat">
      <h1 className="visually-hidden">Chat</h1>
      <DropZone hint={target ? `Drop to add to “${target.repositoryName || target.repositoryId}”` : 'Drop files'} onFiles={upload} />
      <div className="chat-messages">
        {conversation.status === 'loading' && <Loading what="Loading the chat" />}
        {conversation.status === 'failed' && conversation.problem && (
          <ProblemBox problem={conversation.problem} onRetry={() => void chat.open(sessionId, false)} />
        )}
        {conversation.status === 'ready' && messages.length === 0 && (
          <Welcome name={person.displayName} repository={choices.repository} onPick={send} ready={model !== undefined} />
        )}
        {messages.map((message, index) =>
          message.type === 'human' ? (
            <QuestionView
              key={message.id}
              question={message}
              onEdit={!answering && index >= messages.length - 2 ? beginEdit : undefined}
            />
          ) : (
            <AnswerView key={message.id} answer={message} onCitation={openSource} onRegenerate={index === messages.length - 1 ? regenerate : undefined} />
          ),
        )}
        {last?.type === 'human' && conversation.status === 'ready' && (
          <Alert type="info" statusIconAriaLabel="Information" action={<Button onClick={regenerate}>Answer now</Button>}>
            This question has no answer yet.
          </Alert>
        )}
        <LiveRegion hidden>{last?.type === 'ai' ? (isLive(last.reply) ? 'The answer is being written.' : last.reply.text) : ''}</LiveRegion>
      </div>
      <div className="chat-foot">
        {following.away && (
          <div className="chat-latest">
            <Button iconName="angle-down" onClick={following.resume}>
              Latest
            </Button>
          </div>
        )}
        <UploadList repositoryId={target?.repositoryId} />
        {choices.error ? <ProblemBox problem={problemOf(choices.error)} onRetry={choices.reload} /> : null}
        {!choices.isLoading && !choices.error && choices.models.length === 0 && (
          <Alert type="warning" statusIconAriaLabel="Warning">
            No model is in service. {person.isAdmin ? <a href="#/models">Add one</a> : 'Ask an administrator to add one.'}
          </Alert>
        )}
        {conversation.saveProblem && (
          <Alert
            type="warning"
            statusIconAriaLabel="Warning"
            header="This chat is not saved"
            action={<Button onClick={() => void chat.save(sessionId, settings)}>Save again</Button>}
          >
            {conversation.saveProblem.detail}
          </Alert>
        )}
        {editing && (
          <Alert type="info" statusIconAriaLabel="Information" action={<Button onClick={() => setEdit(null)}>Cancel</Button>}>
            You are editing a question; its answer will be replaced.
          </Alert>
        )}
        <Pickers choices={choices} settings={wanted} onChange={configure} />
        <Composer
          key={`${sessionId} ${editing?.id ?? ''}`}
          draftOf={isNew ? 'new' : sessionId}
          answering={answering}
          ready={model !== undefined && conversation.status === 'ready'}
          edited={editing?.text}
          onSend={send}
          onStop={() => chat.stop(sessionId)}
          onFiles={target ? upload : undefined}
        />
        <p className="chat-hint">
          {model?.modelDescription ? `${model.modelDescription} ` : ''}
          Answers can be wrong; check them.
        </p>
      </div>
    </div>
  );
}
