import Box from '@cloudscape-design/components/box';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import type { Collection, Repository, RepositoryStatus } from '../api/types';

const REPOSITORY: Record<RepositoryStatus, { type: StatusIndicatorProps.Type; text: string }> = {
  CREATE_IN_PROGRESS: { type: 'in-progress', text: 'Creating' },
  CREATE_COMPLETE: { type: 'success', text: 'Ready' },
  CREATE_FAILED: { type: 'error', text: 'Creation failed' },
  UPDATE_IN_PROGRESS: { type: 'in-progress', text: 'Updating' },
  UPDATE_COMPLETE: { type: 'success', text: 'Ready' },
  DELETE_IN_PROGRESS: { type: 'in-progress', text: 'Deleting' },
  DELETE_FAILED: { type: 'error', text: 'Deletion failed' },
};

export const isRepositoryUnderWay = (repository: Repository): boolean => repository.status.endsWith('_IN_PROGRESS');
export const isReady = (repository: Repository): boolean => REPOSITORY[repository.status]?.text === 'Ready';
export const isCollectionUnderWay = (collection: Collection): boolean => collection.status === 'DELETE_IN_PROGRESS';
export const nameOf = (repository: Repository): string => repository.repositoryName || repository.repositoryId;

export function RepositoryState({ repository }: { repository: Repository }) {
  const { type, text } = REPOSITORY[repository.status] ?? { type: 'info', text: repository.status };
  return (
    <>
      <StatusIndicator type={type}>{text}</StatusIndicator>
      {repository.failureReason && <Box color="text-status-error">{repository.failureReason}</Box>}
    </>
  );
}

export function CollectionState({ collection }: { collection: Collection }) {
  switch (collection.status) {
    case 'DELETE_IN_PROGRESS':
      return <StatusIndicator type="in-progress">Deleting</StatusIndicator>;
    case 'DELETE_FAILED':
      return (
        <>
          <StatusIndicator type="error">Deletion failed</StatusIndicator>
          {collection.failureReason && <Box color="text-status-error">{collection.failureReason}</Box>}
        </>
      );
    case 'ACTIVE':
      return <StatusIndicator type="success">Ready</StatusIndicator>;
    default:
      return <StatusIndicator type="stopped">Archived</StatusIndicator>;
  }
}
