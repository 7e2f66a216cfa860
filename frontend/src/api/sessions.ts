import { request, segment } from './client';
import type { SessionConfiguration, SessionSummary, StoredMessage, StoredSession } from './types';

export const listSessions = (): Promise<SessionSummary[]> => request('GET', 'session');

export const getSession = (sessionId: string): Promise<StoredSession> => request('GET', `session/${segment(sessionId)}`);

export const saveSession = (sessionId: string, messages: StoredMessage[], configuration: SessionConfiguration): Promise<unknown> =>
  request('PUT', `session/${segment(sessionId)}`, { json: { messages, configuration } });

export const renameSession = (sessionId: string, name: string): Promise<unknown> =>
  request('PUT', `session/${segment(sessionId)}/name`, { json: { name } });

export const deleteSession = (sessionId: string): Promise<unknown> => request('DELETE', `session/${segment(sessionId)}`);

export const deleteAllSessions = (): Promise<unknown> => request('DELETE', 'session');
