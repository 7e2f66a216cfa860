/** Files on their way into the index, each with its state, and a way on when it failed. */
import Button from '@cloudscape-design/components/button';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import LiveRegion from '@cloudscape-design/components/live-region';
import { useSyncExternalStore } from 'react';
import { State, type StateWords } from '../layout/state';
import { useServices } from '../services';
import { isFinal, summaryOf, type Phase, type Upload } from './upload';

export const PHASES: Record<Phase, StateWords> = {
  waiting: { type: 'pending', text: 'Waiting' },
  sending: { type: 'in-progress', text: 'Uploading' },
  queued: { type: 'pending', text: 'Queued' },
  parsing: { type: 'loading', text: 'Parsing' },
  embedding: { type: 'loading', text: 'Embedding' },
  indexing: { type: 'loading', text: 'Indexing' },
  indexed: { type: 'success', text: 'Indexed' },
  failed: { type: 'error', text: 'Failed' },
};

export function useUploads(repositoryId?: string): Upload[] {
  const { uploads } = useServices();
  const all = useSyncExternalStore(uploads.subscribe, uploads.all);
  return repositoryId === undefined ? all : all.filter((upload) => upload.repositoryId === repositoryId);
}

export function UploadList({ repositoryId }: { repositoryId?: string }) {
  const { uploads: store } = useServices();
  const uploads = useUploads(repositoryId);
  if (uploads.length === 0) return null;
  const summary = summaryOf(uploads);
  return (
    <div className="uploads">
      <ExpandableSection
        variant="container"
        defaultExpanded
        headerText="Uploads"
        headerDescription={summary}
        headerActions={uploads.some(isFinal) && <Button variant="inline-link" onClick={() => store.clear()}>Clear finished</Button>}
      >
        <ul className="uploads-list">
          {uploads.map((upload) => (
            <UploadRow key={upload.id} upload={upload} />
          ))}
        </ul>
      </ExpandableSection>
      <LiveRegion hidden>{uploads.every(isFinal) ? `Uploads: ${summary}` : ''}</LiveRegion>
    </div>
  );
}

function UploadRow({ upload }: { upload: Upload }) {
  const { uploads: store } = useServices();
  const percent = Math.round(upload.sent * 100);
  return (
    <li className="upload" data-phase={upload.phase}>
      <div className="upload-name" title={upload.name}>
        {upload.name} <span className="muted">{sizeOf(upload.size)}</span>
      </div>
      <div className="upload-state">
        {upload.phase === 'sending' ? (
          <ProgressBar value={percent} variant="standalone" ariaLabel={`Uploading ${upload.name}`} />
        ) : (
          <State is={PHASES[upload.phase]} />
        )}
      </div>
      <div className="upload-actions">
        {upload.phase === 'failed' && !upload.refused && (
          <Button variant="inline-link" ariaLabel={`Try ${upload.name} again`} onClick={() => void store.retry(upload)}>
            Retry
          </Button>
        )}
        {(isFinal(upload) || upload.phase === 'sending' || upload.phase === 'waiting') && (
          <Button variant="inline-icon" iconName="close" ariaLabel={`Remove ${upload.name} from the list`} onClick={() => store.remove(upload.id)} />
        )}
      </div>
      {upload.phase === 'failed' && upload.reason && <div className="upload-reason">{upload.reason}</div>}
    </li>
  );
}

function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} kB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
