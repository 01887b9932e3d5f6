import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIALCAST = join(ROOT, 'bin', 'dialcast');

describe('bin/dialcast', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dialcast-command-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs it to its end. */
  function dialcast(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    const env = { ...process.env, ...environment };
    const { status, stdout, stderr } = spawnSync(DIALCAST, args, { cwd: folder, encoding: 'utf8', env });
    return { status, stdout, stderr };
  }

  function config(name: string, text: string): string {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  }

  test('--help names the commands and options', () => {
    const { status, stdout } = dialcast(['--help']);
    assert.equal(status, 0);
    for (const word of ['serve', 'check', '--config', '--demo', 'DIALCAST_CONFIG'])
      assert.ok(stdout.includes(word), word);
  });

  test('--version is the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    assert.deepEqual(dialcast(['--version']), { status: 0, stdout: `${version}\n`, stderr: '' });
  });

  for (const [args, fault] of [
    [[], /no command/],
    [['sreve'], /unknown command sreve/],
    [['serve', 'now'], /too much: now/],
    [['serve', '--confg', 'x'], /--confg/],
  ] as const) {
    test(`used wrongly: ${args.join(' ') || 'nothing'}`, () => {
      const { status, stderr } = dialcast(args);
      assert.equal(status, 2);
      assert.match(stderr, fault);
      assert.match(stderr, /dialcast --help/);
    });
  }

  test('check takes the example', () => {
    const { status, stdout } = dialcast(['check', '--config', join(ROOT, 'dialcast.example.yaml')]);
    assert.equal(status, 0);
    assert.match(stdout, /fine/);
  });

  test('check names file, place, key, fault and remedy', () => {
    const file = config('wrong.yaml', 'http:\n  prot: 8080\nguests: maybe\n');
    const { status, stderr } = dialcast(['check'], { DIALCAST_CONFIG: file });
    assert.equal(status, 1);
    assert.match(stderr, /wrong\.yaml:2:\d+: http\.prot: unknown key; did you mean port\?/);
    assert.match(stderr, /wrong\.yaml:3:\d+: guests: "maybe" is not allowed; write true or false/);
  });

  test('serve says which key names a port that is taken', async () => {
    const taken = createServer().listen(0, '0.0.0.0');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const file = config('taken.yaml', `sip: { udp: null, tcp: ${port} }\nmedia: { port: 0 }\nhttp: { port: 0 }\n`);
    const { status, stderr } = dialcast(['serve', '--config', file]);
    taken.close();
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`sip\\.tcp: .*${port}: .*EADDRINUSE`));
    assert.match(stderr, /^LISTEN_FAILED: /m);
  });

  test('serve --demo makes its own film, and takes every media file for a channel', { timeout: 120_000 }, async () => {
    const file = config('demo.yaml', 'http: { port: 0 }\nsip: { udp: 0, tcp: null }\nmedia: { port: 0 }\n');
    assert.deepEqual(await demoChannels(folder, file), ['clock', 'film']);
    const film = join(folder, 'media', 'film.mp4');
    assert.ok(existsSync(film));
    copyFileSync(film, join(folder, 'media', 'My Holiday_2.mp4'));
    writeFileSync(join(folder, 'media', 'notes.txt'), 'no film');
    assert.deepEqual(await demoChannels(folder, file), ['clock', 'film', 'my-holiday-2']);
  });
});

/** Starts the demo, asks for its channels, and ends it with Ctrl-C. */
async function demoChannels(folder: string, file: string): Promise<string[]> {
  const child = spawn(DIALCAST, ['serve', '--demo', '--config', file], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const port = await httpPort(child);
    const response = await fetch(`http://127.0.0.1:${port}/api/channels`);
    const { channels } = (await response.json()) as { channels: { name: string }[] };
    return channels.map(({ name }) => name);
  } finally {
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    assert.deepEqual(await exited, [0, null]);
  }
}

async function httpPort(child: ChildProcess): Promise<number> {
  for await (const line of createInterface({ input: child.stderr! })) {
    if (line.includes('"ready"')) return (JSON.parse(line) as { http: number }).http;
  }
  throw new Error('the demo ended before it was ready');
}
