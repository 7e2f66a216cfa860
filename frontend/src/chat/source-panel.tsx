/** A cited passage: its words, where it stands, and the way to the document. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Drawer from '@cloudscape-design/components/drawer';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { downloadUrl } from '../api/documents';
import { problemOf } from '../api/errors';
import type { Citation, Problem } from '../api/types';

interface Props {
  citations: Citation[];
  number: number;
}

export function SourcePanel({ citations, number }: Props) {
  const [shown, setShown] = useState(number);
  const index = citations.findIndex((each) => each.number === shown);
  const citation = citations[index];
  if (!citation) return <Drawer header={<h2>Source</h2>}>This source is not part of the answer.</Drawer>;
  return (
    <Drawer
      header={<h2>Source {citation.number}</h2>}
      headerActions={
        citations.length > 1 && (
          <SpaceBetween direction="horizontal" size="xxs">
            <Button
              variant="icon"
              iconName="angle-left"
              ariaLabel="Previous source"
              disabled={index === 0}
              onClick={() => setShown(citations[index - 1]?.number ?? shown)}
            />
            <Button
              variant="icon"
              iconName="angle-right"
              ariaLabel="Next source"
              disabled={index === citations.length - 1}
              onClick={() => setShown(citations[index + 1]?.number ?? shown)}
            />
          </SpaceBetween>
        )
      }
    >
      <Passage key={citation.number} citation={citation} />
    </Drawer>
  );
}

function Passage({ citation }: { citation: Citation }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const headings = (citation.headings ?? []).filter(Boolean);
  const open = async () => {
    setBusy(true);
    setProblem(undefined);
    const tab = window.open('', '_blank'); // opened within the click, or a browser would block it
    try {
      const url = await downloadUrl(citation.repositoryId, citation.documentId);
      const place = citation.page && citation.documentName.toLowerCase().endsWith('.pdf') ? `#page=${citation.page}` : '';
      if (tab) {
        tab.opener = null;
        tab.location.href = url + place;
      } else window.location.assign(url + place);
    } catch (error) {
      tab?.close();
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <SpaceBetween size="m">
      <div>
        <Box variant="h3" padding="n">
          <span className="wrap">{citation.documentName}</span>
        </Box>
        <Box color="text-body-secondary">
          {[citation.page ? `Page ${citation.page}` : '', headings.join(' › ')].filter(Boolean).join(' · ') || 'Whole document'}
        </Box>
      </div>
      <blockquote className="passage">{citation.text}</blockquote>
      <Button iconName="external" iconAlign="right" loading={busy} onClick={() => void open()}>
        Open document
      </Button>
      {problem && (
        <Alert type="error" header={problem.title} statusIconAriaLabel="Error">
          {problem.detail}
        </Alert>
      )}
    </SpaceBetween>
  );
}
