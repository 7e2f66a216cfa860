/** Entry: the deployment's settings, then the sign-in, then the page. */
import '@cloudscape-design/global-styles/index.css';
import './styles.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { loadConfig } from './api/config';
import { problemOf } from './api/errors';
import { identifyWith } from './api/client';
import { App } from './app';
import { SignIn } from './auth/sign-in';
import { ProblemBox } from './layout/page-states';
import { startTheme } from './theme/theme';

async function start(): Promise<void> {
  startTheme();
  const root = createRoot(document.getElementById('root') as HTMLElement);
  try {
    const config = await loadConfig();
    const signIn = new SignIn(config);
    identifyWith(signIn);
    await signIn.start();
    root.render(
      <StrictMode>
        <App config={config} signIn={signIn} />
      </StrictMode>,
    );
  } catch (error) {
    root.render(
      <main className="sign-in">
        <ProblemBox problem={problemOf(error)} onRetry={() => window.location.reload()} retryText="Reload" />
      </main>,
    );
  }
}

void start();
