import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { compressed, fontsAsFiles } from './build-steps/compact.ts';

const mock = 'http://127.0.0.1:8551';

export default defineConfig({
  base: './', // the page lives at / locally and at /prod/ in AWS
  plugins: [react(), fontsAsFiles(), compressed()],
  build: {
    target: 'es2023',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    cssCodeSplit: false, // few files: each is a request, and in AWS a function's invocation
  },
  server: {
    port: 8550,
    proxy: Object.fromEntries(
      ['/config.json', '/v1', '/models', '/session', '/repository', '/configuration', '/api-tokens', '/usage', '/mock-'].map((path) => [path, mock]),
    ),
  },
  test: {
    css: false,
    testTimeout: 60_000, // the suite shares its cores with a whole stack
    projects: [
      { extends: true, test: { name: 'unit', environment: 'node', include: ['tests/unit/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'components',
          environment: 'jsdom',
          include: ['tests/components/**/*.test.tsx'],
          setupFiles: ['tests/setup.ts'],
          server: { deps: { inline: [/@cloudscape-design/] } },
        },
      },
    ],
  },
});
