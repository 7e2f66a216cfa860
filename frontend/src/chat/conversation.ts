/** A conversation as data: what was asked and answered, and how each event changes it. */
import type { Citation, Problem, SessionConfiguration, StoredMessage, StoredSession } from '../api/types';
import { advance, emptyReply, isLive, type Chunk, type Reply } from './reply';

export interface ChatSettings {
  modelId?: string;
  repositoryId?: string;
  collection?: { collectionId: string; name: string };
  topK: number;
}

export interface Question {
  type: 'human';
  id: string;
  text: string;
}

export interface Answer {
  type: 'ai';
  id: string;
  modelId: string;
  reply: Reply;
  seconds?: number;
}

export type Message = Question | Answer;

export interface Conversation {
  status: 'loading' | 'ready' | 'failed';
  messages: Message[];
  settings?: ChatSettings;
  problem?: Problem;
  saveProblem?: Problem;
}

export type ConversationEvent =
  | { type: 'loaded'; session: StoredSession }
  | { type: 'notLoaded'; problem: Problem }
  | { type: 'configured'; settings: ChatSettings }
  | { type: 'asked'; id: string; text: string }
  | { type: 'answering'; id: string; modelId: string }
  | { type: 'chunk'; chunk: Chunk }
  | { type: 'ended'; seconds: number }
  | { type: 'rewound'; toId: string }
  | { type: 'saved' }
  | { type: 'notSaved'; problem: Problem };

export const newConversation: Conversation = { status: 'ready', messages: [] };
export const loadingConversation: Conversation = { status: 'loading', messages: [] };
export const DEFAULT_TOP_K = 5;

export function changed(conversation: Conversation, event: ConversationEvent): Conversation {
  const { messages } = conversation;
  switch (event.type) {
    case 'loaded':
      return { status: 'ready', messages: restored(event.session.history), settings: settingsOf(event.session.configuration) };
    case 'notLoaded':
      return { status: 'failed', messages: [], problem: event.problem };
    case 'configured':
      return { ...conversation, settings: event.settings };
    case 'asked':
      return { ...conversation, messages: [...messages, { type: 'human', id: event.id, text: event.text }] };
    case 'answering':
      return { ...conversation, messages: [...messages, { type: 'ai', id: event.id, modelId: event.modelId, reply: emptyReply }] };
    case 'chunk':
      return onLastAnswer(conversation, (answer) => ({ ...answer, reply: advance(answer.reply, event.chunk) }));
    case 'ended':
      return onLastAnswer(conversation, (answer) => ({ ...answer, seconds: event.seconds }));
    case 'rewound': {
      const index = messages.findIndex((message) => message.id === event.toId);
      return index < 0 ? conversation : { ...conversation, messages: messages.slice(0, index) };
    }
    case 'saved':
      return { ...conversation, saveProblem: undefined };
    case 'notSaved':
      return { ...conversation, saveProblem: event.problem };
  }
}

export function isAnswering(conversation: Conversation): boolean {
  const last = conversation.messages.at(-1);
  return last?.type === 'ai' && isLive(last.reply);
}

function onLastAnswer(conversation: Conversation, change: (answer: Answer) => Answer): Conversation {
  const last = conversation.messages.at(-1);
  if (last?.type !== 'ai') return conversation;
  return { ...conversation, messages: [...conversation.messages.slice(0, -1), change(last)] };
}

/** As `PUT /session/{id}` keeps it; an answer that is still coming is saved as far as it came. */
export function stored(messages: Message[]): StoredMessage[] {
  return messages.map((message) =>
    message.type === 'human'
      ? { type: 'human', content: message.text, metadata: { id: message.id } }
      : {
          type: 'ai',
          content: message.reply.text,
          metadata: {
            id: message.id,
            modelId: message.modelId,
            citations: message.reply.citations,
            status: isLive(message.reply) ? 'stopped' : message.reply.status,
            ...(message.reply.cut ? { cut: true } : {}),
            ...(message.reply.blocked ? { blocked: true } : {}),
            ...(message.reply.problem ? { problem: message.reply.problem } : {}),
          },
          usage: { ...message.reply.usage, ...(message.seconds === undefined ? {} : { responseTime: message.seconds }) },
        },
  );
}

/** The other way round; messages of other clients (no ids, content in parts, system prompts) are read as well. */
export function restored(history: StoredMessage[]): Message[] {
  return history.flatMap((message, index): Message[] => {
    const metadata = message.metadata ?? {};
    const id = typeof metadata.id === 'string' ? metadata.id : `stored-${index}`;
    const text = typeof message.content === 'string' ? message.content : message.content.map((part) => part.text ?? '').join('\n');
    if (message.type === 'human') return [{ type: 'human', id, text }];
    if (message.type !== 'ai') return [];
    const { promptTokens, completionTokens, responseTime } = message.usage ?? {};
    const reply: Reply = {
      text,
      status: metadata.status === 'stopped' || metadata.status === 'failed' ? metadata.status : 'done',
      citations: Array.isArray(metadata.citations) ? (metadata.citations as Citation[]) : [],
      ...(promptTokens === undefined ? {} : { usage: { promptTokens, completionTokens: completionTokens ?? 0 } }),
      ...(metadata.cut === true ? { cut: true } : {}),
      ...(metadata.blocked === true ? { blocked: true } : {}),
      ...(metadata.problem ? { problem: metadata.problem as Problem } : {}),
    };
    return [{ type: 'ai', id, modelId: String(metadata.modelId ?? ''), reply, ...(responseTime === undefined ? {} : { seconds: responseTime }) }];
  });
}

export function configurationOf(settings: ChatSettings): SessionConfiguration {
  return {
    selectedModel: settings.modelId ? { modelId: settings.modelId } : null,
    ragConfig: settings.repositoryId
      ? { repositoryId: settings.repositoryId, ...(settings.collection ? { collection: settings.collection } : {}) }
      : null,
    sessionConfiguration: { ragTopK: settings.topK },
  };
}

export function settingsOf(configuration: SessionConfiguration | null | undefined): ChatSettings {
  const rag = configuration?.ragConfig;
  const modelId = configuration?.selectedModel?.modelId;
  return {
    topK: configuration?.sessionConfiguration?.ragTopK ?? DEFAULT_TOP_K,
    ...(modelId ? { modelId } : {}),
    ...(rag?.repositoryId ? { repositoryId: rag.repositoryId } : {}),
    ...(rag?.repositoryId && rag.collection ? { collection: rag.collection } : {}),
  };
}
