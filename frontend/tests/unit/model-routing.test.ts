import { expect, test } from 'vitest';
import type { Model } from '../../src/api/types';
import { createOf, EMPTY_MODEL, errorsOf, formOf, updateOf } from '../../src/models/model-form';
import { factsOf } from '../../src/models/routing-facts';
import { EMPTY_ROUTING, NEW_DEPLOYMENT, NEW_GUARDRAIL, routingErrorsOf, type RoutingForm } from '../../src/models/routing-form';

const GUARDRAIL = { guardrailName: 'No secrets', guardrailIdentifier: 'abc123', guardrailVersion: '2', mode: 'pre_call' as const, allowedGroups: ['legal'], markedForDeletion: false };
const MODEL: Model = {
  modelId: 'm',
  modelName: 'openai/m',
  modelType: 'textgen',
  hostingType: 'third_party',
  modelUrl: 'https://models.example.com/v1',
  streaming: true,
  features: [],
  allowedGroups: [],
  deployments: [],
  fallbacks: ['spare'],
  pricing: { inputCostPerToken: 1.5e-7, outputCostPerToken: 6e-7 },
  maxOutputTokens: 4096,
  guardrailsConfig: { secrets: GUARDRAIL },
  status: 'InService',
};
const routed = (routing: Partial<RoutingForm>, model = MODEL) => ({ ...formOf(model), routing: { ...formOf(model).routing, ...routing } });

test('a model keeps what its form is opened and saved with', () => {
  expect(updateOf(formOf(MODEL), MODEL)).toEqual({});
});

test('prices are read per million and sent per token', () => {
  expect(formOf(MODEL).routing).toMatchObject({ inputPrice: '0.15', outputPrice: '0.6' });
  expect(updateOf(routed({ inputPrice: '0.3' }), MODEL)).toEqual({ pricing: { inputCostPerToken: 3e-7, outputCostPerToken: 6e-7 } });
});

test('emptied fields are taken away', () => {
  expect(updateOf(routed({ fallbacks: [], inputPrice: '', outputPrice: '', maxOutputTokens: '', guardrails: [] }), MODEL)).toEqual({
    fallbacks: [],
    pricing: '',
    maxOutputTokens: 0,
    guardrailsConfig: { secrets: { ...GUARDRAIL, markedForDeletion: true } },
  });
});

test('a new guardrail gets a key of its own, a changed one keeps its', () => {
  const [old] = formOf(MODEL).routing.guardrails;
  const added = { ...NEW_GUARDRAIL, name: 'Secrets!', identifier: 'xyz' };
  const model = { ...MODEL, guardrailsConfig: { 'secrets-': GUARDRAIL, secrets: GUARDRAIL } };
  expect(updateOf(routed({ guardrails: [{ ...old!, version: '3' }, added] }), MODEL).guardrailsConfig).toMatchObject({
    secrets: { guardrailVersion: '3' },
    'secrets-': { guardrailName: 'Secrets!', guardrailVersion: 'DRAFT', allowedGroups: [] },
  });
  const change = updateOf(routed({ guardrails: [...formOf(model).routing.guardrails, added] }, model), model);
  expect(Object.keys(change.guardrailsConfig ?? {})).toEqual(['secrets--2']);
});

test('a model with deployments has no endpoint of its own', () => {
  const deployments = [{ modelId: 'a', weight: '3' }, { ...NEW_DEPLOYMENT, modelId: 'b' }];
  const form = { ...EMPTY_MODEL, modelId: 'both', modelName: 'openai/x', modelUrl: 'https://x/v1', apiKey: 'k', routing: { ...EMPTY_ROUTING, deployments } };
  expect(errorsOf({ ...form, modelName: '', modelUrl: 'nowhere' })).toEqual({});
  const sent = createOf(form);
  expect(sent.deployments).toEqual([{ modelId: 'a', weight: 3 }, { modelId: 'b', weight: 1 }]);
  for (const field of ['modelName', 'modelUrl', 'apiKey', 'fallbacks', 'pricing', 'guardrailsConfig']) expect(sent).not.toHaveProperty(field);
  expect(updateOf(routed({ deployments }), MODEL)).toMatchObject({ modelUrl: '', apiKey: '' });
});

test('a model that loses its deployments needs a name again', () => {
  const model = { ...MODEL, modelName: 'lisa/deployments', modelUrl: null, deployments: [{ modelId: 'a', weight: 1 }] };
  expect(errorsOf(formOf(model))).toEqual({});
  expect(Object.keys(errorsOf(routed({ deployments: [] }, model)))).toEqual(['modelName']);
});

test('what is wrong is told at its field', () => {
  const errors = routingErrorsOf({
    deployments: [{ modelId: 'a', weight: '0' }, { modelId: 'a', weight: '1' }, NEW_DEPLOYMENT],
    fallbacks: ['1', '2', '3', '4', '5', '6'],
    inputPrice: 'cheap',
    outputPrice: '',
    maxOutputTokens: '-1',
    guardrails: [{ ...NEW_GUARDRAIL, name: 'x', identifier: 'not an id', version: '0' }],
  });
  expect(errors.deployments?.map((each) => Object.keys(each))).toEqual([['weight'], ['modelId'], ['modelId']]);
  expect(Object.keys(errors.guardrails?.[0] ?? {})).toEqual(['identifier', 'version']);
  expect(errors).toMatchObject({ fallbacks: 'Choose 5 at most.', outputPrice: expect.stringContaining('both') });
  expect(Object.keys(errors)).toEqual(['deployments', 'fallbacks', 'inputPrice', 'outputPrice', 'maxOutputTokens', 'guardrails']);
});

test('a card tells it in words', () => {
  expect(factsOf({ ...MODEL, deployments: [{ modelId: 'a', weight: 3 }, { modelId: 'b', weight: 1 }], fallbacks: ['c', 'd'] })).toEqual([
    ['Answered by', 'a (75 %), b (25 %)'],
    ['When it fails', 'c, then d'],
    ['Price per million tokens', '$0.15 in, $0.6 out'],
    ['Longest answer', '4,096 tokens'],
    ['Guardrails', 'No secrets (before the call)'],
  ]);
  expect(factsOf({})).toEqual([]);
});
