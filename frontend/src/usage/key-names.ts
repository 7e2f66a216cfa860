/** The names of API tokens; their ids do where the tokens cannot be read. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { listTokens } from '../api/tokens';

export function useKeyNames(wanted = true): ReadonlyMap<string, string> {
  const tokens = useQuery({ queryKey: ['tokens'], queryFn: listTokens, enabled: wanted });
  return useMemo(() => new Map((tokens.data ?? []).map((token) => [token.tokenUUID, token.name])), [tokens.data]);
}
