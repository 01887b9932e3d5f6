// What `npm start`, `npm test` and `npm run bench` have in common: named steps with their time, and programs that run
// with the terminal's own input and output. Plain JavaScript: it also runs on the host's own Node.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The Node that the project pins. */
export const NODE = join(ROOT, 'node_modules', '.bin', 'node');

/** Does one step and says how long it took; `work` answers false when there was nothing to do. */
export async function step(name, work) {
  const startedAtMs = performance.now();
  const worked = await work();
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  console.error(`${name}: ${worked === false ? 'up to date' : 'done'} (${seconds} s)`);
}

export const log = line => console.error(`  ${line}`);

/** Runs a program to its end and resolves with its exit code; signals to us are passed on to it. */
export function run(command, args, options = {}) {
  const child = spawn(command, args, { stdio: 'inherit', cwd: ROOT, ...options });
  const pass = signal => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, pass);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      for (const each of ['SIGINT', 'SIGTERM']) process.off(each, pass);
      resolve(code ?? (signal === null ? 1 : 128));
    });
  });
}

/** Ends this program with words instead of a stack when a step fails. */
export async function main(work) {
  try {
    process.exitCode = await work();
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}

/** Installs the packages of the lock file when what is there does not come from it. */
export function install() {
  return step('packages', async () => {
    if (isInstalled()) return false;
    log('installing the packages of package-lock.json');
    if ((await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])) !== 0) {
      throw new Error('npm could not install the packages: its message above says why. Mend that and start again.');
    }
  });
}

/**
 * Builds what is missing or older than its sources; under the pinned Node, which the bundler wants. Only before the
 * first installation does npm run a script on the host's own.
 */
export async function build() {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules', 'node', 'package.json'), 'utf8'));
  if (process.versions.node !== version) {
    if ((await run(NODE, [join(ROOT, 'scripts', 'build.mjs')])) !== 0) throw new Error('The build failed.');
    return;
  }
  const { buildNative } = await import('./build-native.mjs');
  const { buildWeb } = await import('./build-web.mjs');
  const { rehearseTranscoder } = await import('./rehearse-transcoder.mjs');
  await step('native add-on', () => buildNative({ log }));
  await step('web pages', () => buildWeb({ log }));
  await step('compile cache', () => rehearseTranscoder({ root: ROOT, node: NODE }));
}

/** npm keeps a copy of the lock file that it installed; ours lists more (other platforms), never something else. */
function isInstalled() {
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(installed) || !existsSync(NODE)) return false;
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || present[path]?.version === version,
  );
}
