/**
 * Conversations outside of React: an answer goes on, and is saved, while its reader is on another page.
 * All effects come in through `ChatIo`, so that tests need no network.
 */
import type { ChatRequest } from '../api/chat';
import { problemOf } from '../api/errors';
import type { Model, SessionConfiguration, StoredMessage, StoredSession } from '../api/types';
import { newId } from '../new-id';
import {
  changed,
  configurationOf,
  isAnswering,
  loadingConversation,
  newConversation,
  stored,
  type ChatSettings,
  type Conversation,
  type ConversationEvent,
} from './conversation';
import { historyFor } from './history';
import type { Draft, Drafts } from './drafts';
import type { Chunk } from './reply';

export interface ChatIo {
  stream(request: ChatRequest, signal: AbortSignal, sessionId: string): AsyncIterable<Chunk>;
  load(sessionId: string): Promise<StoredSession>;
  save(sessionId: string, messages: StoredMessage[], configuration: SessionConfiguration): Promise<unknown>;
  /** How a new chat begins. */
  defaults(): ChatSettings;
  /** Told after each save: the list of sessions has changed. */
  saved(): void;
}

/** What a turn is answered with. */
export interface Turn {
  model: Model;
  settings: ChatSettings;
}

const FRAME_MS = 40; // a fast model sends hundreds of chunks a second; eyes need 25 frames

export class ChatStore {
  private readonly conversations = new Map<string, Conversation>();
  private readonly aborts = new Map<string, AbortController>();
  private readonly saves = new Map<string, Promise<void>>();
  private readonly listeners = new Set<() => void>();
  private frame: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly io: ChatIo,
    private readonly drafts: Drafts,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get(sessionId: string): Conversation | undefined {
    return this.conversations.get(sessionId);
  }

  /** Makes a conversation known: an empty one at once, a saved one when it has been loaded, one not saved yet as it was left. */
  async open(sessionId: string, isNew: boolean): Promise<void> {
    const known = this.conversations.get(sessionId);
    if (known && known.status !== 'failed') return;
    this.conversations.set(sessionId, isNew ? { ...newConversation, settings: this.io.defaults() } : loadingConversation);
    this.notify();
    if (isNew) return;
    const draft = this.drafts.get(sessionId);
    if (draft) {
      this.apply(sessionId, { type: 'loaded', session: { sessionId, history: draft.messages, configuration: draft.configuration } });
      await this.send(sessionId, draft);
      return;
    }
    try {
      this.apply(sessionId, { type: 'loaded', session: await this.io.load(sessionId) });
    } catch (error) {
      this.apply(sessionId, { type: 'notLoaded', problem: problemOf(error) });
    }
  }

  configure(sessionId: string, settings: ChatSettings): void {
    this.apply(sessionId, { type: 'configured', settings });
  }

  async ask(sessionId: string, text: string, turn: Turn): Promise<void> {
    if (isAnswering(this.conversations.get(sessionId) ?? newConversation)) return;
    this.apply(sessionId, { type: 'asked', id: newId(), text });
    void this.save(sessionId, turn.settings); // a closed tab loses an answer, never a question
    await this.answer(sessionId, turn);
  }

  /** Answers the last question anew, in place of the answer it has. */
  async regenerate(sessionId: string, turn: Turn): Promise<void> {
    const last = this.conversations.get(sessionId)?.messages.at(-1);
    if (!last || isAnswering(this.conversations.get(sessionId) ?? newConversation)) return;
    if (last.type === 'ai') this.apply(sessionId, { type: 'rewound', toId: last.id });
    await this.answer(sessionId, turn);
  }

  /** Asks `text` in place of the question `questionId` and of all that followed it. */
  async askInstead(sessionId: string, questionId: string, text: string, turn: Turn): Promise<void> {
    this.apply(sessionId, { type: 'rewound', toId: questionId });
    await this.ask(sessionId, text, turn);
  }

  stop(sessionId: string): void {
    this.aborts.get(sessionId)?.abort();
  }

  forget(sessionId: string): void {
    this.stop(sessionId);
    this.conversations.delete(sessionId);
    this.drafts.drop(sessionId);
    this.notify();
  }

  save(sessionId: string, settings: ChatSettings): Promise<void> {
    const messages = this.conversations.get(sessionId)?.messages ?? [];
    return this.send(sessionId, { messages: stored(messages), configuration: configurationOf(settings) });
  }

  /** One save after the other, so that an older state cannot overtake a newer one. */
  private send(sessionId: string, draft: Draft): Promise<void> {
    if (!this.conversations.has(sessionId)) return Promise.resolve(); // deleted while it was answered
    this.drafts.keep(sessionId, draft);
    const before = this.saves.get(sessionId) ?? Promise.resolve();
    const next: Promise<void> = before.then(async () => {
      if (!this.conversations.has(sessionId)) return; // deleted meanwhile
      try {
        await this.io.save(sessionId, draft.messages, draft.configuration);
        if (this.saves.get(sessionId) === next) this.drafts.drop(sessionId);
        this.apply(sessionId, { type: 'saved' });
        this.io.saved();
      } catch (error) {
        this.apply(sessionId, { type: 'notSaved', problem: problemOf(error) });
      }
    });
    this.saves.set(sessionId, next);
    return next;
  }

  private async answer(sessionId: string, { model, settings }: Turn): Promise<void> {
    const abort = new AbortController();
    this.aborts.set(sessionId, abort);
    const messages = historyFor(this.conversations.get(sessionId)?.messages ?? [], model.contextWindow);
    this.apply(sessionId, { type: 'answering', id: newId(), modelId: model.modelId });
    const began = performance.now();
    try {
      for await (const chunk of this.io.stream(chatRequest(model, messages, settings), abort.signal, sessionId)) {
        this.apply(sessionId, { type: 'chunk', chunk }, chunk.type === 'text');
      }
    } catch (error) {
      const chunk: Chunk = abort.signal.aborted ? { type: 'stopped' } : { type: 'failed', problem: problemOf(error) };
      this.apply(sessionId, { type: 'chunk', chunk });
    }
    this.apply(sessionId, { type: 'ended', seconds: Math.round((performance.now() - began) / 10) / 100 });
    this.aborts.delete(sessionId);
    await this.save(sessionId, { ...settings, modelId: model.modelId });
  }

  private apply(sessionId: string, event: ConversationEvent, lazily = false): void {
    const conversation = this.conversations.get(sessionId);
    if (!conversation) return;
    this.conversations.set(sessionId, changed(conversation, event));
    if (!lazily) this.notify();
    else this.frame ??= setTimeout(() => this.notify(), FRAME_MS);
  }

  private notify(): void {
    clearTimeout(this.frame);
    this.frame = undefined;
    for (const listener of this.listeners) listener();
  }
}

function chatRequest(model: Model, messages: ChatRequest['messages'], settings: ChatSettings): ChatRequest {
  const { repositoryId, collection, topK } = settings;
  return {
    model: model.modelId,
    messages,
    stream: model.streaming,
    ...(repositoryId ? { lisa: { repositoryId, ...(collection ? { collectionId: collection.collectionId } : {}), topK } } : {}),
  };
}
