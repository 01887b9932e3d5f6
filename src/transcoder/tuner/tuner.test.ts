import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createLogger } from '../../observe/index.ts';
import type { DvbSource } from './dvb-url.ts';
import type { Demultiplexer, DemultiplexerOptions, Output } from './dvblast.ts';
import { Tuner } from './tuner.ts';

const SDT =
  '<SDT tid="66">\n<SERVICE sid="1"><SERVICE_DESC service="One"/>\n<SERVICE sid="2"><SERVICE_DESC service="Two"/>';
const LOCKED = '<FRONTEND>\n<STATUS status="HAS_LOCK"/>\n<VALUE SNR="9"/>';

const source = (service: number | string, frequency = 586): DvbSource => ({
  card: '0',
  hasSignal: true,
  tuning: ['--frequency', `${frequency}`],
  words: `${frequency} MHz`,
  service,
});
const place = (port: number) => ({ address: '127.1.2.3', port });

/** dvblast as far as a tuner sees it. */
class Fake implements Demultiplexer {
  readonly args: readonly string[];
  readonly end: (how: string) => void;
  outputs: readonly Output[];
  answers = { get_sdt: SDT, fe_status: LOCKED };
  hears = true;
  isStopped = false;

  constructor({ args, outputs, onEnd }: DemultiplexerOptions) {
    this.args = args;
    this.outputs = outputs;
    this.end = onEnd;
  }

  get services(): number[] {
    return this.outputs.map(({ serviceId }) => serviceId);
  }

  async setOutputs(outputs: readonly Output[]): Promise<boolean> {
    if (this.hears) this.outputs = outputs;
    return this.hears;
  }

  async ask(command: 'fe_status' | 'get_sdt'): Promise<string> {
    return this.answers[command];
  }

  stop(): void {
    this.isStopped = true;
  }
}

/** A tuner in virtual time, with every process that it started and every fault that it told. */
function setUp(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const clock = { nowMs: 0 };
  const started: Fake[] = [];
  const faults: string[] = [];
  const tuner = new Tuner({
    card: '0',
    log: createLogger({ level: 'silent' }),
    launch: options => {
      const fake = new Fake(options);
      started.push(fake);
      return fake;
    },
    onFault: (channel, reason) => faults.push(`${channel}: ${reason}`),
    nowMs: () => clock.nowMs,
  });
  /** Lets time go by, and everything happen that then does. */
  const pass = async (ms: number) => {
    clock.nowMs += ms;
    t.mock.timers.tick(ms);
    for (let turn = 0; turn < 5; turn++) await setImmediate();
  };
  return { tuner, started, faults, pass };
}

describe('a tuner', () => {
  it('serves several channels from one process, and tells it of each', async t => {
    const { tuner, started, pass } = setUp(t);
    assert.equal(tuner.take('one', source(1), place(1)), null);
    assert.deepEqual(started[0]?.outputs, [{ address: '127.1.2.3', port: 1, serviceId: 1 }]);
    await pass(250);
    assert.equal(tuner.take('two', source(2), place(2)), null);
    await pass(0);
    assert.deepEqual([started.length, started[0]?.services], [1, [1, 2]]);
    tuner.release('one');
    await pass(5_000);
    assert.deepEqual(started[0]?.services, [2]);
  });

  it('finds a service by its name once the multiplex has told it', async t => {
    const { tuner, started, pass } = setUp(t);
    tuner.take('two', source('Two'), place(2));
    const [dvblast] = started;
    dvblast!.answers.get_sdt = '';
    await pass(250);
    assert.deepEqual([dvblast?.services, tuner.explain('two')], [[], null]);
    dvblast!.answers.get_sdt = SDT;
    await pass(250);
    assert.deepEqual(dvblast?.services, [2]);
  });

  it('looks soon for what is missing, but not for ever', async t => {
    const { tuner, started, pass } = setUp(t);
    tuner.take('two', source('Two'), place(2));
    const [dvblast] = started;
    dvblast!.answers.get_sdt = '';
    for (let look = 0; look <= 40; look++) await pass(250);
    dvblast!.answers.get_sdt = SDT;
    await pass(4_750);
    assert.deepEqual(dvblast?.services, []);
    await pass(250);
    assert.deepEqual(dvblast?.services, [2]);
  });

  it('tells again what was not heard', async t => {
    const { tuner, started, pass } = setUp(t);
    tuner.take('two', source('Two'), place(2));
    started[0]!.hears = false;
    await pass(250);
    started[0]!.hears = true;
    await pass(250);
    assert.deepEqual(started[0]?.services, [2]);
  });

  it('says at once that a service is not there, and which are', async t => {
    const { tuner, faults, pass } = setUp(t);
    tuner.take('three', source('Three'), place(3));
    await pass(250);
    assert.deepEqual(faults, ['three: the multiplex has no service Three; it has One (1), Two (2)']);
  });

  it('knows the signal, and that there is none', async t => {
    const { tuner, started, pass } = setUp(t);
    tuner.take('one', source(1), place(1));
    assert.equal(tuner.signal, null);
    await pass(250);
    assert.deepEqual(tuner.signal, { locked: true, strength: null, snr: 9, bitErrorRate: null });
    started[0]!.answers.fe_status = '<FRONTEND>';
    await pass(5_000);
    assert.deepEqual(tuner.signal, { locked: false, strength: null, snr: null, bitErrorRate: null });
    assert.equal(tuner.explain('one'), 'card 0 has no lock on 586 MHz');
    assert.equal(tuner.explain('nobody'), null);
  });

  it('refuses another tuning while somebody has it, and takes it afterwards without waiting', async t => {
    const { tuner, started, pass } = setUp(t);
    tuner.take('one', source(1), place(1));
    await pass(250);
    assert.equal(tuner.take('far', source(7, 650), place(7)), 'card 0 is in use: channel one has it at 586 MHz');
    assert.equal(tuner.explain('far'), null);
    tuner.release('one');
    assert.equal(tuner.take('far', source(7, 650), place(7)), null);
    // The card is busy until the process is gone.
    assert.deepEqual([started.length, started[0]?.isStopped], [1, true]);
    started[0]!.end('SIGTERM');
    assert.deepEqual([started.length, started[1]?.args, started[1]?.services], [2, ['--frequency', '650'], [7]]);
  });

  it('lingers for whoever comes from another channel, and then ends', async t => {
    const { tuner, started, pass } = setUp(t);
    tuner.take('one', source(1), place(1));
    tuner.release('one');
    await pass(2_999);
    tuner.take('two', source(2), place(2));
    await pass(10_000);
    assert.deepEqual([started.length, started[0]?.isStopped, started[0]?.services], [1, false, [2]]);
    tuner.release('two');
    await pass(3_000);
    assert.equal(started[0]?.isStopped, true);
    started[0]!.end('SIGTERM');
    await pass(60_000);
    assert.equal(started.length, 1);
  });

  it('starts a process again that died, ever later until one was well', async t => {
    const { tuner, started, faults, pass } = setUp(t);
    tuner.take('one', source(1), place(1));
    for (const [index, delayMs] of [250, 500, 1_000, 1_000].entries()) {
      started[index]!.end('exit code 1: it broke');
      assert.equal(tuner.explain('one'), 'dvblast ended (exit code 1: it broke)');
      await pass(delayMs - 1);
      assert.equal(started.length, index + 1);
      await pass(1);
      assert.equal(started.length, index + 2);
    }
    assert.deepEqual(new Set(faults), new Set(['one: dvblast ended (exit code 1: it broke)']));
    await pass(10_000);
    started.at(-1)!.end('SIGKILL');
    await pass(250);
    assert.equal(started.length, 6);
    assert.deepEqual(started.at(-1)?.services, [1]);
  });

  it('does not start it again for nobody', async t => {
    const { tuner, started, pass } = setUp(t);
    tuner.take('one', source(1), place(1));
    started[0]!.end('SIGKILL');
    tuner.release('one');
    await pass(60_000);
    assert.equal(started.length, 1);
    tuner.take('two', source('Two'), place(2));
    assert.equal(started.length, 2);
  });

  it('that is closed ends its process and waits for it', async t => {
    const { tuner, started, pass } = setUp(t);
    await tuner.close();
    tuner.take('one', source(1), place(1));
    let isClosed = false;
    void tuner.close().then(() => {
      isClosed = true;
    });
    await pass(0);
    assert.deepEqual([started[0]?.isStopped, isClosed], [true, false]);
    started[0]!.end('SIGTERM');
    await pass(60_000);
    assert.deepEqual([started.length, isClosed], [1, true]);
  });
});
