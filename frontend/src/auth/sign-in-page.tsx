/** What somebody sees who is not signed in (any more). */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { Logo } from '../layout/logo';
import { useTitle } from '../layout/page';

export function SignInPage({ reason, onSignIn }: { reason?: string; onSignIn: () => Promise<void> }) {
  useTitle('Sign in');
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const begin = async () => {
    setBusy(true);
    setFailed(false);
    try {
      await onSignIn();
    } catch {
      setFailed(true);
      setBusy(false);
    }
  };
  return (
    <main className="sign-in">
      <Container>
        <div className="sign-in-card">
          <SpaceBetween size="l">
            <SpaceBetween size="xs" alignItems="center">
              <Logo size={48} />
              <Box variant="h1" textAlign="center">
                LISA
              </Box>
              <Box variant="p" textAlign="center" color="text-body-secondary">
                Chat with language models, and with your documents: answers show their sources.
              </Box>
            </SpaceBetween>
            {reason && !failed && (
              <Alert type="info" statusIconAriaLabel="Information">
                {reason}
              </Alert>
            )}
            {failed && (
              <Alert type="error" header="The sign-in service cannot be reached" statusIconAriaLabel="Error">
                Check your connection, then try again.
              </Alert>
            )}
            <Button variant="primary" fullWidth loading={busy} onClick={() => void begin()}>
              Sign in
            </Button>
          </SpaceBetween>
        </div>
      </Container>
    </main>
  );
}
