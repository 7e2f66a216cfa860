/** The one way to the API: adds the credential, turns failures into ApiError, never repeats what is not idempotent. */
import { ApiError, errorOf, offline, retryAtOf } from './errors';

export interface Identity {
  /** The bearer token, renewed if need be; null when nobody is signed in. */
  token(): Promise<string | null>;
  /** Called when the API does not accept the token any more. */
  rejected(): void;
}

export interface RequestOptions {
  query?: Record<string, string | number | boolean | null | undefined>;
  json?: unknown;
  /** A body that is not JSON, with its type. */
  raw?: { body: string; contentType: string };
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const TIMEOUT_MS = 45_000; // API Gateway gives up at 29 s
let identity: Identity = { token: async () => null, rejected: () => undefined };

export function identifyWith(source: Identity): void {
  identity = source;
}

/** The page, the API and Serve share one origin and one base path. */
export function apiUrl(path: string, query: RequestOptions['query'] = {}): string {
  const url = new URL(path, new URL('.', document.baseURI.replace(/[?#].*$/, '')));
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') url.searchParams.set(name, String(value));
  }
  return url.toString();
}

/** Path segment of an id: ids may hold any character. */
export const segment = encodeURIComponent;

export async function send(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
  const token = await identity.token();
  if (token === null) {
    identity.rejected();
    throw new ApiError(401, 'unauthorized', 'Your session has ended. Sign in again.');
  }
  const headers: Record<string, string> = { ...options.headers, Authorization: `Bearer ${token}` };
  let body: string | undefined;
  if (options.raw) {
    headers['Content-Type'] = options.raw.contentType;
    body = options.raw.body;
  } else if (options.json !== undefined) {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(options.json);
  }
  const response = await answered(
    fetch(apiUrl(path, options.query), { method, headers, body: body ?? null, signal: options.signal ?? null, cache: 'no-store' }),
  );
  if (response.ok) return response;
  const text = await response.text().catch(() => '');
  if (response.status === 401) identity.rejected();
  const requestId = response.headers.get('x-amzn-requestid') ?? response.headers.get('x-request-id');
  throw errorOf(response.status, text, requestId, retryAtOf(response.headers.get('retry-after'), new Date()));
}

export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  const response = await send(method, path, { ...options, signal });
  const text = await response.text();
  if (text === '') return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError(502, 'not_json', 'The server sent an answer that this page does not understand. Reload the page.');
  }
}

async function answered(call: Promise<Response>): Promise<Response> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') {
      throw new ApiError(504, 'timeout', 'The server took too long to answer. Try again.');
    }
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw offline();
  }
}
