import { beforeEach, expect, test, vi } from 'vitest';
import type { ChatRequest } from '../../src/api/chat';
import { ApiError } from '../../src/api/errors';
import type { Model, StoredMessage } from '../../src/api/types';
import { ChatStore, type ChatIo, type Turn } from '../../src/chat/chat-store';
import { Drafts } from '../../src/chat/drafts';
import type { Chunk } from '../../src/chat/reply';

const MODEL = { modelId: 'm', streaming: true } as Model;
const TURN: Turn = { model: MODEL, settings: { topK: 5 } };
const GROUNDED: Turn = { model: MODEL, settings: { topK: 3, repositoryId: 'demo', collection: { collectionId: 'c', name: 'C' } } };

class FakeIo implements ChatIo {
  requests: ChatRequest[] = [];
  sessions: string[] = [];
  saves: StoredMessage[][] = [];
  chunks: Chunk[] = [{ type: 'text', text: 'Hello' }, { type: 'done' }];
  saved = vi.fn();
  saving: () => Promise<unknown> = async () => undefined;
  defaults = () => ({ topK: 5 });
  load = async (sessionId: string) => ({ sessionId, history: [{ type: 'human' as const, content: 'Hi' }] });
  save = async (_id: string, messages: StoredMessage[]) => {
    await this.saving();
    this.saves.push(messages);
  };

  async *stream(request: ChatRequest, signal: AbortSignal, sessionId: string): AsyncGenerator<Chunk> {
    this.requests.push(request);
    this.sessions.push(sessionId);
    for (const chunk of this.chunks) {
      if (chunk.type === 'stopped') {
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError'))));
      }
      yield chunk;
    }
  }
}

class Tab implements Storage {
  private readonly items = new Map<string, string>();
  isFull = false;
  get length(): number {
    return this.items.size;
  }
  clear = () => this.items.clear();
  getItem = (key: string) => this.items.get(key) ?? null;
  key = (index: number) => [...this.items.keys()][index] ?? null;
  removeItem = (key: string) => void this.items.delete(key);
  setItem = (key: string, value: string) => {
    if (this.isFull) throw new DOMException('', 'QuotaExceededError');
    this.items.set(key, value);
  };
}

let tab: Tab;
const draftsOf = (username: string): Drafts => new Drafts(username, tab);
const opened = (io: FakeIo): ChatStore => new ChatStore(io, draftsOf('ada'));

beforeEach(() => {
  tab = new Tab();
});

async function begun(io: FakeIo): Promise<ChatStore> {
  const store = opened(io);
  await store.open('s', true);
  return store;
}

test('a question is saved before its answer, and again with it', async () => {
  const io = new FakeIo();
  await (await begun(io)).ask('s', 'Hi', TURN);
  expect(io.saves.map((messages) => messages.length)).toEqual([1, 2]);
  expect(io.saved).toHaveBeenCalledTimes(2);
});

test('a grounded question names its repository and collection', async () => {
  const io = new FakeIo();
  await (await begun(io)).ask('s', 'Hi', GROUNDED);
  expect(io.requests[0]?.lisa).toEqual({ repositoryId: 'demo', collectionId: 'c', topK: 3 });
});

test('a question is counted for its session', async () => {
  const io = new FakeIo();
  await (await begun(io)).ask('s', 'Hi', TURN);
  expect(io.sessions).toEqual(['s']);
});

test('stopping keeps and saves what was written', async () => {
  const io = new FakeIo();
  io.chunks = [{ type: 'text', text: 'Hel' }, { type: 'stopped' }];
  const store = await begun(io);
  const asking = store.ask('s', 'Hi', TURN);
  await vi.waitFor(() => expect(store.get('s')?.messages.at(-1)).toMatchObject({ reply: { text: 'Hel' } }));
  store.stop('s');
  await asking;
  expect(io.saves.at(-1)?.[1]).toMatchObject({ content: 'Hel', metadata: { status: 'stopped' } });
});

test('a second question waits until the first has its answer', async () => {
  const io = new FakeIo();
  const store = await begun(io);
  await Promise.all([store.ask('s', 'one', TURN), store.ask('s', 'two', TURN)]);
  expect(io.requests).toHaveLength(1);
});

test('regenerating replaces the last answer', async () => {
  const io = new FakeIo();
  const store = await begun(io);
  await store.ask('s', 'Hi', TURN);
  io.chunks = [{ type: 'text', text: 'Better' }, { type: 'done' }];
  await store.regenerate('s', TURN);
  expect(store.get('s')?.messages).toMatchObject([{ text: 'Hi' }, { reply: { text: 'Better' } }]);
});

test('an edited question replaces the old turn', async () => {
  const io = new FakeIo();
  const store = await begun(io);
  await store.ask('s', 'Hi', TURN);
  await store.askInstead('s', store.get('s')?.messages[0]?.id ?? '', 'Ho', TURN);
  expect(store.get('s')?.messages).toMatchObject([{ text: 'Ho' }, { reply: { text: 'Hello' } }]);
});

test('a refusal becomes part of the conversation', async () => {
  const io = new FakeIo();
  io.stream = async function* () {
    yield await Promise.reject(new ApiError(403, 'forbidden', 'Your groups may not use this model.', 'r-1'));
  };
  const store = await begun(io);
  await store.ask('s', 'Hi', TURN);
  expect(store.get('s')?.messages.at(-1)).toMatchObject({ reply: { status: 'failed', problem: { requestId: 'r-1' } } });
});

test('a failed save is told and can be repeated', async () => {
  const io = new FakeIo();
  io.saving = async () => Promise.reject(new ApiError(0, 'offline', 'No network.'));
  const store = await begun(io);
  await store.ask('s', 'Hi', TURN);
  expect(store.get('s')?.saveProblem?.detail).toBe('No network.');
  io.saving = async () => undefined;
  await store.save('s', TURN.settings);
  expect(store.get('s')?.saveProblem).toBeUndefined();
  expect(io.saves.at(-1)).toHaveLength(2);
});

test('a deleted chat is not saved again', async () => {
  const io = new FakeIo();
  io.chunks = [{ type: 'text', text: 'Hel' }, { type: 'stopped' }];
  const store = await begun(io);
  const asking = store.ask('s', 'Hi', TURN);
  await vi.waitFor(() => expect(io.saves).toHaveLength(1));
  store.forget('s');
  await asking;
  expect(io.saves).toHaveLength(1);
  expect(tab).toHaveLength(0); // else a reload would bring it back
});

test('a saved chat is loaded once', async () => {
  const io = new FakeIo();
  const load = vi.spyOn(io, 'load');
  const store = opened(io);
  await store.open('s', false);
  await store.open('s', false);
  expect(load).toHaveBeenCalledOnce();
  expect(store.get('s')?.messages).toMatchObject([{ text: 'Hi' }]);
});

test('a reload in the middle of a save loses nothing', async () => {
  const io = new FakeIo();
  io.saving = () => new Promise(() => undefined); // the reload ends the page before the answer to it
  void (await begun(io)).ask('s', 'Hi', TURN);
  await vi.waitFor(() => expect(draftsOf('ada').get('s')?.messages).toHaveLength(2));
  io.saving = async () => undefined;
  const load = vi.spyOn(io, 'load');
  const reloaded = opened(io);
  await reloaded.open('s', false);
  expect(load).not.toHaveBeenCalled();
  expect(reloaded.get('s')?.messages).toMatchObject([{ text: 'Hi' }, { reply: { text: 'Hello' } }]);
  expect(io.saves.at(-1)).toHaveLength(2);
  expect(draftsOf('ada').get('s')).toBeUndefined();
});

test('what is saved, or deleted, leaves no draft', async () => {
  const io = new FakeIo();
  const store = await begun(io);
  await store.ask('s', 'Hi', TURN);
  expect(tab).toHaveLength(0);
  io.saving = async () => Promise.reject(new ApiError(0, 'offline', 'No network.'));
  await store.ask('s', 'Still there?', TURN);
  expect(tab).toHaveLength(1);
  store.forget('s');
  expect(tab).toHaveLength(0);
});

test('drafts are of one person, and go when somebody signs out', () => {
  const drafts = draftsOf('ada');
  drafts.keep('s', { messages: [], configuration: {} });
  expect(draftsOf('bob').get('s')).toBeUndefined();
  draftsOf('bob').close();
  expect(drafts.get('s')).toBeUndefined();
});

test('an answer that ends after somebody has signed out leaves no draft', () => {
  const drafts = draftsOf('ada');
  drafts.close();
  drafts.keep('s', { messages: [], configuration: {} });
  expect(tab).toHaveLength(0);
});

test('a draft that finds no room is none, not an old one', () => {
  const drafts = draftsOf('ada');
  drafts.keep('s', { messages: [], configuration: {} });
  tab.isFull = true;
  drafts.keep('s', { messages: [{ type: 'human', content: 'new' }], configuration: {} });
  expect(drafts.get('s')).toBeUndefined();
});
