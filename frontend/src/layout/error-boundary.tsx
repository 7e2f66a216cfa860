/** Keeps one broken page from taking the whole application with it. */
import Box from '@cloudscape-design/components/box';
import { Component, type ReactNode } from 'react';
import { ProblemBox } from './page-states';

const NOT_LOADED = /dynamically imported module|Importing a module script failed|Unable to preload/;

interface State {
  error?: Error;
}

export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = {};

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    const problem = NOT_LOADED.test(error.message)
      ? { title: 'A part of the page could not be loaded', detail: 'A newer version was published meanwhile, or the connection was lost. Reload to go on.' }
      : { title: 'This page stopped working', detail: `${error.message} Your chats and documents are safe. Reload to go on.` };
    return (
      <Box padding="l">
        <ProblemBox problem={problem} onRetry={() => window.location.reload()} retryText="Reload" />
      </Box>
    );
  }
}
