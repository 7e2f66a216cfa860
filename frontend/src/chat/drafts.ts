/** What was not saved yet, kept in this tab: a reload, a lost connection or an ended sign-in loses nothing. */
import type { SessionConfiguration, StoredMessage } from '../api/types';

export interface Draft {
  messages: StoredMessage[];
  configuration: SessionConfiguration;
}

const PREFIX = 'lisa.unsaved.';

export class Drafts {
  private readonly prefix: string;
  private isOpen = true;

  /** `username` keeps one person's drafts from the next who signs in at this tab. */
  constructor(
    username: string,
    private readonly storage: Storage = window.sessionStorage,
  ) {
    this.prefix = `${PREFIX}${username}.`;
  }

  keep(sessionId: string, draft: Draft): void {
    if (!this.isOpen) return;
    try {
      this.storage.setItem(this.prefix + sessionId, JSON.stringify(draft));
    } catch {
      this.drop(sessionId); // the storage is full: an older draft must not pass for this one
    }
  }

  get(sessionId: string): Draft | undefined {
    const kept = this.storage.getItem(this.prefix + sessionId);
    return kept === null ? undefined : (JSON.parse(kept) as Draft);
  }

  drop(sessionId: string): void {
    this.storage.removeItem(this.prefix + sessionId);
  }

  /** Drops everybody's and keeps no more: somebody signs out, perhaps while an answer is still being written. */
  close(): void {
    this.isOpen = false;
    const keys = Array.from({ length: this.storage.length }, (_, index) => this.storage.key(index) ?? '');
    for (const key of keys) if (key.startsWith(PREFIX)) this.storage.removeItem(key);
  }
}
