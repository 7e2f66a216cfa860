/** What the pages share: the stores, the person, this deployment's settings. */
import { createContext, useContext } from 'react';
import type { Config } from './api/config';
import type { Person } from './auth/person';
import type { ChatStore } from './chat/chat-store';
import type { UploadStore } from './uploads/upload-store';

export interface Services {
  config: Config;
  person: Person;
  chat: ChatStore;
  uploads: UploadStore;
  signOut(): void;
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error('ServicesContext is missing');
  return services;
}
