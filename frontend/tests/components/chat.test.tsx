import { screen, waitFor } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { expect, test } from 'vitest';
import ChatPage from '../../src/chat/chat-page';
import { api, refusal, show } from './render';

const MODEL = { modelId: 'smollm2', modelName: 'openai/smollm2', modelType: 'textgen', streaming: true, status: 'InService', modelDescription: 'A very small model.' };
const EXTRACTIVE = { ...MODEL, modelId: 'extractive', modelDescription: 'Quotes passages.' };
const BASE = { 'GET models': { models: [MODEL, EXTRACTIVE] }, 'GET repository': [], 'GET configuration': [], 'GET session': [] };
const CITATION = { number: 1, documentId: 'd', documentName: 'handbook.pdf', repositoryId: 'demo', collectionId: 'c', page: 12, headings: ['Leave'], text: '28 days.', source: '' };

const stream = (...bodies: unknown[]) =>
  new Response(bodies.map((body) => `data: ${JSON.stringify(body)}\n\n`).join('') + 'data: [DONE]\n\n', { headers: { 'content-type': 'text/event-stream' } });
const word = (content: string) => ({ choices: [{ delta: { content }, finish_reason: null }] });
const savesNothing = () => ({ message: 'ok' });

const answer = (text: string) => screen.findByText(text, { selector: '.answer *' }); // a live region holds it as well

async function ask(text: string): Promise<void> {
  await screen.findByText(/A very small model|Quotes passages/);
  await userEvent.type(screen.getByRole('textbox', { name: 'Question' }), `${text}{Enter}`);
}

test('a question is sent with Enter, answered, and saved', async () => {
  const calls = api({ ...BASE, 'POST v1/chat/completions': () => stream(word('Hello'), word(' there')) });
  show(<ChatPage />, { route: '/chat?/:sessionId?', path: '/chat' });
  await ask('Hi');
  expect(await answer('Hello there')).toBeVisible();
  expect(calls.find((call) => call.method === 'POST')?.body).toMatchObject({ model: 'smollm2', stream: true, messages: [{ role: 'user', content: 'Hi' }] });
  await waitFor(() => expect(calls.filter((call) => call.method === 'PUT')).toHaveLength(2));
});

test('Shift+Enter makes a new line', async () => {
  const calls = api(BASE);
  show(<ChatPage />, { route: '/chat?/:sessionId?', path: '/chat' });
  await screen.findByText(/A very small model/);
  const input = screen.getByRole('textbox', { name: 'Question' });
  await userEvent.type(input, 'one{Shift>}{Enter}{/Shift}two');
  expect(input).toHaveValue('one\ntwo');
  expect(calls.some((call) => call.method === 'POST')).toBe(false);
});

test('a refused question says why, with the request id, and can be tried again', async () => {
  let refused = true;
  api({ ...BASE, 'POST v1/chat/completions': () => (refused ? refusal(403, 'Your groups may not use this model.') : stream(word('Now it works'))) });
  show(<ChatPage />, { route: '/chat?/:sessionId?', path: '/chat' });
  await ask('Hi');
  expect(await screen.findByText('Your groups may not use this model.')).toBeVisible();
  expect(screen.getByText(/r-42/)).toBeVisible();
  refused = false;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await answer('Now it works')).toBeVisible();
});

test('a question over a limit says when it can be asked again, and where the limit is shown', async () => {
  const limited = (code: string, retryAfter: number) =>
    new Response(JSON.stringify({ error: { message: 'You may send 5 requests per minute.', type: 'rate_limit_error', code } }), { status: 429, headers: { 'retry-after': String(retryAfter) } });
  let code = 'rate_limit_exceeded';
  api({ ...BASE, 'POST v1/chat/completions': () => limited(code, code === 'budget_exceeded' ? 400_000 : 37) });
  show(<ChatPage />, { route: '/chat?/:sessionId?', path: '/chat' });
  await ask('Hi');
  expect(await screen.findByText('You may send 5 requests per minute.')).toBeVisible();
  expect(screen.getByRole('button', { name: /^Try again in \d+ s$/ })).toBeDisabled();
  expect(screen.getByRole('link', { name: 'See My usage' })).toHaveAttribute('href', '#/my-usage');
  code = 'budget_exceeded';
  await ask('And now?');
  expect(await screen.findByText('The budget does not allow this')).toBeVisible();
  expect(screen.getByText(/Possible again on \d+ \w+ at \d\d:\d\d/)).toBeVisible();
  expect(screen.getByRole('button', { name: 'Try again' })).toBeEnabled(); // another model may be cheaper, or free
});

test('a saved chat is restored with its citations as buttons', async () => {
  api({
    ...BASE,
    'GET session/s1': {
      sessionId: 's1',
      history: [
        { type: 'human', content: 'How many days?' },
        { type: 'ai', content: 'You have 28 days [1].', metadata: { citations: [CITATION] } },
      ],
      configuration: { ragConfig: { repositoryId: 'gone' }, selectedModel: { modelId: 'smollm2' } },
    },
  });
  show(<ChatPage />, { route: '/chat?/:sessionId?', path: '/chat/s1' });
  expect(await screen.findByText('How many days?')).toBeVisible();
  expect(await screen.findByRole('button', { name: 'Source 1' })).toBeVisible();
  expect(screen.getByText('Page 12 › Leave')).toBeVisible();
});

test('a chat that is gone says so', async () => {
  api({ ...BASE, 'GET session/s1': () => refusal(404, 'There is no such session.') });
  show(<ChatPage />, { route: '/chat?/:sessionId?', path: '/chat/s1' });
  expect(await screen.findByText('There is no such session.')).toBeVisible();
});

test('a question that was never answered can be answered now', async () => {
  api({
    ...BASE,
    'GET session/s1': { sessionId: 's1', history: [{ type: 'human', content: 'Why?' }] },
    'PUT session/s1': savesNothing,
    'POST v1/chat/completions': () => stream(word('Because.')),
  });
  show(<ChatPage />, { route: '/chat?/:sessionId?', path: '/chat/s1' });
  await userEvent.click(await screen.findByRole('button', { name: 'Answer now' }));
  expect(await answer('Because.')).toBeVisible();
});

test('without any model the page says what is missing', async () => {
  api({ ...BASE, 'GET models': { models: [] } });
  show(<ChatPage />, { route: '/chat?/:sessionId?', path: '/chat' });
  expect(await screen.findByText(/No model is in service/)).toBeVisible();
});

test('with a repository the extractive model is the default and the search goes along', async () => {
  localStorage.setItem('lisa.chat', JSON.stringify({ repositoryId: 'demo' }));
  const calls = api({
    ...BASE,
    'GET repository': [{ repositoryId: 'demo', repositoryName: 'Demo', type: 'pgvector', status: 'CREATE_COMPLETE' }],
    'GET repository/demo/collection': { collections: [] },
    'POST v1/chat/completions': () => stream({ ...word(''), lisa: { citations: [CITATION] } }, word('28 days [1]')),
  });
  show(<ChatPage />, { route: '/chat?/:sessionId?', path: '/chat' });
  await screen.findByText(/Answers come from “Demo”/);
  await ask('How many days?');
  expect(await screen.findByRole('button', { name: 'Source 1' })).toBeVisible();
  expect(calls.find((call) => call.path === 'v1/chat/completions')?.body).toMatchObject({ model: 'extractive', lisa: { repositoryId: 'demo', topK: 5 } });
});
