/** A page with everything around it that it needs, and an API that answers from a table. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { MemoryRouter, Route, Routes } from 'react-router';
import { vi } from 'vitest';
import { identifyWith } from '../../src/api/client';
import { streamReply } from '../../src/api/chat';
import { configOf } from '../../src/api/config';
import { getDocument, ingest, listJobs, presignedPost, putFile, retryDocument } from '../../src/api/documents';
import { getSession, saveSession } from '../../src/api/sessions';
import type { Person } from '../../src/auth/person';
import { ChatStore } from '../../src/chat/chat-store';
import { Drafts } from '../../src/chat/drafts';
import { defaultSettings } from '../../src/chat/preferences';
import { NoticeBar, NoticesProvider } from '../../src/layout/notices';
import { ServicesContext } from '../../src/services';
import { UploadStore } from '../../src/uploads/upload-store';

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}

type Answer = unknown | ((call: Call) => unknown);
export const refusal = (status: number, message: string) => new Response(JSON.stringify({ code: 'x', message, requestId: 'r-42' }), { status });

/** `answers`: "GET models" → a body, a Response, or a function of the call. Returns the calls, as they come. */
export function api(answers: Record<string, Answer>): Call[] {
  const calls: Call[] = [];
  identifyWith({ token: async () => 'token', rejected: () => undefined });
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const call: Call = {
      method: init.method ?? 'GET',
      path: new URL(url).pathname.slice(1),
      query: new URL(url).searchParams,
      body: typeof init.body === 'string' && init.body.startsWith('{') ? JSON.parse(init.body) : init.body,
    };
    calls.push(call);
    const answer = answers[`${call.method} ${call.path}`];
    const body = typeof answer === 'function' ? (answer as (call: Call) => unknown)(call) : answer;
    if (body instanceof Response) return body.clone();
    return body === undefined ? refusal(404, `no answer for ${call.method} ${call.path}`) : new Response(JSON.stringify(body));
  });
  return calls;
}

const CONFIG = configOf({ authority: 'https://idp', clientId: 'c', redirectUri: 'https://lisa/' });
const USER: Person = { username: 'ada', displayName: 'Ada', isAdmin: false, isRagAdmin: false, mayIssueTokens: false };
export const ADMIN: Person = { ...USER, isAdmin: true, isRagAdmin: true, mayIssueTokens: true };

export function show(page: ReactNode, { person = USER, path = '/', route = '*' }: { person?: Person; path?: string; route?: string } = {}) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const services = {
    config: CONFIG,
    person,
    signOut: () => undefined,
    chat: new ChatStore(
      { stream: streamReply, load: getSession, save: saveSession, saved: () => undefined, defaults: defaultSettings },
      new Drafts(person.username),
    ),
    uploads: new UploadStore({ presign: presignedPost, put: putFile, ingest, jobs: listJobs, document: getDocument, retry: retryDocument, finished: () => undefined }),
  };
  render(
    <QueryClientProvider client={client}>
      <ServicesContext value={services}>
        <NoticesProvider>
          <NoticeBar />
          <MemoryRouter initialEntries={[path]}>
            <Routes>
              <Route path={route} element={page} />
            </Routes>
          </MemoryRouter>
        </NoticesProvider>
      </ServicesContext>
    </QueryClientProvider>,
  );
  return services;
}
