/** One kind of error for everything that goes wrong between this page and the API, with words for people. */
import type { Problem } from './types';

export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    /** HTTP status; 0 when there was no answer at all. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId?: string,
    /** When the server is willing again, of a refusal for now. */
    readonly retryAt?: Date,
  ) {
    super(message);
  }

  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

export const offline = (): ApiError =>
  new ApiError(0, 'offline', 'The server cannot be reached. Check your connection, then try again.');

const TITLES: Record<number, string> = {
  0: 'No connection',
  401: 'You are signed out',
  403: 'You may not do this',
  404: 'Not found',
  409: 'Not possible right now',
  413: 'Too large',
  415: 'This kind of file is not supported',
  429: 'Too many requests',
  502: 'A service behind LISA failed',
  503: 'Not available right now',
  504: 'This took too long',
};

const FALLBACKS: Record<number, string> = {
  401: 'Sign in again.',
  403: 'Your groups do not allow it. Ask an administrator for access.',
  404: 'It may have been deleted in the meantime.',
  429: 'Wait a moment, then try again.',
  504: 'Try again, or with a shorter request.',
};

/** Refusals that a quota causes: its owner can see there how much is left. */
const QUOTA_TITLES: Record<string, string> = {
  rate_limit_exceeded: 'Too many requests for now',
  budget_exceeded: 'The budget does not allow this',
};
const MY_USAGE = { text: 'See My usage', href: '#/my-usage' };

/** What to show of any thrown thing. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) {
    const quota = QUOTA_TITLES[error.code];
    const title = quota ?? TITLES[error.status] ?? (error.status >= 500 ? 'Something went wrong on the server' : 'The request was refused');
    return {
      title,
      detail: error.message,
      ...(error.requestId ? { requestId: error.requestId } : {}),
      ...(error.retryAt ? { retryAt: error.retryAt.toISOString() } : {}),
      ...(quota ? { help: MY_USAGE } : {}),
    };
  }
  return { title: 'Something went wrong in this page', detail: error instanceof Error ? error.message : 'Reload the page and try again.' };
}

/** Reads our own shape `{code, message, requestId}`, OpenAI's `{error: {…}}`, API Gateway's `{message}` and bare strings. */
export function errorOf(status: number, text: string, headerRequestId?: string | null, retryAt?: Date): ApiError {
  const body = parsed(text);
  const shape = isRecord(body) && isRecord(body.error) ? body.error : body;
  const field = (name: string): string | undefined =>
    isRecord(shape) && typeof shape[name] === 'string' ? shape[name] : isRecord(body) && typeof body[name] === 'string' ? body[name] : undefined;
  const message = typeof shape === 'string' ? shape : (field('message') ?? field('Message') ?? field('detail'));
  const requestId = field('requestId') ?? headerRequestId ?? undefined;
  const said = message && message !== 'Unauthorized' && message !== 'Forbidden' ? message : undefined;
  return new ApiError(status, field('code') ?? `http_${status}`, said ?? FALLBACKS[status] ?? `The server answered with status ${status}.`, requestId, retryAt);
}

/** A `Retry-After` header, in seconds or as a date; undefined when it says nothing of use. */
export function retryAtOf(header: string | null, now: Date): Date | undefined {
  if (!header) return undefined;
  const time = /^\d+$/.test(header) ? now.getTime() + Number(header) * 1000 : Date.parse(header);
  const date = new Date(time);
  return Number.isNaN(date.getTime()) || date <= now ? undefined : date;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // an HTML page of some proxy says nothing to people
  }
}
