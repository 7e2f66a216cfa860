/** Sends files, registers them and watches them until each is indexed or failed; goes on while other pages are open. */
import type { Job, LibraryDocument, PresignedPost, StartedJob } from '../api/types';
import { ApiError, problemOf } from '../api/errors';
import { newId } from '../new-id';
import { changed, isWatched, newUpload, type Upload, type UploadEvent } from './upload';

export interface UploadIo {
  presign(name: string): Promise<PresignedPost>;
  put(post: PresignedPost, file: File, onProgress: (fraction: number) => void, signal: AbortSignal): Promise<void>;
  ingest(repositoryId: string, collectionId: string | undefined, keys: string[]): Promise<{ jobs: StartedJob[] }>;
  jobs(repositoryId: string): Promise<{ jobs: Job[] }>;
  document(repositoryId: string, documentId: string): Promise<LibraryDocument>;
  retry(repositoryId: string, documentId: string): Promise<StartedJob>;
  /** Told when a document became final: lists of documents have changed. */
  finished(): void;
}

type Observed = Pick<Job, 'status' | 'error_message'> & { stage?: Job['stage'] };

const AT_ONCE = 4; // uploads in parallel
const POLL_MS = [700, 1000, 1500, 2000, 3000];

export class UploadStore {
  private uploads: Upload[] = [];
  private readonly files = new Map<string, File>();
  private readonly aborts = new Map<string, AbortController>();
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private quietPolls = 0;

  constructor(private readonly io: UploadIo) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly all = (): Upload[] => this.uploads;

  add(files: File[], repositoryId: string, collectionId?: string): void {
    const uploads = files.map((file) => {
      const upload = newUpload(newId(), file, repositoryId, collectionId);
      this.files.set(upload.id, file);
      return upload;
    });
    this.apply({ type: 'added', uploads });
    this.pump();
  }

  /** Ingests a document once more, or sends a file once more that never arrived. */
  async retry(upload: Upload): Promise<void> {
    if (!upload.documentId) {
      this.apply({ type: 'restarted', id: upload.id });
      this.pump();
      return;
    }
    try {
      const { jobId } = await this.io.retry(upload.repositoryId, upload.documentId);
      this.apply({ type: 'restarted', id: upload.id, jobId });
      this.watch();
    } catch (error) {
      this.apply({ type: 'failed', id: upload.id, reason: problemOf(error).detail });
    }
  }

  remove(id: string): void {
    this.aborts.get(id)?.abort();
    this.files.delete(id);
    this.apply({ type: 'removed', id });
  }

  clear(): void {
    this.apply({ type: 'cleared' });
  }

  /** Takes what is indexed off the list; what failed stays until somebody has seen to it. */
  clearIndexed(): void {
    for (const { id } of this.uploads.filter((upload) => upload.phase === 'indexed')) this.apply({ type: 'removed', id });
  }

  private pump(): void {
    const sending = this.uploads.filter((upload) => upload.phase === 'sending').length;
    for (const upload of this.uploads.filter((each) => each.phase === 'waiting').slice(0, AT_ONCE - sending)) void this.transfer(upload);
  }

  private async transfer(upload: Upload): Promise<void> {
    const file = this.files.get(upload.id);
    if (!file) return;
    const abort = new AbortController();
    this.aborts.set(upload.id, abort);
    this.apply({ type: 'sending', id: upload.id, sent: 0 });
    try {
      const post = await this.io.presign(file.name);
      await this.io.put(post, file, (sent) => this.apply({ type: 'sending', id: upload.id, sent }), abort.signal);
      const job = (await this.io.ingest(upload.repositoryId, upload.collectionId, [post.fields.key ?? ''])).jobs[0];
      if (!job) throw new Error('The server started no ingestion for this file. Try again.');
      this.apply({ type: 'registered', id: upload.id, documentId: job.documentId, jobId: job.jobId });
      this.files.delete(upload.id);
      this.watch();
    } catch (error) {
      if (!abort.signal.aborted) this.apply({ type: 'failed', id: upload.id, reason: problemOf(error).detail });
    } finally {
      this.aborts.delete(upload.id);
      this.pump();
    }
  }

  private watch(): void {
    this.quietPolls = 0;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.poll(), POLL_MS[0]);
  }

  private async poll(): Promise<void> {
    const before = this.uploads;
    for (const repositoryId of new Set(before.filter(isWatched).map((upload) => upload.repositoryId))) {
      await this.observe(repositoryId).catch((error: unknown) => {
        if (isForGood(error)) for (const { id } of this.watchedIn(repositoryId)) this.apply({ type: 'failed', id, reason: error.message });
      }); // else asked again soon
    }
    const wasFinished = before.filter(isWatched).length > this.uploads.filter(isWatched).length;
    if (wasFinished) this.io.finished();
    this.quietPolls = this.uploads === before ? this.quietPolls + 1 : 0;
    clearTimeout(this.timer);
    if (this.uploads.some(isWatched)) {
      this.timer = setTimeout(() => void this.poll(), POLL_MS[Math.min(this.quietPolls, POLL_MS.length - 1)]);
    }
  }

  private async observe(repositoryId: string): Promise<void> {
    const watched = this.watchedIn(repositoryId);
    const { jobs } = await this.io.jobs(repositoryId); // one call for many files
    for (const upload of watched) {
      const documentId = upload.documentId ?? '';
      const job = jobs.find((each) => each.id === upload.jobId);
      const seen: Observed = job ?? (await this.io.document(repositoryId, documentId).catch(goneOf));
      const current = this.uploads.find((each) => each.id === upload.id);
      if (current && (current.phase !== upload.phase || current.jobId !== upload.jobId)) continue; // retried while we asked
      this.apply({ type: 'observed', documentId, status: seen.status, stage: seen.stage, reason: seen.error_message });
    }
  }

  private watchedIn(repositoryId: string): Upload[] {
    return this.uploads.filter((upload) => isWatched(upload) && upload.repositoryId === repositoryId);
  }

  private apply(event: UploadEvent): void {
    const next = changed(this.uploads, event);
    const same = next.length === this.uploads.length && next.every((upload, index) => shallowEqual(upload, this.uploads[index]));
    if (same) return;
    this.uploads = next;
    for (const listener of this.listeners) listener();
  }
}

/** The repository was deleted meanwhile, or is not this person's any more. */
function isForGood(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.status === 404 || error.status === 403);
}

/** A document that somebody has deleted meanwhile, as its last state. */
function goneOf(error: unknown): Observed {
  if (!isForGood(error)) throw error;
  return { status: 'DELETE_COMPLETED', error_message: error.message };
}

function shallowEqual(a: Upload, b: Upload | undefined): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b ?? {})]) as Set<keyof Upload>;
  return b !== undefined && [...keys].every((key) => a[key] === b[key]);
}
