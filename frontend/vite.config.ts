import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { compressed, fontsAsFiles } from './build-steps/compact';

const mock = 'http://127.0.0.1:8551';

export default defineConfig({
  base: './', // the page lives at / locally and at /prod/ in AWS
  plugins: [react(), fontsAsFiles(), compressed('dist')],
  build: { target: 'es2023', modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1200 },
  server: {
    port: 8550,
    proxy: Object.fromEntries(
      ['/config.json', '/v1', '/models', '/session', '/repository', '/configuration', '/api-tokens', '/mock-'].map((path) => [path, mock]),
    ),
  },
  test: {
    environment: 'jsdom',
    include: ['tests/**/*.test.{ts,tsx}'],
    setupFiles: ['tests/setup.ts'],
    server: { deps: { inline: [/@cloudscape-design/] } },
    css: false,
  },
});
