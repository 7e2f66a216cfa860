/** OIDC authorization code with PKCE: sign in, renew in silence, sign out. Tokens live in sessionStorage of this tab. */
import { UserManager, WebStorageStateStore, type User } from 'oidc-client-ts';
import type { Config } from '../api/config';

export type SignInState =
  | { status: 'signed-in'; claims: Record<string, unknown> }
  | { status: 'signed-out'; reason?: string };

const ENDED = 'Your session has ended. Sign in again to go on where you were.';

export class SignIn {
  private readonly manager: UserManager;
  private readonly listeners = new Set<() => void>();
  private renewal: Promise<User | null> | undefined;
  private current: SignInState = { status: 'signed-out' };

  constructor(private readonly config: Config) {
    const store = new WebStorageStateStore({ store: window.sessionStorage });
    this.manager = new UserManager({
      authority: config.authority,
      client_id: config.clientId,
      redirect_uri: config.redirectUri,
      scope: config.scopes,
      response_type: 'code',
      userStore: store,
      stateStore: store,
      automaticSilentRenew: false, // renewed on demand in `token`: no timers that throttled tabs forget
      monitorSession: false,
      loadUserInfo: false,
    });
  }

  readonly state = (): SignInState => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Takes up the session of this tab, or ends the redirect back from the provider. */
  async start(): Promise<void> {
    const query = new URLSearchParams(window.location.search);
    if (query.has('state') && (query.has('code') || query.has('error'))) {
      await this.completeRedirect(query);
      return;
    }
    const user = await this.manager.getUser();
    if (user) this.accept(user);
  }

  /** Leaves the page for the provider; `start` returns to the same place. */
  async begin(): Promise<void> {
    await this.manager.signinRedirect({ state: { returnTo: window.location.hash } });
  }

  readonly end = async (): Promise<void> => {
    await this.manager.removeUser();
    this.set({ status: 'signed-out', reason: 'You are signed out.' });
    if (this.config.logoutUrl) window.location.assign(this.config.logoutUrl);
  };

  /** The id token, renewed with the refresh token when it is about to expire; null when that is not possible. */
  readonly token = async (): Promise<string | null> => {
    const user = await this.manager.getUser();
    if (!user) return null;
    const secondsLeft = (user.profile.exp ?? 0) - Date.now() / 1000;
    if (secondsLeft > 30) return user.id_token ?? null;
    if (!user.refresh_token) return null;
    this.renewal ??= this.manager.signinSilent().finally(() => (this.renewal = undefined));
    try {
      return (await this.renewal)?.id_token ?? null;
    } catch {
      return secondsLeft > 0 ? (user.id_token ?? null) : null;
    }
  };

  readonly rejected = (): void => {
    if (this.current.status === 'signed-out') return;
    this.set({ status: 'signed-out', reason: ENDED });
    void this.manager.removeUser();
  };

  private async completeRedirect(query: URLSearchParams): Promise<void> {
    const clean = window.location.pathname;
    try {
      const user = await this.manager.signinRedirectCallback();
      const returnTo = (user.state as { returnTo?: string } | undefined)?.returnTo;
      window.history.replaceState(null, '', clean + (returnTo?.startsWith('#/') ? returnTo : '#/'));
      this.accept(user);
    } catch {
      window.history.replaceState(null, '', clean + '#/');
      const user = await this.manager.getUser(); // a reload of the redirect's own address is not a failure
      if (user) this.accept(user);
      else this.set({ status: 'signed-out', reason: query.get('error_description') ?? 'Signing in was not completed. Try again.' });
    }
  }

  private accept(user: User): void {
    if (!user.id_token) this.set({ status: 'signed-out', reason: 'The identity provider sent no id token. Ask an administrator to check the scopes.' });
    else this.set({ status: 'signed-in', claims: user.profile as unknown as Record<string, unknown> });
  }

  private set(state: SignInState): void {
    this.current = state;
    for (const listener of this.listeners) listener();
  }
}
