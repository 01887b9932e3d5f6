import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Logger } from '../observe/index.ts';
import { Confinement, PROCESS, TranscoderSupervisor } from './index.ts';
import { channelToken } from './wire.ts';

const SECRET = 'a-secret-that-nobody-else-may-see';
const CHANNEL = { name: 'clock', title: 'Clock', source: 'testcard:', loop: false };

/** Something that is written down, and can be waited for. */
class Journal {
  readonly entries: string[] = [];
  #changed = Promise.withResolvers<void>();

  write(entry: string): void {
    this.entries.push(entry);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async until(entry: string, count = 1): Promise<void> {
    while (this.entries.filter(each => each === entry).length < count) await this.#changed.promise;
  }
}

/** A supervisor of real processes in virtual time. Without an engine they all end at once. */
function setUp(t: TestContext, socketPath = '/nowhere/engine.sock', confinement?: Confinement) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const journal = new Journal();
  const clock = { nowMs: 0 };
  const silent = () => undefined;
  const log: Logger = {
    trace: silent,
    debug: silent,
    info: (_fields: unknown, text?: string) => journal.write(text ?? ''),
    warn: (fields: unknown, text?: string) => {
      journal.write(text ?? '');
      journal.write((fields as { how: string }).how);
    },
    error: silent,
    child: () => log,
  };
  const supervisor = new TranscoderSupervisor({
    log,
    engine: { socketPath, secret: SECRET },
    ...(confinement && { confinement }),
    knownInfo: () => null,
    onFailed: (channel, reason) => journal.write(`${channel}: ${reason}`),
    nowMs: () => clock.nowMs,
  });
  t.after(() => supervisor.close());
  return { supervisor, journal, clock, timers: t.mock.timers };
}

const STARTED = 'transcoder started';
const ENDED = 'transcoder ended unexpectedly';

/** An engine that takes every connection and says nothing. */
async function listen(t: TestContext) {
  const socketPath = join(tmpdir(), `supervisor-${process.pid}-${Math.random().toString(36).slice(2)}.sock`);
  const connected = Promise.withResolvers<Socket>();
  const arrivals = new Journal();
  const server = createServer(socket => {
    socket.on('error', () => undefined).resume();
    connected.resolve(socket);
    arrivals.write('arrived');
  });
  await new Promise<void>(resolve => server.listen({ path: socketPath, writableAll: true }, resolve));
  t.after(() => server.close());
  return { socketPath, connected: connected.promise, arrivals };
}

describe('a transcoder that ends', { timeout: 60_000 }, () => {
  it('is started again at once, then ever later, and given up the sixth time', async t => {
    const { supervisor, journal, timers } = setUp(t);
    supervisor.start(CHANNEL);
    supervisor.start(CHANNEL);
    for (const [index, delayMs] of [0, 250, 500, 1_000, 2_000].entries()) {
      await journal.until(ENDED, index + 1);
      if (delayMs > 0) timers.tick(delayMs - 1);
      if (delayMs > 0) assert.equal(journal.entries.filter(entry => entry === STARTED).length, index + 1);
      timers.tick(1);
      assert.equal(journal.entries.filter(entry => entry === STARTED).length, index + 2);
    }
    await journal.until('clock: the transcoder ended 6 times in a row (exit code 1)');
    assert.equal(supervisor.pids.size, 0);
    timers.tick(60_000);
    assert.equal(journal.entries.filter(entry => entry === STARTED).length, 6);
  });

  it('after it had been well for ten seconds is started again at once', async t => {
    const { supervisor, journal, clock, timers } = setUp(t);
    supervisor.start(CHANNEL);
    for (const restart of [1, 2, 3]) {
      clock.nowMs += 10_000;
      await journal.until(ENDED, restart);
      timers.tick(1);
      assert.equal(journal.entries.filter(entry => entry === STARTED).length, restart + 1);
    }
  });

  it('is not started again once it is stopped', async t => {
    const { supervisor, journal, timers } = setUp(t);
    supervisor.start(CHANNEL);
    await journal.until(ENDED);
    supervisor.stop('clock');
    supervisor.stop('nobody');
    timers.tick(60_000);
    assert.deepEqual(journal.entries, [STARTED, ENDED, 'exit code 1']);
  });

  it('because somebody killed it is started again, as another process', async t => {
    const { socketPath, connected } = await listen(t);
    const { supervisor, journal, timers } = setUp(t, socketPath);
    supervisor.start(CHANNEL);
    await connected;
    const pid = supervisor.pids.get('clock')!;
    process.kill(pid, 'SIGKILL');
    await journal.until(ENDED);
    timers.tick(1);
    assert.notEqual(supervisor.pids.get('clock'), pid);
  });
});

describe('a transcoder that is not well', { timeout: 60_000 }, () => {
  it('because it is stuck is ended and started again', async t => {
    const { socketPath, connected } = await listen(t);
    const { supervisor, journal, timers } = setUp(t, socketPath);
    supervisor.start(CHANNEL);
    await connected;
    const pid = supervisor.pids.get('clock')!;
    process.kill(pid, 'SIGSTOP');
    // What it said before may still be on its way, and a busy machine gives it longer for its first word.
    timers.tick(60_000);
    await journal.until('it was stuck');
    timers.tick(1);
    assert.notEqual(supervisor.pids.get('clock'), pid);
  });

  it('because a fault of memory ended it is started again', async t => {
    const { socketPath, connected } = await listen(t);
    const { supervisor, journal, timers } = setUp(t, socketPath);
    supervisor.start(CHANNEL);
    await connected;
    process.kill(supervisor.pids.get('clock')!, 'SIGSEGV');
    await journal.until('SIGSEGV');
    timers.tick(1);
    assert.equal(journal.entries.at(-1), STARTED);
  });

  it('because it takes too much memory is ended, and given up the sixth time with that reason', async t => {
    const confinement = Confinement.choose({ memoryBytes: 2 ** 20, user: null, roots: [] }, PROCESS);
    const { socketPath, arrivals } = await listen(t);
    const { supervisor, journal, timers } = setUp(t, socketPath, confinement);
    supervisor.start(CHANNEL);
    for (let end = 1; end <= 6; end++) {
      const fault = journal.until('it took more than 1 MiB of memory', end);
      // It may be looked at as soon as it is started, and then it does not get as far as that.
      await Promise.race([fault, arrivals.until('arrived', arrivals.entries.length + 1)]);
      timers.tick(500);
      await fault;
      timers.tick(2_000);
    }
    await journal.until('clock: the transcoder ended 6 times in a row (it took more than 1 MiB of memory)');
    assert.equal(supervisor.pids.size, 0);
  });
});

describe('a transcoder that runs', { timeout: 60_000 }, () => {
  it('ends when it is stopped', async t => {
    const { socketPath, connected } = await listen(t);
    const { supervisor, journal } = setUp(t, socketPath);
    supervisor.start(CHANNEL);
    await connected;
    const pid = supervisor.pids.get('clock')!;
    await supervisor.close();
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    assert.deepEqual(journal.entries, [STARTED]);
  });

  it('is ended by force two seconds later when it does not listen', async t => {
    const { socketPath, connected } = await listen(t);
    const { supervisor, timers } = setUp(t, socketPath);
    supervisor.start(CHANNEL);
    await connected;
    const pid = supervisor.pids.get('clock')!;
    process.kill(pid, 'SIGSTOP');
    const closed = supervisor.close();
    timers.tick(1_999);
    process.kill(pid, 0);
    timers.tick(1);
    await closed;
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });

  it('ends by itself when the engine is gone', async t => {
    const { socketPath, connected } = await listen(t);
    const { supervisor, journal } = setUp(t, socketPath);
    supervisor.start(CHANNEL);
    (await connected).destroy();
    await journal.until(ENDED);
  });

  it('shows no other user of the machine its token, and has no secret of the server’s', async t => {
    const { socketPath, connected } = await listen(t);
    const { supervisor } = setUp(t, socketPath);
    process.env.DIALCAST_TEST_PASSWORD = 'secret';
    t.after(() => delete process.env.DIALCAST_TEST_PASSWORD);
    supervisor.start(CHANNEL);
    await connected;
    const pid = supervisor.pids.get('clock')!;
    const [command, environment] = ['cmdline', 'environ'].map(file => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
    for (const text of [command, environment]) {
      assert.ok(![SECRET, channelToken(SECRET, 'clock')].some(word => text?.includes(word)));
    }
    assert.ok(!environment?.includes('DIALCAST_TEST_PASSWORD'));
  });
});
