/** Two small build steps for a light first load: fonts leave the style sheet, and text files get a `.br` twin. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import type { Plugin } from 'vite';

const INLINE_FONT = /url\(["']?data:(?:application|font)\/(?:x-)?(?:font-)?woff2?;(?:charset=utf-8;)?base64,([A-Za-z0-9+/=]+)["']?\)/g;
const TEXT = /\.(?:js|css|html|svg|json)$/;
const WORTH_IT = 1024; // bytes; below that a compressed twin saves nothing
const QUALITY = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }; // 11 is 7 % smaller and takes ten times as long

/** Cloudscape ships Open Sans as base64 in its CSS (183 kB compressed, all weights): as files, a browser loads what it draws. */
export function fontsAsFiles(): Plugin {
  return {
    name: 'fonts-as-files',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post', // when the style sheet is whole
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          if (file.type !== 'asset' || !file.fileName.endsWith('.css')) continue;
          const css = typeof file.source === 'string' ? file.source : Buffer.from(file.source).toString('utf8');
          file.source = css.replace(INLINE_FONT, (_match, base64: string) => {
            const source = Buffer.from(base64, 'base64');
            const name = `font-${createHash('sha256').update(source).digest('hex').slice(0, 10)}.woff2`;
            this.emitFile({ type: 'asset', fileName: `assets/${name}`, source });
            return `url(${name})`;
          });
        }
      },
    },
  };
}

/** Writes `file.br` beside each text file. Publishing makes the gzip form by itself. */
export function compressed(): Plugin {
  let folder = '';
  return {
    name: 'compressed',
    apply: 'build',
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !TEXT.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const content = readFileSync(path);
        if (content.length > WORTH_IT) writeFileSync(`${path}.br`, brotliCompressSync(content, QUALITY));
      }
    },
  };
}
