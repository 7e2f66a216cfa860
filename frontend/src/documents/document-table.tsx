/** The documents of one collection: state, download, retry, delete, upload. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import FileInput from '@cloudscape-design/components/file-input';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { deleteDocuments, downloadUrl, listDocuments, retryDocument } from '../api/documents';
import { problemOf } from '../api/errors';
import type { DocumentKey, LibraryDocument } from '../api/types';
import { Confirm } from '../layout/confirm';
import { useNotices } from '../layout/notices';
import { Empty, Loading, ProblemBox } from '../layout/page-states';
import { State } from '../layout/state';
import { useWatch } from '../layout/use-watch';
import { useServices } from '../services';
import { DropZone } from '../uploads/drop-zone';
import { ACCEPTED, phaseOf } from '../uploads/upload';
import { PHASES, UploadList } from '../uploads/upload-list';

const isUnderWay = ({ status = 'INGESTION_COMPLETED' }: LibraryDocument): boolean => status.endsWith('_PENDING') || status.endsWith('_IN_PROGRESS');

export function DocumentTable({ repositoryId, collectionId }: { repositoryId: string; collectionId: string }) {
  const { uploads, person } = useServices();
  const notices = useNotices();
  const client = useQueryClient();
  const watch = useWatch(isUnderWay);
  const key = ['documents', repositoryId, collectionId];
  const pages = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => listDocuments(repositoryId, collectionId, pageParam),
    initialPageParam: null as DocumentKey | null,
    getNextPageParam: (page) => (page.hasNextPage ? (page.lastEvaluated ?? undefined) : undefined),
    refetchInterval: (query) => watch.interval({ state: { data: query.state.data?.pages.flatMap((page) => page.documents) } }),
  });
  const [selected, setSelected] = useState<LibraryDocument[]>([]);
  const [deleting, setDeleting] = useState<LibraryDocument[] | null>(null);
  const documents = pages.data?.pages.flatMap((page) => page.documents) ?? [];
  const total = pages.data?.pages[0]?.totalDocuments;
  const refresh = () => {
    watch.begin();
    return client.invalidateQueries({ queryKey: key });
  };

  const add = (files: File[]) => {
    uploads.add(files, repositoryId, collectionId);
    watch.begin();
  };
  const download = async (document: LibraryDocument) => {
    try {
      window.location.assign(await downloadUrl(repositoryId, document.document_id));
    } catch (error) {
      notices.fail(error, `${document.document_name} could not be opened`);
    }
  };
  const retry = async (document: LibraryDocument) => {
    try {
      await retryDocument(repositoryId, document.document_id);
      await refresh();
    } catch (error) {
      notices.fail(error, `${document.document_name} could not be tried again`);
    }
  };
  const act = (id: string, document: LibraryDocument) => {
    if (id === 'download') void download(document);
    else if (id === 'retry') void retry(document);
    else setDeleting([document]);
  };
  const mayDelete = (document: LibraryDocument) => person.isRagAdmin || document.username === person.username;

  if (pages.error && !pages.data) return <ProblemBox problem={problemOf(pages.error)} onRetry={() => void pages.refetch()} />;
  if (pages.isPending) return <Loading what="Loading the documents" />;
  return (
    <SpaceBetween size="l">
      <DropZone hint="Drop to add to this collection" onFiles={add} />
      <UploadList repositoryId={repositoryId} />
      <Table
        items={documents}
        trackBy="document_id"
        wrapLines
        selectionType="multi"
        selectedItems={selected}
        isItemDisabled={(document) => !mayDelete(document)}
        onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
        ariaLabels={{
          selectionGroupLabel: 'Documents',
          allItemsSelectionLabel: () => 'Select all documents',
          itemSelectionLabel: (_, document) => `Select ${document.document_name}`,
        }}
        header={
          <Header
            counter={`(${total ?? `${documents.length}${pages.hasNextPage ? '+' : ''}`})`}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button iconName="refresh" ariaLabel="Refresh" loading={pages.isRefetching && !pages.isFetchingNextPage && documents.length > 0 && !documents.some(isUnderWay)} onClick={() => void pages.refetch()} />
                <Button disabled={selected.length === 0} onClick={() => setDeleting(selected)}>
                  Delete
                </Button>
                <FileInput multiple accept={ACCEPTED.map((extension) => `.${extension}`).join(',')} value={[]} onChange={({ detail }) => add(detail.value)}>
                  Upload
                </FileInput>
              </SpaceBetween>
            }
          >
            Documents
          </Header>
        }
        empty={<Empty title="There are no documents yet.">Drop files here, or choose Upload. {`Supported: ${ACCEPTED.join(', ')}, up to 50 MB.`}</Empty>}
        footer={
          pages.hasNextPage && (
            <Box textAlign="center">
              <Button loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
                Show more
              </Button>
            </Box>
          )
        }
        columnDefinitions={[
          { id: 'name', header: 'Name', isRowHeader: true, cell: (document) => <span className="wrap">{document.document_name}</span>, minWidth: 180 },
          { id: 'state', header: 'State', cell: (document) => <DocumentState document={document} />, minWidth: 160 },
          { id: 'chunks', header: 'Passages', cell: (document) => document.chunks || '-', minWidth: 90 },
          { id: 'by', header: 'Added by', cell: (document) => document.username, minWidth: 110 },
          { id: 'date', header: 'Added', cell: (document) => new Date(document.upload_date).toLocaleDateString('en', { year: 'numeric', month: 'short', day: 'numeric' }), minWidth: 140 },
          {
            id: 'actions',
            header: 'Actions',
            minWidth: 80,
            cell: (document) => (
              <ButtonDropdown
                variant="inline-icon"
                expandToViewport
                ariaLabel={`Actions for ${document.document_name}`}
                items={[
                  { id: 'download', text: 'Download' },
                  ...(document.status === 'INGESTION_FAILED' ? [{ id: 'retry', text: 'Try again' }] : []),
                  { id: 'delete', text: 'Delete', disabled: !mayDelete(document) },
                ]}
                onItemClick={({ detail }) => act(detail.id, document)}
              />
            ),
          },
        ]}
      />
      {deleting && (
        <Confirm
          title={deleting.length === 1 ? 'Delete this document?' : `Delete ${deleting.length} documents?`}
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await deleteDocuments(repositoryId, collectionId, deleting.map((document) => document.document_id));
            setSelected([]);
            await refresh();
          }}
        >
          <span className="wrap">{deleting.length === 1 ? deleting[0]?.document_name : 'They'} will no longer be found or quoted. This cannot be undone.</span>
        </Confirm>
      )}
    </SpaceBetween>
  );
}

function DocumentState({ document }: { document: LibraryDocument }) {
  const { status, stage, error_message: reason } = document;
  const failed = status?.endsWith('_FAILED');
  if (status?.startsWith('DELETE')) {
    return <State is={failed ? { type: 'error', text: 'Deletion failed' } : { type: 'loading', text: 'Deleting' }} reason={failed && reason} />;
  }
  return <State is={PHASES[status ? phaseOf(status, stage) : 'indexed']} reason={failed && reason} />;
}
