import { request, segment } from './client';
import { ApiError, errorOf, offline } from './errors';
import type { DocumentKey, DocumentPage, Job, LibraryDocument, PresignedPost, StartedJob } from './types';

const PAGE_SIZE = 50;

export const listDocuments = (repositoryId: string, collectionId: string, after?: DocumentKey | null): Promise<DocumentPage> =>
  request('GET', `repository/${segment(repositoryId)}/document`, {
    query: {
      collectionId,
      pageSize: PAGE_SIZE,
      lastEvaluatedKeyPk: after?.pk,
      lastEvaluatedKeyDocumentId: after?.document_id,
      lastEvaluatedKeyRepositoryId: after?.repository_id,
    },
  });

export const getDocument = (repositoryId: string, documentId: string): Promise<LibraryDocument> =>
  request('GET', `repository/${segment(repositoryId)}/${segment(documentId)}`);

/** A URL from which the browser may load the document for five minutes. */
export const downloadUrl = (repositoryId: string, documentId: string): Promise<string> =>
  request('GET', `repository/${segment(repositoryId)}/${segment(documentId)}/download`);

export const deleteDocuments = (repositoryId: string, collectionId: string, documentIds: string[]): Promise<{ jobs: StartedJob[] }> =>
  request('DELETE', `repository/${segment(repositoryId)}/document`, { query: { collectionId }, json: { documentIds } });

export const retryDocument = (repositoryId: string, documentId: string): Promise<StartedJob> =>
  request('POST', `repository/${segment(repositoryId)}/${segment(documentId)}/retry`);

/** The newest hundred jobs. */
export const listJobs = (repositoryId: string): Promise<{ jobs: Job[] }> =>
  request('GET', `repository/${segment(repositoryId)}/jobs`, { query: { pageSize: 100 } });

/** Leave to put one file into the staging area; the key in `fields` names it to `ingest`. */
export const presignedPost = async (fileName: string): Promise<PresignedPost> =>
  (
    await request<{ response: PresignedPost }>('POST', 'repository/presigned-url', {
      raw: { body: fileName, contentType: 'application/x-www-form-urlencoded' },
    })
  ).response;

export const ingest = (repositoryId: string, collectionId: string | undefined, keys: string[]): Promise<{ jobs: StartedJob[] }> =>
  request('POST', `repository/${segment(repositoryId)}/bulk`, { json: { keys, ...(collectionId ? { collectionId } : {}) } });

/** Sends a file straight to S3. XMLHttpRequest, because `fetch` tells no upload progress. */
export function putFile(post: PresignedPost, file: File, onProgress: (fraction: number) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(post.fields)) form.append(name, value);
    form.append('file', file); // S3 ignores every field that follows the file
    const call = new XMLHttpRequest();
    call.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    call.onload = () => (call.status < 300 ? resolve() : reject(refused(call)));
    call.onerror = () => reject(offline());
    call.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    signal.addEventListener('abort', () => call.abort(), { once: true });
    call.open('POST', post.url);
    call.send(form);
  });
}

function refused(call: XMLHttpRequest): ApiError {
  const code = /<Code>(\w+)<\/Code>/.exec(call.responseText)?.[1];
  if (code === 'EntityTooLarge') return new ApiError(413, code, 'The file is larger than 50 MB.');
  if (code) return new ApiError(call.status, code, `The file store refused the upload (${code}). Try again.`);
  return errorOf(call.status, call.responseText);
}
