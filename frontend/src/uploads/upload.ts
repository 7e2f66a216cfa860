/** Files on their way from the computer to the index, as data. */
import type { DocumentStatus, IngestionStage } from '../api/types';

export const ACCEPTED = ['pdf', 'docx', 'pptx', 'xlsx', 'html', 'htm', 'md', 'markdown', 'txt', 'csv', 'json', 'epub'];
const MAX_BYTES = 50 * 1024 * 1024;

export type Phase = 'waiting' | 'sending' | 'queued' | 'parsing' | 'embedding' | 'indexing' | 'indexed' | 'failed';

export interface Upload {
  id: string;
  name: string;
  size: number;
  repositoryId: string;
  collectionId?: string;
  phase: Phase;
  /** Fraction of bytes sent. */
  sent: number;
  documentId?: string;
  jobId?: string;
  reason?: string;
  /** Refused before it was sent: trying again would not help. */
  refused?: boolean;
}

export type UploadEvent =
  | { type: 'added'; uploads: Upload[] }
  | { type: 'sending'; id: string; sent: number }
  | { type: 'registered'; id: string; documentId: string; jobId: string }
  | { type: 'observed'; documentId: string; status: DocumentStatus; stage?: IngestionStage; reason?: string | null }
  | { type: 'failed'; id: string; reason: string }
  | { type: 'restarted'; id: string; jobId?: string }
  | { type: 'removed'; id: string }
  | { type: 'cleared' };

export const isFinal = (upload: Upload): boolean => upload.phase === 'indexed' || upload.phase === 'failed';

/** Sent and not yet final: its state has to be asked for. */
export const isWatched = (upload: Upload): boolean => upload.documentId !== undefined && !isFinal(upload);

export function refusal(file: { name: string; size: number }): string | undefined {
  const extension = file.name.includes('.') ? (file.name.split('.').pop() ?? '').toLowerCase() : '';
  if (!ACCEPTED.includes(extension)) return `Files of type ${extension ? `.${extension}` : 'unknown'} cannot be read. Supported: ${ACCEPTED.join(', ')}.`;
  if (file.size === 0) return 'The file is empty.';
  if (file.size > MAX_BYTES) return 'The file is larger than 50 MB. Split it, or put it into the documents bucket.';
  return undefined;
}

export function newUpload(id: string, file: { name: string; size: number }, repositoryId: string, collectionId?: string): Upload {
  const reason = refusal(file);
  return {
    id,
    name: file.name,
    size: file.size,
    repositoryId,
    ...(collectionId ? { collectionId } : {}),
    phase: reason ? 'failed' : 'waiting',
    sent: 0,
    ...(reason ? { reason, refused: true } : {}),
  };
}

export function changed(uploads: Upload[], event: UploadEvent): Upload[] {
  const one = (id: string, change: Partial<Upload>): Upload[] => uploads.map((upload) => (upload.id === id ? { ...upload, ...change } : upload));
  switch (event.type) {
    case 'added':
      return [...uploads, ...event.uploads];
    case 'sending':
      return one(event.id, { phase: 'sending', sent: event.sent });
    case 'registered':
      return one(event.id, { phase: 'queued', sent: 1, documentId: event.documentId, jobId: event.jobId });
    case 'observed':
      return uploads.map((upload) =>
        upload.documentId === event.documentId && !isFinal(upload)
          ? { ...upload, phase: phaseOf(event.status, event.stage), ...(event.reason ? { reason: event.reason } : {}) }
          : upload,
      );
    case 'failed':
      return one(event.id, { phase: 'failed', reason: event.reason });
    case 'restarted':
      return uploads.map((upload) =>
        upload.id === event.id ? { ...upload, phase: upload.documentId ? 'queued' : 'waiting', jobId: event.jobId, reason: undefined } : upload,
      );
    case 'removed':
      return uploads.filter((upload) => upload.id !== event.id);
    case 'cleared':
      return uploads.filter((upload) => !isFinal(upload));
  }
}

export function phaseOf(status: DocumentStatus, stage?: IngestionStage): Phase {
  if (status === 'INGESTION_COMPLETED') return 'indexed';
  if (status.endsWith('_FAILED')) return 'failed';
  if (status.startsWith('DELETE')) return 'failed'; // somebody deleted it meanwhile
  if (status === 'INGESTION_PENDING' || stage === undefined) return status === 'INGESTION_PENDING' ? 'queued' : 'parsing';
  return stage === 'done' ? 'indexing' : stage;
}

export function summaryOf(uploads: Upload[]): string {
  const count = (phase: Phase): number => uploads.filter((upload) => upload.phase === phase).length;
  const open = uploads.filter((upload) => !isFinal(upload)).length;
  const parts = [
    open > 0 ? `${open} in progress` : '',
    count('indexed') > 0 ? `${count('indexed')} indexed` : '',
    count('failed') > 0 ? `${count('failed')} failed` : '',
  ];
  return parts.filter(Boolean).join(', ');
}
