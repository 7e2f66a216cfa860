/** The gate: the sign-in page, or everything else (loaded then, so that the gate itself is light). */
import I18nProvider from '@cloudscape-design/components/i18n';
import messages from '@cloudscape-design/components/i18n/messages/all.en';
import { lazy, Suspense, useSyncExternalStore } from 'react';
import type { Config } from './api/config';
import type { SignIn } from './auth/sign-in';
import { SignInPage } from './auth/sign-in-page';
import { Loading } from './layout/page-states';

const SignedIn = lazy(() => import('./signed-in'));

export function App({ config, signIn }: { config: Config; signIn: SignIn }) {
  const state = useSyncExternalStore(signIn.subscribe, signIn.state);
  return (
    <I18nProvider locale="en" messages={[messages]}>
      {state.status === 'signed-in' ? (
        <Suspense fallback={<Loading what="Loading LISA" />}>
          <SignedIn config={config} claims={state.claims} onSignOut={signIn.end} />
        </Suspense>
      ) : (
        <SignInPage reason={state.reason} onSignIn={() => signIn.begin()} />
      )}
    </I18nProvider>
  );
}
