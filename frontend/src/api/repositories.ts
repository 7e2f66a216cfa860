import { request, segment } from './client';
import type { Collection, CollectionPage, CreateCollection, CreateRepository, Repository } from './types';

export const listRepositories = (): Promise<Repository[]> => request('GET', 'repository');

export const createRepository = (repository: CreateRepository): Promise<unknown> => request('POST', 'repository', { json: repository });

export const deleteRepository = (repositoryId: string): Promise<unknown> => request('DELETE', `repository/${segment(repositoryId)}`);

const MAX_PAGES = 20;

export async function listCollections(repositoryId: string): Promise<Collection[]> {
  const all: Collection[] = [];
  let key: CollectionPage['lastEvaluatedKey'];
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer: CollectionPage = await request('GET', `repository/${segment(repositoryId)}/collection`, {
      query: {
        pageSize: 100,
        lastEvaluatedKeyCollectionId: key?.collectionId,
        lastEvaluatedKeyStatus: key?.status,
        lastEvaluatedKeyCreatedAt: key?.createdAt,
      },
    });
    all.push(...answer.collections);
    key = answer.lastEvaluatedKey;
    if (!answer.hasNextPage || !key) break;
  }
  return all;
}

export const createCollection = (repositoryId: string, collection: CreateCollection): Promise<Collection> =>
  request('POST', `repository/${segment(repositoryId)}/collection`, { json: collection });

export const deleteCollection = (repositoryId: string, collectionId: string): Promise<unknown> =>
  request('DELETE', `repository/${segment(repositoryId)}/collection/${segment(collectionId)}`);
