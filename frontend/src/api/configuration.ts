import { request } from './client';
import type { GlobalConfiguration } from './types';

interface Version {
  versionId: number;
  configuration: GlobalConfiguration;
}

/** The newest global configuration; empty when none was saved yet. */
export async function globalConfiguration(): Promise<GlobalConfiguration> {
  const versions = await request<Version[]>('GET', 'configuration', { query: { configScope: 'global' } });
  return [...versions].sort((a, b) => b.versionId - a.versionId)[0]?.configuration ?? {};
}
