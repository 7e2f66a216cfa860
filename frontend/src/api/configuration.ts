import { request } from './client';
import type { components } from './openapi';
import type { GlobalConfiguration } from './types';

/** The newest global configuration. */
export async function globalConfiguration(): Promise<GlobalConfiguration> {
  const versions = await request<components['schemas']['ConfigurationVersion'][]>('GET', 'configuration', { query: { configScope: 'global' } });
  return [...versions].sort((a, b) => b.versionId - a.versionId)[0]?.configuration ?? {};
}
