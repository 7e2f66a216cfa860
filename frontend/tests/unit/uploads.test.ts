import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '../../src/api/errors';
import type { Job, LibraryDocument } from '../../src/api/types';
import { changed, newUpload, phaseOf, refusal, summaryOf, type Upload } from '../../src/uploads/upload';
import { UploadStore, type UploadIo } from '../../src/uploads/upload-store';

const file = (name: string, size = 3) => ({ name, size }) as File;

class FakeIo implements UploadIo {
  list: Job[] = [];
  inFlight = 0;
  most = 0;
  retried: string[] = [];
  finished = vi.fn();
  presign = async (name: string) => ({ url: 'u', fields: { key: `uploads/u/1/${name}` } });
  put = async (_post: unknown, _file: File, onProgress: (fraction: number) => void) => {
    this.inFlight += 1;
    this.most = Math.max(this.most, this.inFlight);
    onProgress(0.5);
    await new Promise((resolve) => setTimeout(resolve, 100));
    this.inFlight -= 1;
  };
  ingest = async (_repositoryId: string, _collectionId: string | undefined, keys: string[]) => {
    const name = keys[0]?.split('/').pop() ?? '';
    this.list.push({ id: `job-${name}`, document_id: `doc-${name}`, document_name: name, status: 'INGESTION_PENDING', stage: 'queued' } as Job);
    return { jobs: [{ jobId: `job-${name}`, documentId: `doc-${name}`, status: 'INGESTION_PENDING' as const, s3Path: '' }] };
  };
  jobs = async () => ({ jobs: this.list });
  document = async (_repositoryId: string, documentId: string) => ({ document_id: documentId, status: 'INGESTION_COMPLETED' }) as LibraryDocument;
  retry = async (_repositoryId: string, documentId: string) => {
    this.retried.push(documentId);
    this.list.unshift({ ...(this.list[0] as Job), id: 'job-2', status: 'INGESTION_PENDING', error_message: null });
    return { jobId: 'job-2', documentId, status: 'INGESTION_PENDING' as const, s3Path: '' };
  };

  end(name: string, status: Job['status'], reason?: string): void {
    this.list = this.list.map((job) => (job.document_name === name ? { ...job, status, error_message: reason } : job));
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const phases = (store: UploadStore) => store.all().map((upload) => upload.phase);

test.each([
  [file('a.exe'), /cannot be read/],
  [file('noextension'), /unknown/],
  [file('a.pdf', 0), /empty/],
  [file('a.pdf', 50 * 1024 * 1024 + 1), /50 MB/],
])('a file that cannot be indexed is refused early', (bad, reason) => {
  expect(refusal(bad)).toMatch(reason);
});

test('names in upper case are accepted', () => {
  expect(refusal(file('REPORT.PDF'))).toBeUndefined();
});

test.each([
  ['INGESTION_PENDING', 'queued', 'queued'],
  ['INGESTION_IN_PROGRESS', 'parsing', 'parsing'],
  ['INGESTION_IN_PROGRESS', 'embedding', 'embedding'],
  ['INGESTION_IN_PROGRESS', 'done', 'indexing'],
  ['INGESTION_IN_PROGRESS', undefined, 'parsing'],
  ['INGESTION_COMPLETED', 'done', 'indexed'],
  ['INGESTION_FAILED', 'parsing', 'failed'],
] as const)('%s at %s is shown as %s', (status, stage, phase) => {
  expect(phaseOf(status, stage)).toBe(phase);
});

test('a final state is not taken back by a late answer', () => {
  const done: Upload = { ...newUpload('1', file('a.md'), 'r'), phase: 'indexed', documentId: 'd' };
  expect(changed([done], { type: 'observed', documentId: 'd', status: 'INGESTION_PENDING' })).toEqual([done]);
});

test('files go up four at a time and are followed to the end', async () => {
  const io = new FakeIo();
  const store = new UploadStore(io);
  store.add(Array.from({ length: 6 }, (_, index) => file(`${index}.md`)), 'demo');
  await vi.advanceTimersByTimeAsync(250);
  expect(io.most).toBe(4);
  expect(phases(store)).toEqual(Array(6).fill('queued'));
  for (let index = 0; index < 5; index += 1) io.end(`${index}.md`, 'INGESTION_COMPLETED');
  io.end('5.md', 'INGESTION_FAILED', 'The file is encrypted.');
  await vi.advanceTimersByTimeAsync(2000);
  expect(summaryOf(store.all())).toBe('5 indexed, 1 failed');
  expect(store.all()[5]).toMatchObject({ reason: 'The file is encrypted.' });
  expect(io.finished).toHaveBeenCalled();
  store.clearIndexed();
  expect(phases(store)).toEqual(['failed']);
});

test('a retried document is followed by its new job', async () => {
  const io = new FakeIo();
  const store = new UploadStore(io);
  store.add([file('a.md')], 'demo');
  await vi.advanceTimersByTimeAsync(200);
  io.end('a.md', 'INGESTION_FAILED', 'Timed out.');
  await vi.advanceTimersByTimeAsync(1000);
  expect(phases(store)).toEqual(['failed']);
  await store.retry(store.all()[0] as Upload);
  expect(io.retried).toEqual(['doc-a.md']);
  expect(phases(store)).toEqual(['queued']);
  io.end('a.md', 'INGESTION_COMPLETED');
  await vi.advanceTimersByTimeAsync(1000);
  expect(phases(store)).toEqual(['indexed']);
  expect(store.all()[0]?.reason).toBeUndefined();
});

test('a transfer that failed can be tried again', async () => {
  const io = new FakeIo();
  const store = new UploadStore(io);
  const presign = vi.spyOn(io, 'presign').mockRejectedValueOnce(new ApiError(0, 'offline', 'No network.'));
  store.add([file('a.md')], 'demo');
  await vi.advanceTimersByTimeAsync(50);
  expect(store.all()[0]).toMatchObject({ phase: 'failed', reason: 'No network.' });
  await store.retry(store.all()[0] as Upload);
  await vi.advanceTimersByTimeAsync(150);
  expect(presign).toHaveBeenCalledTimes(2);
  expect(phases(store)).toEqual(['queued']);
});

test('an outage while watching is survived', async () => {
  const io = new FakeIo();
  const store = new UploadStore(io);
  store.add([file('a.md')], 'demo');
  await vi.advanceTimersByTimeAsync(200);
  vi.spyOn(io, 'jobs').mockRejectedValueOnce(new ApiError(0, 'offline', 'No network.'));
  io.end('a.md', 'INGESTION_COMPLETED');
  await vi.advanceTimersByTimeAsync(3000);
  expect(phases(store)).toEqual(['indexed']);
});

test.each([
  ['the repository', { jobs: async () => Promise.reject(new ApiError(404, 'not_found', 'There is no such repository.')) }, 'There is no such repository.'],
  [
    'the document',
    { jobs: async () => ({ jobs: [] }), document: async () => Promise.reject(new ApiError(404, 'not_found', 'There is no such document.')) },
    'There is no such document.',
  ],
])('a file is not waited for when %s was deleted meanwhile', async (_what, answers, reason) => {
  const io = Object.assign(new FakeIo(), answers);
  const store = new UploadStore(io);
  store.add([file('a.md')], 'demo');
  await vi.advanceTimersByTimeAsync(2000);
  expect(store.all()).toMatchObject([{ phase: 'failed', reason }]);
});
