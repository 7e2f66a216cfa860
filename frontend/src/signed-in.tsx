/** Everything behind the sign-in: query cache, stores, routes. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useMemo, useState } from 'react';
import { HashRouter, Navigate, Route, Routes } from 'react-router';
import { streamReply } from './api/chat';
import type { Config } from './api/config';
import { getDocument, ingest, listJobs, presignedPost, putFile, retryDocument } from './api/documents';
import { ApiError } from './api/errors';
import { getSession, saveSession } from './api/sessions';
import { personOf } from './auth/person';
import ChatPage from './chat/chat-page';
import { ChatStore } from './chat/chat-store';
import { Drafts } from './chat/drafts';
import { defaultSettings } from './chat/preferences';
import { NoticesProvider } from './layout/notices';
import { Loading } from './layout/page-states';
import { Shell } from './layout/shell';
import { ServicesContext, type Services } from './services';
import { UploadStore } from './uploads/upload-store';

const pages = () => import('./pages');
const DocumentsPage = lazy(async () => ({ default: (await pages()).DocumentsPage }));
const ModelsPage = lazy(async () => ({ default: (await pages()).ModelsPage }));
const RepositoriesPage = lazy(async () => ({ default: (await pages()).RepositoriesPage }));
const RepositoryPage = lazy(async () => ({ default: (await pages()).RepositoryPage }));
const TokensPage = lazy(async () => ({ default: (await pages()).TokensPage }));
const NotFoundPage = lazy(async () => ({ default: (await pages()).NotFoundPage }));

const usagePages = () => import('./usage-pages');
const MyUsagePage = lazy(async () => ({ default: (await usagePages()).MyUsagePage }));
const UsagePage = lazy(async () => ({ default: (await usagePages()).UsagePage }));
const UserUsagePage = lazy(async () => ({ default: (await usagePages()).UserUsagePage }));

const MAX_RETRIES = 2;

function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (count, error) => count < MAX_RETRIES && error instanceof ApiError && error.isTransient,
      },
      mutations: { retry: false },
    },
  });
}

export default function SignedIn({ config, claims, onSignOut }: { config: Config; claims: Record<string, unknown>; onSignOut: () => Promise<void> }) {
  const [client] = useState(newQueryClient);
  const services = useMemo<Services>(() => {
    const refresh = (key: string) => void client.invalidateQueries({ queryKey: [key] });
    const person = personOf(claims, config);
    const drafts = new Drafts(person.username);
    return {
      config,
      person,
      chat: new ChatStore(
        { stream: streamReply, load: getSession, save: saveSession, defaults: defaultSettings, saved: () => refresh('sessions') },
        drafts,
      ),
      uploads: new UploadStore({
        presign: presignedPost,
        put: putFile,
        ingest,
        jobs: listJobs,
        document: getDocument,
        retry: retryDocument,
        finished: () => refresh('documents'),
      }),
      signOut: () => {
        drafts.close();
        void onSignOut();
      },
    };
  }, [client, config, claims, onSignOut]);
  return (
    <QueryClientProvider client={client}>
      <ServicesContext value={services}>
        <NoticesProvider>
          <HashRouter>
            <Shell>
              <Suspense fallback={<Loading what="Loading the page" />}>
                <Routes>
                  <Route path="/" element={<Navigate to="/chat" replace />} />
                  <Route path="/chat/:sessionId?" element={<ChatPage />} />
                  <Route path="/documents/:repositoryId?/:collectionId?" element={<DocumentsPage />} />
                  <Route path="/models" element={<ModelsPage />} />
                  <Route path="/repositories" element={<RepositoriesPage />} />
                  <Route path="/repositories/:repositoryId" element={<RepositoryPage />} />
                  <Route path="/api-tokens" element={<TokensPage />} />
                  <Route path="/my-usage" element={<MyUsagePage />} />
                  <Route path="/usage" element={<UsagePage />} />
                  <Route path="/usage/:username" element={<UserUsagePage />} />
                  <Route path="*" element={<NotFoundPage />} />
                </Routes>
              </Suspense>
            </Shell>
          </HashRouter>
        </NoticesProvider>
      </ServicesContext>
    </QueryClientProvider>
  );
}
