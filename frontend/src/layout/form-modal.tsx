/** A form in a dialog: one primary action, busy while it runs, its failure shown inside. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Form from '@cloudscape-design/components/form';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState, type ReactNode } from 'react';
import { problemOf } from '../api/errors';
import type { Problem } from '../api/types';

interface Props {
  title: string;
  submitText: string;
  children: ReactNode;
  /** Returns false when the form is not yet right; its fields say why. */
  onSubmit: () => Promise<boolean>;
  onClose: () => void;
}

export function FormModal({ title, submitText, children, onSubmit, onClose }: Props) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const submit = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      if (await onSubmit()) onClose();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal visible size="medium" header={title} closeAriaLabel="Close" onDismiss={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void submit();
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button formAction="none" variant="link" onClick={onClose}>
                Cancel
              </Button>
              <Button variant="primary" loading={busy}>
                {submitText}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            {children}
            {problem && (
              <Alert type="error" header={problem.title} statusIconAriaLabel="Error">
                {problem.detail}
                {problem.requestId && <Box variant="small" display="block" color="inherit">Request id: {problem.requestId}</Box>}
              </Alert>
            )}
          </SpaceBetween>
        </Form>
      </form>
    </Modal>
  );
}
