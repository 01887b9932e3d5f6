import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { writeMedia } from '../../test/support/media-files.ts';
import { Confinement, type ConfinementOptions } from './confinement.ts';
import { PROCESS } from './supervisor.ts';

const OPTIONS: ConfinementOptions = { memoryBytes: 2 ** 30, user: null, roots: [] };
const isRoot = process.getuid?.() === 0;
const needsRoot = !isRoot && 'needs root, to be somebody else';
const { lacks } = Confinement.choose(OPTIONS, PROCESS);
const needsLandlock =
  lacks.some(each => each.includes('Landlock')) && 'needs Landlock, which this kernel does not have or allow';

/** What a program prints that runs as the transcoder of this source would. */
function run(source: string, script: string, options: Partial<ConfinementOptions> = {}): string {
  const [file = '', ...args] = Confinement.choose({ ...OPTIONS, ...options }, PROCESS).command(source);
  const { stdout, stderr } = spawnSync(file, [...args, 'sh', '-c', script], { encoding: 'utf8' });
  return (stdout + stderr).trim();
}

/** A folder with a film in it, and a secret beside the folder. */
function files(t: TestContext) {
  const film = writeMedia(t, 'film.mkv', 'film');
  const folder = join(dirname(film), 'media');
  const secret = join(dirname(film), 'secret');
  mkdirSync(folder);
  writeFileSync(join(folder, 'film.mkv'), 'film');
  writeFileSync(secret, 'secret');
  return { folder, secret, source: `file:${join(folder, 'film.mkv')}` };
}

describe('a transcoder', { timeout: 60_000 }, () => {
  it('runs as nobody when the server is root', { skip: needsRoot }, () => {
    assert.equal(run('testcard:', 'id -u'), execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).trim());
  });

  it('runs as the user of the configuration, in his groups', { skip: needsRoot }, () => {
    const script = 'id -u $USER; id -G $USER';
    const daemon = execFileSync('sh', ['-c', script], { encoding: 'utf8', env: { ...process.env, USER: 'daemon' } });
    assert.equal(run('testcard:', 'id -u; id -G', { user: 'daemon' }), daemon.trim());
  });

  for (const [user, fault] of [
    ['no-such-user', /^transcoders.user: there is no user no-such-user$/],
    ['--help', /^transcoders.user: there is no user --help$/],
  ] as const) {
    it(`cannot run as ${user}`, () => {
      assert.throws(() => Confinement.choose({ ...OPTIONS, user }, PROCESS), { code: 'CONFIG_INVALID', detail: fault });
    });
  }

  it('opens few files, leaves no core, and has no more memory than it may, whatever it reserves', () => {
    assert.equal(run('testcard:', 'ulimit -n; ulimit -c; ulimit -d'), `256\n0\n${2 * 2 ** 20}`);
  });

  it('finds its film where root alone may look', { skip: needsRoot }, t => {
    const { folder, source } = files(t);
    assert.equal(run(source, `cat ${folder}/film.mkv`), 'film');
  });

  it('finds its film in any of the roots', t => {
    const { folder, secret, source } = files(t);
    assert.equal(run(source, `cat ${secret}`, { roots: [folder, dirname(secret)] }), 'secret');
  });

  it('ends with the server', async () => {
    const [file = '', ...args] = Confinement.choose(OPTIONS, PROCESS).command('testcard:');
    const script = `const child = require('node:child_process').spawn(${JSON.stringify(file)}, ${JSON.stringify([...args, 'sleep', '60'])});
      child.once('spawn', () => console.log(child.pid));`;
    const server = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [pid] = await once(server.stdout!, 'data');
    // What is started becomes the program at once, or ends with the server before that.
    server.kill('SIGKILL');
    await once(server, 'exit');
    while (existsSync(`/proc/${Number(pid)}/fd`) && !isZombie(Number(pid))) await new Promise(setImmediate);
  });
});

describe('a transcoder that does what it should not', { timeout: 60_000 }, () => {
  it('attack: has no capability but to read', () => {
    const status = run('testcard:', 'grep -E "^(CapEff|CapPrm|CapAmb|NoNewPrivs)" /proc/self/status');
    const [permitted, effective, ambient, noNew] = status
      .split('\n')
      .map(line => Number.parseInt(line.split(/\s+/)[1]!, 16));
    const most = isRoot ? 4 : 0;
    for (const mask of [permitted, effective, ambient]) assert.equal(mask! & ~most, 0, status);
    assert.equal(noNew, 1);
  });

  it('attack: becomes root again', { skip: needsRoot }, () => {
    assert.match(run('testcard:', 'setpriv --reuid 0 id'), /Operation not permitted/);
  });

  for (const [attack, script, refusal] of [
    ['reads another file', 'cat $SECRET', /Permission denied/],
    ['reads the passwords of the machine', 'cat /etc/shadow', /Permission denied/],
    ['goes up and out of its folder', 'cat $FOLDER/../secret', /Permission denied/],
    ['follows a symlink out of its folder', 'cat $FOLDER/link', /Permission denied/],
    ['lists another folder', 'ls $FOLDER/..', /Permission denied/],
    ['writes into its own folder', 'echo x > $FOLDER/new', /Permission denied|cannot create/],
    ['writes to its film', 'echo x > $FOLDER/film.mkv', /Permission denied|cannot create/],
    ['takes its film away', 'rm -f $FOLDER/film.mkv', /Permission denied/],
    [
      'writes into a folder that everybody may write to',
      'echo x > /tmp/dialcast-attack',
      /Permission denied|cannot create/,
    ],
    ['ends its server', 'kill $SERVER', /not permitted/],
  ] as const) {
    it(`attack: ${attack}`, { skip: needsLandlock }, t => {
      const { folder, secret, source } = files(t);
      symlinkSync(secret, join(folder, 'link'));
      const set = `SECRET=${secret}; FOLDER=${folder}; SERVER=${process.pid};`;
      assert.match(run(source, `${set} ${script}`), refusal);
    });
  }

  it('attack: reads its neighbour’s film, with a source that is no file', { skip: needsLandlock }, t => {
    const { folder } = files(t);
    for (const source of ['http://tv.example/a.m3u8', 'udp://239.0.0.1:1', 'testcard:']) {
      assert.match(run(source, `cat ${folder}/film.mkv`), /Permission denied/);
    }
  });
});

function isZombie(pid: number): boolean {
  return spawnSync('grep', ['-q', '^State:\\s*Z', `/proc/${pid}/status`]).status === 0;
}
