/** Repositories for those who look after them. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Cards from '@cloudscape-design/components/cards';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { deleteRepository, listRepositories } from '../api/repositories';
import type { Repository } from '../api/types';
import { Confirm } from '../layout/confirm';
import { groupsText } from '../layout/groups-field';
import { Page } from '../layout/page';
import { Empty, Listed } from '../layout/page-states';
import { useWatch } from '../layout/use-watch';
import { useServices } from '../services';
import { RepositoryDialog } from './repository-dialog';
import { isRepositoryUnderWay, nameOf, RepositoryState } from './status';

export default function RepositoriesPage() {
  const { person } = useServices();
  const client = useQueryClient();
  const watch = useWatch(isRepositoryUnderWay);
  const repositories = useQuery({ queryKey: ['repositories'], queryFn: listRepositories, refetchInterval: watch.interval });
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<Repository | null>(null);
  const refresh = () => {
    watch.begin();
    return client.invalidateQueries({ queryKey: ['repositories'] });
  };
  return (
    <Page title="Repositories" description="Each holds documents in collections, with one embedding model and its own groups.">
      <Listed of={repositories} what="the repositories">
        {(all) => (
          <Cards
            items={[...all].sort((a, b) => nameOf(a).localeCompare(nameOf(b)))}
            trackBy="repositoryId"
            cardsPerRow={[{ cards: 1 }, { minWidth: 620, cards: 2 }, { minWidth: 1000, cards: 3 }]}
            header={
              <Header
                counter={`(${all.length})`}
                actions={
                  person.isAdmin && (
                    <Button variant="primary" onClick={() => setCreating(true)}>
                      Create repository
                    </Button>
                  )
                }
              >
                All repositories
              </Header>
            }
            empty={<Empty title="There are no repositories yet.">{person.isAdmin ? 'Create one, then add documents to it.' : 'Ask an administrator to create one.'}</Empty>}
            cardDefinition={{
              header: (repository) => (
                <Header
                  variant="h3"
                  actions={
                    person.isAdmin && (
                      <ButtonDropdown
                        variant="icon"
                        expandToViewport
                        ariaLabel={`Actions for ${repository.repositoryId}`}
                        items={[{ id: 'delete', text: 'Delete', disabled: repository.status === 'DELETE_IN_PROGRESS' }]}
                        onItemClick={() => setDeleting(repository)}
                      />
                    )
                  }
                >
                  <Link fontSize="heading-s" href={`#/repositories/${encodeURIComponent(repository.repositoryId)}`}>
                    {nameOf(repository)}
                  </Link>
                </Header>
              ),
              sections: [
                { id: 'status', content: (repository) => <RepositoryState repository={repository} /> },
                { id: 'description', content: (repository) => <Box color="text-body-secondary">{repository.description || 'No description.'}</Box> },
                { id: 'id', header: 'Id', content: (repository) => repository.repositoryId, width: 50 },
                { id: 'type', header: 'Store', content: (repository) => repository.type, width: 50 },
                { id: 'model', header: 'Embedding model', content: (repository) => <span className="wrap">{repository.embeddingModelId || 'Set per collection'}</span>, width: 50 },
                { id: 'groups', header: 'Groups', content: (repository) => groupsText(repository.allowedGroups), width: 50 },
              ],
            }}
          />
        )}
      </Listed>
      {creating && <RepositoryDialog onDone={refresh} onClose={() => setCreating(false)} />}
      {deleting && (
        <Confirm
          title="Delete this repository?"
          confirmText="Delete repository"
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await deleteRepository(deleting.repositoryId);
            await refresh();
          }}
        >
          <b>{nameOf(deleting)}</b>, its collections and all their documents will be deleted. This cannot be undone.
        </Confirm>
      )}
    </Page>
  );
}
