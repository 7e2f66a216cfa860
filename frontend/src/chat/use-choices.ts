/** The models, repositories and collections to choose from, and what is in effect of a chat's settings. */
import { useQuery } from '@tanstack/react-query';
import { globalConfiguration } from '../api/configuration';
import { listModels } from '../api/models';
import { listCollections, listRepositories } from '../api/repositories';
import type { Collection, Model, Repository } from '../api/types';
import type { ChatSettings } from './conversation';
import { chatModels, modelFor } from './model-choice';
import { rememberedModel } from './preferences';

export interface Choices {
  models: Model[];
  repositories: Repository[];
  collections: Collection[];
  model?: Model;
  repository?: Repository;
  /** The settings without what does not exist any more. */
  settings: ChatSettings;
  isLoading: boolean;
  error: unknown;
  reload(): void;
}

const READY = new Set(['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_IN_PROGRESS']);

export function useChoices(wanted: ChatSettings): Choices {
  const models = useQuery({ queryKey: ['models'], queryFn: ({ signal }) => listModels(signal) });
  const repositories = useQuery({ queryKey: ['repositories'], queryFn: listRepositories });
  const configuration = useQuery({ queryKey: ['configuration'], queryFn: globalConfiguration, staleTime: 3_600_000 });
  const ready = (repositories.data ?? []).filter((each) => READY.has(each.status));
  const repository = ready.find((each) => each.repositoryId === wanted.repositoryId);
  const collections = useQuery({
    queryKey: ['collections', repository?.repositoryId],
    queryFn: () => listCollections(repository?.repositoryId ?? ''),
    enabled: repository !== undefined,
  });
  const usable = (collections.data ?? []).filter((each) => each.status === 'ACTIVE');
  const collection = collections.data ? usable.find((each) => each.collectionId === wanted.collection?.collectionId) : wanted.collection;
  const model = modelFor(
    models.data ?? [],
    repository !== undefined,
    wanted.modelId ?? rememberedModel(repository !== undefined),
    configuration.data?.global?.defaultModel,
  );
  return {
    models: chatModels(models.data ?? []),
    repositories: ready,
    collections: usable,
    model,
    repository,
    settings: {
      topK: wanted.topK,
      ...(model ? { modelId: model.modelId } : {}),
      ...(repository ? { repositoryId: repository.repositoryId } : {}),
      ...(repository && collection ? { collection: { collectionId: collection.collectionId, name: collection.name } } : {}),
    },
    isLoading: models.isPending || repositories.isPending,
    error: models.error ?? repositories.error,
    reload: () => {
      void models.refetch();
      void repositories.refetch();
    },
  };
}
