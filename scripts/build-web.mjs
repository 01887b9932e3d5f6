// Builds the web pages when their sources have changed since the last time. Plain JavaScript: it also runs on the host's
// own Node, before the project's is known to be there.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const WEB = join(ROOT, 'web');
const DIST = join(WEB, 'watch', 'dist');
const STAMP = join(DIST, '.sources');

/** Worth compressing; pictures and fonts are compressed already. */
const COMPRESSIBLE = /\.(?:js|css|svg|json)$/;

/**
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<boolean>} whether anything was built
 */
export async function buildWeb({ log = () => {} } = {}) {
  const stamp = stampOfSources();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return false;
  log('building the watch page');
  const { build } = await import('vite');
  await build({ configFile: join(WEB, 'vite.config.ts'), logLevel: 'warn' });
  await Promise.all(
    filesUnder(DIST)
      .filter(file => COMPRESSIBLE.test(file))
      .map(compress),
  );
  // Last of all: a build that was interrupted must not count as done.
  writeFileSync(STAMP, stamp);
  return true;
}

/** A hash over everything that the built page is made of. */
function stampOfSources() {
  const hash = createHash('sha256');
  const sources = filesUnder(WEB).filter(file => !file.endsWith('.test.ts'));
  for (const file of [...sources, join(ROOT, 'package-lock.json'), fileURLToPath(import.meta.url)]) {
    hash
      .update(`${relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && (name !== 'dist' || folder === DIST))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => (entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)]));
}

/** Lays a .gz and a .br beside the file, for the server to send as they are. */
async function compress(file) {
  const content = readFileSync(file);
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  const [gzipped, brotlied] = await Promise.all([
    promisify(gzip)(content, { level: constants.Z_BEST_COMPRESSION }),
    promisify(brotliCompress)(content, brotli),
  ]);
  writeFileSync(`${file}.gz`, gzipped);
  writeFileSync(`${file}.br`, brotlied);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const built = await buildWeb({ log: console.log });
  if (!built) console.log('the watch page is up to date');
}
