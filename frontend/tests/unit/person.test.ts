import { expect, test } from 'vitest';
import { configOf } from '../../src/api/config';
import { groupsOf, personOf } from '../../src/auth/person';

const config = configOf({ authority: 'a', clientId: 'c', redirectUri: 'r' });

test.each([
  [{ 'cognito:groups': ['admin'] }, 'cognito:groups', ['admin']],
  [{ realm_access: { roles: ['a', 'b'] } }, 'realm_access.roles', ['a', 'b']],
  [{ 'https://x.example/groups': 'a b' }, 'https://x.example/groups', ['a', 'b']],
  [{}, 'cognito:groups', []],
  [{ groups: [1, 'a'] }, 'groups', ['a']],
])('groups are found in %j under %s', (claims, claim, groups) => {
  expect(groupsOf(claims, claim)).toEqual(groups);
});

test('an admin may do what a RAG admin and an API user may', () => {
  expect(personOf({ sub: 'u', 'cognito:groups': ['admin'] }, config)).toMatchObject({ isAdmin: true, isRagAdmin: true, mayIssueTokens: true });
});

test('a user without groups gets no administration', () => {
  expect(personOf({ sub: 'u', email: 'u@x' }, config)).toEqual({
    username: 'u',
    displayName: 'u@x',
    isAdmin: false,
    isRagAdmin: false,
    mayIssueTokens: false,
  });
});
