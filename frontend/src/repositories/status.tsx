import type { Collection, CollectionStatus, Repository, RepositoryStatus } from '../api/types';
import { State, type StateWords } from '../layout/state';

const REPOSITORY: Record<RepositoryStatus, StateWords> = {
  CREATE_IN_PROGRESS: { type: 'in-progress', text: 'Creating' },
  CREATE_COMPLETE: { type: 'success', text: 'Ready' },
  CREATE_FAILED: { type: 'error', text: 'Creation failed' },
  UPDATE_IN_PROGRESS: { type: 'in-progress', text: 'Updating' },
  UPDATE_COMPLETE: { type: 'success', text: 'Ready' },
  DELETE_IN_PROGRESS: { type: 'in-progress', text: 'Deleting' },
  DELETE_FAILED: { type: 'error', text: 'Deletion failed' },
};
const COLLECTION: Record<CollectionStatus, StateWords> = {
  ACTIVE: { type: 'success', text: 'Ready' },
  ARCHIVED: { type: 'stopped', text: 'Archived' },
  DELETE_IN_PROGRESS: { type: 'in-progress', text: 'Deleting' },
  DELETE_FAILED: { type: 'error', text: 'Deletion failed' },
};

export const isRepositoryUnderWay = (repository: Repository): boolean => repository.status.endsWith('_IN_PROGRESS');
export const isReady = (repository: Repository): boolean => REPOSITORY[repository.status]?.text === 'Ready';
export const isCollectionUnderWay = (collection: Collection): boolean => collection.status === 'DELETE_IN_PROGRESS';
export const nameOf = (repository: Repository): string => repository.repositoryName || repository.repositoryId;

export function RepositoryState({ repository }: { repository: Repository }) {
  return <State is={REPOSITORY[repository.status] ?? { type: 'info', text: repository.status }} reason={repository.failureReason} />;
}

export function CollectionState({ collection }: { collection: Collection }) {
  const failed = collection.status === 'DELETE_FAILED';
  return <State is={COLLECTION[collection.status]} reason={failed && collection.failureReason} />;
}
