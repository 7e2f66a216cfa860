import { expect, test } from 'vitest';
import type { Model, SessionSummary } from '../../src/api/types';
import { chatModels, modelFor } from '../../src/chat/model-choice';
import { sessionGroups, titleOf } from '../../src/chat/session-groups';
import { createOf, EMPTY_MODEL, errorsOf, formOf, updateOf } from '../../src/models/model-form';

const NOW = new Date(2026, 10, 23, 12);
const session = (sessionId: string, hoursAgo: number, name?: string): SessionSummary =>
  ({
  sessionId,
  name: name ?? null,
  firstHumanMessage: `question ${sessionId}`,
  lastUpdated: new Date(NOW.getTime() - hoursAgo * 3_600_000).toISOString(),
  }) as SessionSummary;
const model = (modelId: string, change: Partial<Model> = {}): Model => ({
  modelId,
  modelName: `openai/${modelId}`,
  modelType: 'textgen',
  hostingType: 'third_party',
  streaming: true,
  features: [],
  allowedGroups: [],
  deployments: [],
  fallbacks: [],
  guardrailsConfig: {},
  status: 'InService',
  ...change,
});
const MODELS = [model('smollm2'), model('extractive'), model('minilm', { modelType: 'embedding' }), model('broken', { status: 'Failed' })];

test('sessions are grouped by time, newest first', () => {
  const groups = sessionGroups([session('old', 24 * 70), session('a', 2), session('b', 1), session('y', 20), session('w', 24 * 5), session('m', 24 * 20)], NOW);
  expect(groups.map((group) => [group.label, group.sessions.map((each) => each.sessionId)])).toEqual([
    ['Today', ['b', 'a']],
    ['Yesterday', ['y']],
    ['Previous 7 days', ['w']],
    ['Previous 30 days', ['m']],
    ['September 2026', ['old']],
  ]);
});

test('search looks at names and first questions, word by word', () => {
  const all = [session('1', 1, 'Travel rules'), session('2', 1)];
  expect(sessionGroups(all, NOW, 'rules TRAVEL')[0]?.sessions.map((each) => each.sessionId)).toEqual(['1']);
  expect(sessionGroups(all, NOW, 'question 2')[0]?.sessions.map((each) => each.sessionId)).toEqual(['2']);
  expect(sessionGroups(all, NOW, 'nothing')).toEqual([]);
});

test('a session without words has a title all the same', () => {
  expect(titleOf({ sessionId: 's' } as SessionSummary)).toBe('New chat');
});

test('grounded chat quotes, plain chat writes, a choice wins', () => {
  expect(modelFor(MODELS, true)?.modelId).toBe('extractive');
  expect(modelFor(MODELS, false)?.modelId).toBe('smollm2');
  expect(modelFor(MODELS, true, 'smollm2')?.modelId).toBe('smollm2');
  expect(modelFor(MODELS, false, 'gone', 'extractive')?.modelId).toBe('extractive');
  expect(modelFor([], false)).toBeUndefined();
});

test('only text models in service are offered', () => {
  expect(chatModels(MODELS).map((each) => each.modelId)).toEqual(['extractive', 'smollm2']);
});

test('a model form says what is wrong with it', () => {
  expect(Object.keys(errorsOf({ ...EMPTY_MODEL, modelId: '-x', modelUrl: 'nowhere', contextWindow: '0' }))).toEqual(['modelId', 'modelName', 'modelUrl', 'contextWindow']);
  expect(errorsOf({ ...EMPTY_MODEL, modelId: 'x', modelName: 'openai/x' })).toEqual({});
});

test('an embedding model is never sent as streaming', () => {
  expect(createOf({ ...EMPTY_MODEL, modelId: 'e', modelName: 'openai/e', modelType: 'embedding' })).toMatchObject({ streaming: false, allowedGroups: [] });
});

test('an edit sends only what changed', () => {
  const before = model('m', { modelDescription: 'Old', allowedGroups: ['a', 'b'] });
  expect(updateOf(formOf(before), before)).toEqual({});
  expect(updateOf({ ...formOf(before), modelDescription: 'New', groups: 'a' }, before)).toEqual({ modelDescription: 'New', allowedGroups: ['a'] });
});
