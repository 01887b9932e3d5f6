// `npm test` (and `npm run check`): installs and builds what is missing, then format, lint, types and every test. As
// root the tests run inside a network namespace of their own, so that nothing they send can leave it.
//   npm test                       everything
//   npm test -- FILE [FILE ...]    these test files alone
// Plain JavaScript: the first time, only the host's own Node is there.

import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { installDebianPackages } from './debian-packages.mjs';
import { build, install, log, main, NODE, ROOT, run, step } from './steps.mjs';

const TESTS = ['src/**/*.test.ts', 'web/**/*.test.ts', 'test/**/*.test.ts'];

const PROJECTS = ['.', 'test', 'web'];

/** Biome takes a pipe for a terminal. */
const COLOURS = process.stdout.isTTY ? [] : ['--colors=off'];

/** Longer than any test's own time-out: what hangs for so long has lost its clock. */
const TEST_TIMEOUT_MS = 300_000;

await main(async () => {
  await install();
  await build();
  const files = process.argv.slice(2);
  await step('Debian packages', () => installDebianPackages({ log }));
  if (files.length === 0) {
    await step('format and lint', () => check('biome', ['ci', '--error-on-warnings', ...COLOURS, '.']));
    await step('types', async () => {
      for (const project of PROJECTS) await check('tsc', ['--noEmit', '-p', project]);
    });
  }
  return test(files.length === 0 ? TESTS : files);
});

async function check(program, args) {
  if ((await run(join(ROOT, 'node_modules', '.bin', program), args)) !== 0) throw new Error(`${program} found faults.`);
}

async function test(files) {
  const [command, ...before] = canIsolate() ? ['unshare', '--net', join(ROOT, 'scripts', 'network.sh'), NODE] : [NODE];
  // One file at a time: the interop tests measure, and would disturb each other.
  const options = ['--test', '--test-concurrency=1', `--test-timeout=${TEST_TIMEOUT_MS}`];
  const child = spawn(command, [...before, ...options, ...files], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  let tail = '';
  child.stdout.on('data', chunk => {
    process.stdout.write(chunk);
    tail = (tail + chunk).slice(-4096);
  });
  const code = await new Promise(resolve => child.once('close', resolve));
  const skipped = Number(/skipped (\d+)\s/.exec(tail)?.[1] ?? 0);
  if (code === 0 && process.env.CI === 'true' && skipped > 0) {
    console.error(`${skipped} tests were skipped; here none may be: the reasons stand above.`);
    return 1;
  }
  return code;
}

/** Needs root, and a kernel that lets a namespace have an address. */
function canIsolate() {
  const script = join(ROOT, 'scripts', 'network.sh');
  const works = spawnSync('unshare', ['--net', script, 'true'], { stdio: 'ignore' }).status === 0;
  if (!works)
    log('no network namespace can be made (that needs root and iproute2): the tests that need it are skipped');
  return works;
}
