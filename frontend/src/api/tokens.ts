import { request, segment } from './client';
import type { ApiToken, CreatedToken } from './types';

export const listTokens = async (): Promise<ApiToken[]> => (await request<{ tokens: ApiToken[] }>('GET', 'api-tokens')).tokens;

/** `tokenExpiration`: seconds since 1970. */
export const createToken = (name: string, tokenExpiration: number): Promise<CreatedToken> =>
  request('POST', 'api-tokens', { json: { name, tokenExpiration } });

export const deleteToken = (tokenUUID: string): Promise<unknown> => request('DELETE', `api-tokens/${segment(tokenUUID)}`);
