/** Who is signed in, and which pages their groups open. The API decides for itself; this only spares people dead ends. */
import type { Config } from '../api/config';
import { isRecord } from '../api/errors';

export interface Person {
  username: string;
  displayName: string;
  isAdmin: boolean;
  isRagAdmin: boolean;
  mayIssueTokens: boolean;
}

export function personOf(claims: Record<string, unknown>, config: Config): Person {
  const groups = groupsOf(claims, config.groupsClaim);
  const isAdmin = groups.includes(config.adminGroup);
  const text = (name: string): string => (typeof claims[name] === 'string' ? claims[name] : '');
  const username = text('cognito:username') || text('username') || text('sub');
  return {
    username,
    displayName: text('name') || text('email') || username,
    isAdmin,
    isRagAdmin: isAdmin || groups.includes(config.ragAdminGroup),
    mayIssueTokens: isAdmin || groups.includes(config.apiGroup),
  };
}

/** `claim` is a claim's literal name (`cognito:groups`) or a path into nested claims (`realm_access.roles`). */
export function groupsOf(claims: Record<string, unknown>, claim: string): string[] {
  let value: unknown = claims[claim];
  if (value === undefined) {
    value = claims;
    for (const part of claim.split('.')) value = isRecord(value) ? value[part] : undefined;
  }
  if (typeof value === 'string') return value.split(/[\s,]+/).filter(Boolean);
  return Array.isArray(value) ? value.filter((group): group is string => typeof group === 'string') : [];
}
