import { screen, waitFor, within } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { SignInPage } from '../../src/auth/sign-in-page';
import { SessionList } from '../../src/chat/session-list';
import DocumentsPage from '../../src/documents/documents-page';
import ModelsPage from '../../src/models/models-page';
import RepositoriesPage from '../../src/repositories/repositories-page';
import TokensPage from '../../src/tokens/tokens-page';
import { ADMIN, api, refusal, show } from './render';

const MODEL = { modelId: 'm1', modelName: 'openai/m1', modelType: 'textgen', streaming: true, status: 'InService' };
const SESSIONS = [
  { sessionId: 's1', firstHumanMessage: 'About leave', lastUpdated: new Date().toISOString() },
  { sessionId: 's2', firstHumanMessage: 'About travel', lastUpdated: new Date().toISOString() },
];

test('a person sees models but not how to change them', async () => {
  api({ 'GET models': { models: [{ ...MODEL, status: 'Failed', failureReason: 'The key was refused.' }] } });
  show(<ModelsPage />);
  expect(await screen.findByText('m1')).toBeVisible();
  expect(screen.getByText('The key was refused.')).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Add model' })).toBeNull();
});

test('a list that cannot be loaded says so and can be loaded again', async () => {
  let broken = true;
  api({ 'GET models': () => (broken ? refusal(500, 'Something went wrong on our side.') : { models: [MODEL] }) });
  show(<ModelsPage />);
  expect(await screen.findByText('Something went wrong on our side.')).toBeVisible();
  broken = false;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('m1')).toBeVisible();
});

test('an admin adds a model, after the form has been put right', async () => {
  const calls = api({ 'GET models': { models: [] }, 'POST models': { model: { ...MODEL, status: 'Creating' } } });
  show(<ModelsPage />, { person: ADMIN });
  expect(await screen.findByText('There are no models yet.')).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Add model' }));
  const dialog = await screen.findByRole('dialog');
  const add = () => userEvent.click(within(dialog).getByRole('button', { name: 'Add model' }));
  await add();
  expect(within(dialog).getByText(/Name the model as its provider does/)).toBeVisible();
  await userEvent.type(within(dialog).getByLabelText('Model id'), 'm1');
  await userEvent.type(within(dialog).getByLabelText("Provider's model name"), 'openai/m1');
  await add();
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(calls.find((call) => call.method === 'POST')?.body).toEqual({
    modelId: 'm1',
    modelName: 'openai/m1',
    modelType: 'textgen',
    hostingType: 'third_party',
    streaming: true,
    allowedGroups: [],
  });
});

test('a refused creation stays in its dialog', async () => {
  api({ 'GET models': { models: [] }, 'POST models': () => refusal(409, 'A model m1 exists already.') });
  show(<ModelsPage />, { person: ADMIN });
  await userEvent.click(await screen.findByRole('button', { name: 'Add model' }));
  const dialog = await screen.findByRole('dialog');
  await userEvent.type(within(dialog).getByLabelText('Model id'), 'm1');
  await userEvent.type(within(dialog).getByLabelText("Provider's model name"), 'openai/m1');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Add model' }));
  expect(await within(dialog).findByText('A model m1 exists already.')).toBeVisible();
  expect(within(dialog).getByLabelText('Model id')).toHaveValue('m1');
});

test('an admin makes a model out of others, with a guardrail', async () => {
  const calls = api({ 'GET models': { models: [MODEL, { ...MODEL, modelId: 'm2' }] }, 'POST models': { model: MODEL } });
  show(<ModelsPage />, { person: ADMIN });
  await userEvent.click(await screen.findByRole('button', { name: 'Add model' }));
  const dialog = within(await screen.findByRole('dialog'));
  await userEvent.type(dialog.getByLabelText('Model id'), 'both');
  await userEvent.click(dialog.getByRole('button', { name: /^Routing, price and guardrails/ }));
  await userEvent.click(dialog.getByRole('button', { name: 'Add deployment' }));
  expect(dialog.queryByLabelText("Provider's model name")).toBeNull();
  await userEvent.click(dialog.getByRole('button', { name: 'Add model' }));
  expect(dialog.getByText('Choose a model, or remove this line.')).toBeVisible();
  await userEvent.click(dialog.getByRole('button', { name: /^Model Choose a model/ }));
  await userEvent.click(await screen.findByRole('option', { name: 'm2' }));
  await userEvent.clear(dialog.getByRole('textbox', { name: 'Weight' }));
  await userEvent.type(dialog.getByRole('textbox', { name: 'Weight' }), '3');
  await userEvent.click(dialog.getByRole('button', { name: 'Add guardrail' }));
  await userEvent.type(dialog.getByRole('textbox', { name: 'Name' }), 'No secrets');
  await userEvent.type(dialog.getByRole('textbox', { name: 'Identifier' }), 'abc123');
  await userEvent.click(dialog.getByRole('button', { name: 'Add model' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(calls.find((call) => call.method === 'POST')?.body).toEqual({
    modelId: 'both',
    modelType: 'textgen',
    hostingType: 'third_party',
    streaming: true,
    allowedGroups: [],
    deployments: [{ modelId: 'm2', weight: 3 }],
    guardrailsConfig: {
      'no-secrets': { guardrailName: 'No secrets', guardrailIdentifier: 'abc123', guardrailVersion: 'DRAFT', mode: 'pre_call', allowedGroups: [], markedForDeletion: false },
    },
  });
});

test('a model tells who answers for it and what it costs', async () => {
  const pricing = { inputCostPerToken: 1e-6, outputCostPerToken: 2e-6 };
  api({ 'GET models': { models: [{ ...MODEL, deployments: [{ modelId: 'a', weight: 1 }], fallbacks: ['b'], pricing }] } });
  show(<ModelsPage />);
  expect(await screen.findByText('a (100 %)')).toBeVisible();
  expect(screen.getByText('$1 in, $2 out')).toBeVisible();
});

test('a repository is created with the embedding model there is', async () => {
  const calls = api({
    'GET repository': [],
    'GET models': { models: [{ ...MODEL, modelId: 'minilm', modelType: 'embedding' }] },
    'POST repository': { status: 'success' },
  });
  show(<RepositoriesPage />, { person: ADMIN });
  await userEvent.click(await screen.findByRole('button', { name: 'Create repository' }));
  const dialog = await screen.findByRole('dialog');
  await within(dialog).findByText('minilm');
  await userEvent.type(within(dialog).getByLabelText('Repository id'), 'books');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Create repository' }));
  await waitFor(() =>
    expect(calls.find((call) => call.method === 'POST')?.body).toEqual({ repositoryId: 'books', embeddingModelId: 'minilm', type: 'pgvector', allowedGroups: [] }),
  );
});

test('people without the API group see why they may not create tokens', async () => {
  api({ 'GET api-tokens': { tokens: [] } });
  show(<TokensPage />);
  expect(await screen.findByText(/membership of the group “api”/)).toBeVisible();
  expect(await screen.findByRole('button', { name: 'Create token' })).toBeDisabled();
});

test('a new token is shown once', async () => {
  api({ 'GET api-tokens': { tokens: [] }, 'POST api-tokens': { token: 'abc123', tokenUUID: 't', name: 'script', tokenExpiration: 1 } });
  show(<TokensPage />, { person: ADMIN });
  await userEvent.click(await screen.findByRole('button', { name: 'Create token' }));
  const dialog = await screen.findByRole('dialog');
  await userEvent.type(within(dialog).getByLabelText('Name'), 'script');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Create token' }));
  expect(await screen.findByText('abc123')).toBeVisible();
});

test('documents show their state, and a failed one its reason', async () => {
  const document = { document_id: 'd', repository_id: 'demo', collection_id: 'c', document_name: 'locked.pdf', source: '', username: 'ada', upload_date: 0, chunks: 0, status: 'INGESTION_FAILED', stage: 'parsing', error_message: 'The file is encrypted.' };
  api({
    'GET repository': [{ repositoryId: 'demo', repositoryName: 'Demo', type: 'pgvector', status: 'CREATE_COMPLETE' }],
    'GET repository/demo/collection': { collections: [{ collectionId: 'c', repositoryId: 'demo', name: 'C', status: 'ACTIVE' }] },
    'GET repository/demo/document': { documents: [document], hasNextPage: false, totalDocuments: 1 },
  });
  show(<DocumentsPage />, { route: '/documents/:repositoryId?/:collectionId?', path: '/documents/demo/c' });
  expect(await screen.findByText('locked.pdf')).toBeVisible();
  expect(screen.getByText('The file is encrypted.')).toBeVisible();
});

test('a chat is deleted only after the question whether it should be', async () => {
  const calls = api({ 'GET session': SESSIONS, 'DELETE session/s1': { deleted: true } });
  show(<SessionList />, { path: '/chat' });
  await screen.findByRole('link', { name: 'About leave' });
  await userEvent.click(screen.getByRole('button', { name: 'Actions for About leave' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Delete' }));
  expect(calls.some((call) => call.method === 'DELETE')).toBe(false);
  await userEvent.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Delete' }));
  await waitFor(() => expect(calls.some((call) => call.path === 'session/s1')).toBe(true));
});

test('a chat is renamed', async () => {
  const calls = api({ 'GET session': SESSIONS, 'PUT session/s2/name': { message: 'ok' } });
  show(<SessionList />, { path: '/chat' });
  await userEvent.click(await screen.findByRole('button', { name: 'Actions for About travel' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Rename' }));
  const dialog = await screen.findByRole('dialog');
  const name = within(dialog).getByLabelText('Name');
  await userEvent.clear(name);
  await userEvent.type(name, 'Trips');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Rename' }));
  await waitFor(() => expect(calls.find((call) => call.method === 'PUT')?.body).toEqual({ name: 'Trips' }));
});

test('an ended session is explained, and signing in can fail gently', async () => {
  const begin = vi.fn().mockRejectedValue(new Error('network'));
  show(<SignInPage reason="Your session has ended." onSignIn={begin} />);
  expect(screen.getByText('Your session has ended.')).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));
  expect(await screen.findByText('The sign-in service cannot be reached')).toBeVisible();
});
