/** One repository: its settings and its collections. */
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useParams } from 'react-router';
import { deleteCollection, listCollections, listRepositories } from '../api/repositories';
import type { Collection, Repository } from '../api/types';
import { Confirm } from '../layout/confirm';
import { groupsText } from '../layout/groups-field';
import { Page } from '../layout/page';
import { Empty, Listed } from '../layout/page-states';
import { useWatch } from '../layout/use-watch';
import { CollectionDialog } from './collection-dialog';
import { CollectionState, isCollectionUnderWay, isReady, isRepositoryUnderWay, nameOf, RepositoryState } from './status';

const CRUMBS = [{ text: 'Repositories', href: '#/repositories' }];

export default function RepositoryPage() {
  const { repositoryId = '' } = useParams();
  const watch = useWatch(isRepositoryUnderWay);
  const repositories = useQuery({ queryKey: ['repositories'], queryFn: listRepositories, refetchInterval: watch.interval });
  const repository = repositories.data?.find((each) => each.repositoryId === repositoryId);
  return (
    <Page title={repository ? nameOf(repository) : repositoryId} crumbs={CRUMBS} description={repository?.description}>
      <Listed of={repositories} what="the repository">
        {() => (repository ? <Details repository={repository} /> : <Empty title="There is no such repository.">It may have been deleted, or your groups do not include it.</Empty>)}
      </Listed>
    </Page>
  );
}

function Details({ repository }: { repository: Repository }) {
  const { repositoryId } = repository;
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">Settings</Header>}>
        <KeyValuePairs
          columns={3}
          items={[
            { label: 'State', value: <RepositoryState repository={repository} /> },
            { label: 'Id', value: repositoryId },
            { label: 'Store', value: repository.type },
            { label: 'Embedding model', value: repository.embeddingModelId || 'Set per collection' },
            { label: 'Groups', value: groupsText(repository.allowedGroups) },
            { label: 'Documents', value: <Link href={`#/documents/${encodeURIComponent(repositoryId)}`}>Show the documents</Link> },
          ]}
        />
      </Container>
      <Collections repository={repository} />
    </SpaceBetween>
  );
}

function Collections({ repository }: { repository: Repository }) {
  const { repositoryId } = repository;
  const client = useQueryClient();
  const watch = useWatch(isCollectionUnderWay);
  const collections = useQuery({
    queryKey: ['collections', repositoryId],
    queryFn: () => listCollections(repositoryId),
    refetchInterval: watch.interval,
  });
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<Collection | null>(null);
  const refresh = () => {
    watch.begin();
    return client.invalidateQueries({ queryKey: ['collections', repositoryId] });
  };
  return (
    <>
      <Listed of={collections} what="the collections">
        {(all) => (
          <Table
            items={all}
            trackBy="collectionId"
            wrapLines
            header={
              <Header
                counter={`(${all.length})`}
                actions={
                  <Button disabled={!isReady(repository)} onClick={() => setCreating(true)}>
                    Create collection
                  </Button>
                }
              >
                Collections
              </Header>
            }
            empty={<Empty title="There are no collections yet." />}
            columnDefinitions={[
              {
                id: 'name',
                header: 'Name',
                isRowHeader: true,
                cell: (collection) => (
                  <Link href={`#/documents/${encodeURIComponent(repositoryId)}/${encodeURIComponent(collection.collectionId)}`}>
                    {collection.default ? 'Default collection' : collection.name}
                  </Link>
                ),
                minWidth: 160,
              },
              { id: 'state', header: 'State', cell: (collection) => <CollectionState collection={collection} />, minWidth: 120 },
              { id: 'model', header: 'Embedding model', cell: (collection) => collection.embeddingModel || repository.embeddingModelId || '-', minWidth: 140 },
              { id: 'chunks', header: 'Passages', cell: passagesOf, minWidth: 140 },
              { id: 'groups', header: 'Groups', cell: (collection) => (collection.allowedGroups?.length ? groupsText(collection.allowedGroups) : 'As the repository'), minWidth: 120 },
              {
                id: 'actions',
                header: 'Actions',
                cell: (collection) =>
                  !collection.default && (
                    <ButtonDropdown
                      variant="inline-icon"
                      expandToViewport
                      ariaLabel={`Actions for ${collection.name}`}
                      items={[{ id: 'delete', text: 'Delete', disabled: collection.status === 'DELETE_IN_PROGRESS' }]}
                      onItemClick={() => setDeleting(collection)}
                    />
                  ),
                minWidth: 80,
              },
            ]}
          />
        )}
      </Listed>
      {creating && <CollectionDialog repositoryId={repositoryId} onDone={refresh} onClose={() => setCreating(false)} />}
      {deleting && (
        <Confirm
          title="Delete this collection?"
          confirmText="Delete collection"
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await deleteCollection(repositoryId, deleting.collectionId);
            await refresh();
          }}
        >
          <b>{deleting.name}</b> and all its documents will be deleted. This cannot be undone.
        </Confirm>
      )}
    </>
  );
}

function passagesOf({ chunkingStrategy: strategy }: Collection): string {
  if (!strategy) return 'As usual';
  return strategy.type === 'none' ? 'Whole documents' : `${strategy.size} characters, overlap ${strategy.overlap}`;
}
