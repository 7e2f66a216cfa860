/** What each list shows when it is loading, failed or empty. */
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import type { ReactNode } from 'react';
import { problemOf } from '../api/errors';
import type { Problem } from '../api/types';
import { momentOf, useSecondsUntil } from './time';

const COUNTED_S = 120; // a longer wait is told as a time, and not counted down

export function ProblemBox({ problem, onRetry, retryText = 'Try again' }: { problem: Problem; onRetry?: () => void; retryText?: string }) {
  const seconds = useSecondsUntil(problem.retryAt);
  const counted = seconds > 0 && seconds <= COUNTED_S;
  return (
    <Alert
      type="error"
      header={problem.title}
      statusIconAriaLabel="Error"
      action={
        onRetry && (
          <Button disabled={counted} onClick={onRetry}>
            {counted ? `${retryText} in ${seconds} s` : retryText}
          </Button>
        )
      }
    >
      {problem.detail}
      {seconds > COUNTED_S && problem.retryAt && ` Possible again ${momentOf(problem.retryAt)}.`}
      {problem.help && (
        <div>
          <Link href={problem.help.href}>{problem.help.text}</Link>
        </div>
      )}
      {problem.requestId && (
        <Box variant="small" display="block" color="inherit">
          Request id: {problem.requestId}
        </Box>
      )}
    </Alert>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <Box padding="l" textAlign="center" color="text-status-inactive">
      <SpaceBetween direction="horizontal" size="xs" alignItems="center">
        <Spinner />
        <span role="status">{what}</span>
      </SpaceBetween>
    </Box>
  );
}

export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <Box textAlign="center" margin={{ vertical: 'm' }} color="inherit">
      <SpaceBetween size="xs">
        <Box variant="strong" color="inherit">
          {title}
        </Box>
        {children && (
          <Box variant="p" color="text-body-secondary">
            {children}
          </Box>
        )}
        {action}
      </SpaceBetween>
    </Box>
  );
}

interface Listing<T> {
  data?: T;
  error: unknown;
  isPending: boolean;
  refetch(): unknown;
}

/** Shows `children` for loaded data, and otherwise says what is going on. A failed refresh keeps the old data on the page. */
export function Listed<T>({ of, what, children }: { of: Listing<T>; what: string; children: (data: T) => ReactNode }) {
  if (of.data !== undefined) {
    return (
      <SpaceBetween size="s">
        {of.error ? <ProblemBox problem={problemOf(of.error)} onRetry={() => void of.refetch()} /> : null}
        {children(of.data)}
      </SpaceBetween>
    );
  }
  if (of.error) return <ProblemBox problem={problemOf(of.error)} onRetry={() => void of.refetch()} />;
  return <Loading what={`Loading ${what}`} />;
}
