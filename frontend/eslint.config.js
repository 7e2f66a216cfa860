import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const onlyInApi = (name) => ({ name, message: 'Only src/api/ talks to the network.' });

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'src/api/openapi.ts', 'tests/mock/'] },
  ...tseslint.configs.recommended,
  reactHooks.configs.flat['recommended-latest'],
  {
    files: ['src/**/*.{ts,tsx}'],
    ignores: ['src/api/**'],
    rules: { 'no-restricted-globals': ['error', onlyInApi('fetch'), onlyInApi('XMLHttpRequest'), onlyInApi('EventSource')] },
  },
);
