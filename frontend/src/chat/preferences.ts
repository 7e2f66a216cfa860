/** What somebody chose last, remembered in this browser. Grounded and plain chat each remember their own model. */
import { DEFAULT_TOP_K, type ChatSettings } from './conversation';

const KEY = 'lisa.chat';

interface Preferences {
  plainModelId?: string;
  groundedModelId?: string;
  repositoryId?: string;
  collection?: { collectionId: string; name: string };
}

export function preferences(): Preferences {
  try {
    const saved: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof saved === 'object' && saved !== null ? saved : {};
  } catch {
    return {};
  }
}

export function remember(change: Preferences): void {
  localStorage.setItem(KEY, JSON.stringify({ ...preferences(), ...change }));
}

export function defaultSettings(): ChatSettings {
  const { repositoryId, collection } = preferences();
  return { topK: DEFAULT_TOP_K, ...(repositoryId ? { repositoryId, ...(collection ? { collection } : {}) } : {}) };
}

export const rememberedModel = (grounded: boolean): string | undefined =>
  grounded ? preferences().groundedModelId : preferences().plainModelId;

export const rememberModel = (grounded: boolean, modelId: string): void =>
  remember(grounded ? { groundedModelId: modelId } : { plainModelId: modelId });
