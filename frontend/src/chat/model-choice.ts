/** Which model answers, when nobody or somebody has chosen one. */
import type { Model } from '../api/types';

const EXTRACTIVE = 'extractive';

export const chatModels = (models: Model[]): Model[] =>
  models.filter((model) => model.modelType === 'textgen' && model.status === 'InService').sort((a, b) => a.modelId.localeCompare(b.modelId));

/** Grounded chat defaults to the extractive model, which quotes instead of inventing; plain chat to one that writes. */
export function modelFor(models: Model[], grounded: boolean, chosenId?: string, defaultId?: string | null): Model | undefined {
  const usable = chatModels(models);
  const byId = (id: string | null | undefined): Model | undefined => usable.find((model) => model.modelId === id);
  if (byId(chosenId)) return byId(chosenId);
  if (grounded && byId(EXTRACTIVE)) return byId(EXTRACTIVE);
  return byId(defaultId) ?? usable.find((model) => model.modelId !== EXTRACTIVE) ?? usable[0];
}
