// `npm test` (and `npm run check`): installs and builds what is missing, then format, lint, types and every test. As
// root the tests run inside network namespaces of their own, so that nothing they send can leave them.
//   npm test                       everything
//   npm test -- FILE [FILE ...]    these test files alone
// Plain JavaScript: the first time, only the host's own Node is there.

import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { installDebianPackages } from './debian-packages.mjs';
import { build, install, log, main, NODE, ROOT, run, step } from './steps.mjs';

const UNIT = ['src/**/*.test.ts', 'web/**/*.test.ts', 'test/{fuzz,repo}/**/*.test.ts'];

const INTEROP = 'test/interop';

/** Those of them that wait more than they work: protocol time-outs, refusals. */
const WAITING = /^(?:cancel|platform|platform-transports|refusals|sipp|sipp-.*|trusted)\.test\.ts$/;

const PROJECTS = ['.', 'test', 'web'];

/** Biome takes a pipe for a terminal. */
const COLOURS = process.stdout.isTTY ? [] : ['--colors=off'];

/** What the runner says in the end. */
const COUNTS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'];
const TAIL_CHARACTERS = 65_536;

/** Longer than any test's own time-out: what hangs for so long has lost its clock. */
const TEST_TIMEOUT_MS = 600_000;

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
  return files.length === 0 ? testAll() : test(files);
});

async function check(program, args) {
  if ((await run(join(ROOT, 'node_modules', '.bin', program), args)) !== 0) throw new Error(`${program} found faults.`);
}

async function test(files) {
  return codeOf([await runTests(isolation(), files, { concurrency: 1, isShown: true })]);
}

async function testAll() {
  const network = isolation();
  const interop = readdirSync(join(ROOT, INTEROP)).filter(name => name.endsWith('.test.ts'));
  const named = names => names.map(name => `${INTEROP}/${name}`);
  const unit = await runTests(network, UNIT, { concurrency: availableParallelism(), isShown: true });
  // One file at a time, since they measure and would disturb each other; beside them those that leave the machine idle.
  const lanes = await Promise.all([
    runTests(network, named(interop.filter(name => !WAITING.test(name))), { concurrency: 1, isShown: true }),
    runTests(network, named(interop.filter(name => WAITING.test(name))), { concurrency: 1, isShown: false }),
  ]);
  const all = [unit, ...lanes];
  console.log('\nall together:');
  for (const name of COUNTS) console.log(`ℹ ${name} ${all.reduce((sum, { counts }) => sum + counts[name], 0)}`);
  return codeOf(all);
}

/** Runs files in a network of their own. What they print is shown as it comes, or once they are done. */
async function runTests(network, files, { concurrency, isShown }) {
  const options = ['--test', `--test-concurrency=${concurrency}`, `--test-timeout=${TEST_TIMEOUT_MS}`];
  const [command, ...args] = [...network, NODE, ...options, ...files];
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', chunk => {
    output += chunk;
    if (isShown) process.stdout.write(chunk);
  });
  const code = await new Promise(resolve => child.once('close', resolve));
  if (!isShown) process.stdout.write(output);
  const tail = output.slice(-TAIL_CHARACTERS);
  const count = name => Number(new RegExp(`^. ${name} (\\d+)$`, 'm').exec(tail)?.[1] ?? 0);
  return { code, counts: Object.fromEntries(COUNTS.map(name => [name, count(name)])) };
}

function codeOf(lanes) {
  const skipped = lanes.reduce((sum, { counts }) => sum + counts.skipped, 0);
  const code = lanes.map(lane => lane.code).find(each => each !== 0) ?? 0;
  if (code === 0 && process.env.CI === 'true' && skipped > 0) {
    console.error(`${skipped} tests were skipped; here none may be: the reasons stand above.`);
    return 1;
  }
  return code;
}

/**
 * What has a command run in a network namespace; nothing where none can be made, since that needs root and a kernel that
 * lets a namespace have an address.
 */
function isolation() {
  const command = ['unshare', '--net', join(ROOT, 'scripts', 'network.sh')];
  if (spawnSync(command[0], [...command.slice(1), 'true'], { stdio: 'ignore' }).status === 0) return command;
  log('no network namespace can be made (that needs root and iproute2): the tests that need it are skipped');
  return [];
}
