// Builds native/ into build/dialcast.node with the machine's C++ compiler, against the headers that come with the
// pinned Node: OpenSSL, libuv and Node-API are all in that one binary, so nothing else is needed or linked. Beside it
// native/confine into build/confine, the program through which transcoders are started.

import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const OUTPUT = join(ROOT, 'build', 'dialcast.node');
const CONFINE = join(ROOT, 'build', 'confine');
const STAMP = join(ROOT, 'build', 'dialcast.node.stamp');
const COMPILERS = ['c++', 'g++', 'clang++'];
const FLAGS = [
  '-std=c++20',
  '-O3',
  '-fPIC',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
  '-DNAPI_VERSION=9',
  '-DNAPI_CPP_EXCEPTIONS',
  '-DNODE_ADDON_API_DISABLE_DEPRECATED',
];

/** Builds the add-on when a source, a flag or Node's version changed. `log` gets a line when there is work to do. */
export async function buildNative({ log }) {
  const sources = readdirSync(join(ROOT, 'native'))
    .filter(name => name.endsWith('.cc'))
    .map(name => join(ROOT, 'native', name));
  const stamp = fingerprint();
  const isThere = [OUTPUT, CONFINE, STAMP].every(file => existsSync(file));
  if (isThere && readFileSync(STAMP, 'utf8') === stamp) return false;
  await Promise.all([compileAddOn({ sources, output: OUTPUT, log }), compileConfine(log)]);
  writeFileSync(STAMP, stamp);
  return true;
}

/** Compiles C++ sources into one add-on at `output`, its object files beside it. */
export async function compileAddOn({ sources, output, log }) {
  const compiler = findCompiler(log);
  const include = includeFlags(log);
  log(`compiling ${basename(output)} with ${compiler}`);
  mkdirSync(dirname(output), { recursive: true });
  const objects = await Promise.all(
    sources.map(async source => {
      const object = join(dirname(output), `${basename(source)}.o`);
      await promisify(execFile)(compiler, [...FLAGS, ...include, '-c', source, '-o', object]);
      return object;
    }),
  );
  // Linked beside and renamed, so that a running program never maps a half-written file.
  await promisify(execFile)(compiler, ['-shared', ...objects, '-o', `${output}.new`]);
  renameSync(`${output}.new`, output);
}

/** Nothing to link with: it is started for every channel and has to be quick. */
async function compileConfine(log) {
  const source = join(ROOT, 'native', 'confine', 'confine.cc');
  mkdirSync(dirname(CONFINE), { recursive: true });
  const flags = ['-std=c++20', '-O2', '-Wall', '-Wextra', '-static-libstdc++', '-static-libgcc'];
  await promisify(execFile)(findCompiler(log), [...flags, source, '-o', `${CONFINE}.new`]);
  renameSync(`${CONFINE}.new`, CONFINE);
}

function fingerprint() {
  const hash = createHash('sha256').update(FLAGS.join(' ')).update(process.arch);
  for (const name of ['node', 'node-addon-api'])
    hash.update(readFileSync(join(ROOT, 'node_modules', name, 'package.json')));
  const files = readdirSync(join(ROOT, 'native'), { recursive: true }).filter(name => /\.(?:cc|h)$/.test(name));
  for (const name of files.sort()) hash.update(readFileSync(join(ROOT, 'native', name)));
  return hash.digest('hex');
}

/** The include directories of the add-on's two header packages, as compiler flags. */
export function includeFlags(log = () => {}) {
  const find = () =>
    readdirSync(join(ROOT, 'node_modules', 'node', 'node_modules'))
      .map(name => join(ROOT, 'node_modules', 'node', 'node_modules', name, 'include', 'node'))
      .find(path => existsSync(path));
  let headers = find();
  if (headers === undefined) {
    // npm prunes what a package's own install script put there; rebuilding that package brings it back.
    log('restoring the headers of Node');
    execFileSync('npm', ['rebuild', 'node'], { cwd: ROOT, stdio: 'ignore' });
    headers = find();
  }
  if (headers === undefined)
    throw new Error('The headers of Node are missing: delete node_modules and run `npm start`.');
  return ['-isystem', headers, '-isystem', join(ROOT, 'node_modules', 'node-addon-api')];
}

/** The name of a C++ compiler; installs Debian's when it may, else says what is missing. */
export function findCompiler(log) {
  const works = name => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;
  const found = COMPILERS.find(works);
  if (found !== undefined) return found;
  const hasApt = spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
  if (process.getuid?.() === 0 && hasApt) {
    log('no C++ compiler found: installing g++ with apt-get');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'g++', 'libc6-dev'], {
      stdio: 'inherit',
      env,
    });
    const installed = COMPILERS.find(works);
    if (installed !== undefined) return installed;
  }
  throw new Error('A C++20 compiler is needed: install g++ (Debian: `apt-get install g++`) and start again.');
}
