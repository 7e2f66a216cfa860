/** Settings of this deployment, written beside the page by the deploy. */
import { apiUrl } from './client';
import { ApiError, isRecord, offline } from './errors';

export interface Config {
  authority: string;
  clientId: string;
  redirectUri: string;
  logoutUrl?: string;
  scopes: string;
  adminGroup: string;
  ragAdminGroup: string;
  apiGroup: string;
  groupsClaim: string;
}

const REQUIRED = ['authority', 'clientId', 'redirectUri'] as const;

export async function loadConfig(): Promise<Config> {
  let response: Response;
  try {
    response = await fetch(apiUrl('config.json'), { cache: 'no-store' });
  } catch {
    throw offline();
  }
  if (!response.ok) throw new ApiError(response.status, 'no_config', 'This deployment has no config.json yet. Wait until the deploy has ended, then reload.');
  return configOf(await response.json().catch(() => null));
}

export function configOf(value: unknown): Config {
  const record = isRecord(value) ? value : {};
  const text = (name: string, fallback: string): string => (typeof record[name] === 'string' && record[name] ? record[name] : fallback);
  const missing = REQUIRED.filter((name) => text(name, '') === '');
  if (missing.length > 0) {
    throw new ApiError(500, 'bad_config', `config.json lacks ${missing.join(', ')}. Deploy again, or ask an administrator.`);
  }
  const scopes = Array.isArray(record.scopes) ? record.scopes.join(' ') : text('scopes', 'openid email profile');
  const logoutUrl = text('logoutUrl', '');
  return {
    authority: text('authority', ''),
    clientId: text('clientId', ''),
    redirectUri: text('redirectUri', ''),
    ...(logoutUrl ? { logoutUrl } : {}),
    scopes,
    adminGroup: text('adminGroup', 'admin'),
    ragAdminGroup: text('ragAdminGroup', 'rag-admin'),
    apiGroup: text('apiGroup', 'api'),
    groupsClaim: text('groupsClaim', 'cognito:groups'),
  };
}
