/** The document library: repositories, their collections, their documents. */
import Box from '@cloudscape-design/components/box';
import Cards from '@cloudscape-design/components/cards';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import { useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { listCollections, listRepositories } from '../api/repositories';
import type { Collection, Repository } from '../api/types';
import { Page, type Crumb } from '../layout/page';
import { Empty, Listed } from '../layout/page-states';
import { useWatch } from '../layout/use-watch';
import { CollectionState, isCollectionUnderWay, isRepositoryUnderWay, nameOf, RepositoryState } from '../repositories/status';
import { DocumentTable } from './document-table';

const HOME: Crumb = { text: 'Documents', href: '#/documents' };
const THREE = [{ cards: 1 }, { minWidth: 620, cards: 2 }, { minWidth: 1000, cards: 3 }];

export default function DocumentsPage() {
  const { repositoryId, collectionId } = useParams();
  const watch = useWatch(isRepositoryUnderWay);
  const repositories = useQuery({ queryKey: ['repositories'], queryFn: listRepositories, refetchInterval: watch.interval });
  const repository = repositories.data?.find((each) => each.repositoryId === repositoryId);
  if (!repositoryId) {
    return (
      <Page title="Documents" description="What grounded answers are taken from.">
        <Listed of={repositories} what="the repositories">
          {(all) => <RepositoryCards repositories={all} />}
        </Listed>
      </Page>
    );
  }
  if (!repository) {
    return (
      <Page title={repositoryId} crumbs={[HOME]}>
        <Listed of={repositories} what="the repository">
          {() => <Empty title="There is no such repository.">It may have been deleted, or your groups do not include it.</Empty>}
        </Listed>
      </Page>
    );
  }
  return <RepositoryDocuments repository={repository} collectionId={collectionId} />;
}

function RepositoryCards({ repositories }: { repositories: Repository[] }) {
  return (
    <Cards
      items={[...repositories].sort((a, b) => nameOf(a).localeCompare(nameOf(b)))}
      trackBy="repositoryId"
      cardsPerRow={THREE}
      header={<Header counter={`(${repositories.length})`}>Repositories</Header>}
      empty={<Empty title="There are no repositories you may read.">Ask an administrator to create one, or for access to one.</Empty>}
      cardDefinition={{
        header: (repository) => (
          <Link fontSize="heading-s" href={`#/documents/${encodeURIComponent(repository.repositoryId)}`}>
            {nameOf(repository)}
          </Link>
        ),
        sections: [
          { id: 'status', content: (repository) => <RepositoryState repository={repository} /> },
          { id: 'description', content: (repository) => <Box color="text-body-secondary">{repository.description || 'No description.'}</Box> },
        ],
      }}
    />
  );
}

function RepositoryDocuments({ repository, collectionId }: { repository: Repository; collectionId?: string }) {
  const { repositoryId } = repository;
  const watch = useWatch(isCollectionUnderWay);
  const collections = useQuery({
    queryKey: ['collections', repositoryId],
    queryFn: () => listCollections(repositoryId),
    refetchInterval: watch.interval,
  });
  const here: Crumb = { text: nameOf(repository), href: `#/documents/${encodeURIComponent(repositoryId)}` };
  const only = collections.data?.length === 1 ? collections.data[0] : undefined; // a list of one is a detour
  const collection = collectionId ? collections.data?.find((each) => each.collectionId === collectionId) : only;
  const name = (each: Collection): string => (each.default ? 'Default collection' : each.name);

  if (collection) {
    const crumbs = collectionId ? [HOME, here] : [HOME];
    return (
      <Page title={collectionId ? name(collection) : nameOf(repository)} crumbs={crumbs} description={collection.description ?? repository.description}>
        <DocumentTable key={collection.collectionId} repositoryId={repositoryId} collectionId={collection.collectionId} />
      </Page>
    );
  }
  return (
    <Page title={nameOf(repository)} crumbs={[HOME]} description={repository.description}>
      <Listed of={collections} what="the collections">
        {(all) =>
          collectionId ? (
            <Empty title="There is no such collection.">It may have been deleted, or your groups do not include it.</Empty>
          ) : (
            <Cards
              items={all}
              trackBy="collectionId"
              cardsPerRow={THREE}
              header={<Header counter={`(${all.length})`}>Collections</Header>}
              empty={<Empty title="There are no collections yet.">{repository.embeddingModelId ? undefined : 'Whoever looks after this repository can create one.'}</Empty>}
              cardDefinition={{
                header: (each) => (
                  <Link fontSize="heading-s" href={`#/documents/${encodeURIComponent(repositoryId)}/${encodeURIComponent(each.collectionId)}`}>
                    {name(each)}
                  </Link>
                ),
                sections: [
                  { id: 'status', content: (each) => <CollectionState collection={each} /> },
                  { id: 'description', content: (each) => <Box color="text-body-secondary">{each.description || 'No description.'}</Box> },
                ],
              }}
            />
          )
        }
      </Listed>
    </Page>
  );
}
