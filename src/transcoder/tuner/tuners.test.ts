import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { describe, it, type TestContext } from 'node:test';
import { createLogger } from '../../observe/index.ts';
import { Tuners } from './index.ts';

/** No machine has so many cards, and without dvblast it is the same: whatever is started ends at once. */
const CARD = 'dvb://99?system=dvb-t&frequency=586&bandwidth=8';

async function setUp(t: TestContext, { sources = [CARD], random = [] as number[][] } = {}) {
  const faults: string[] = [];
  const faulted = Promise.withResolvers<void>();
  let count = 0;
  const tuners = await Tuners.open({
    log: createLogger({ level: 'silent' }),
    sources,
    onFault: (channel, reason) => {
      faults.push(`${channel}: ${reason}`);
      faulted.resolve();
    },
    randomBytes: () => Uint8Array.from(random.shift() ?? [1, 2, count++]),
    nowMs: () => performance.now(),
  });
  t.after(() => tuners.close());
  return { tuners, faults, faulted: faulted.promise };
}

/** The fault of a socket that is bound there, or null. */
function bind(address: string, port: number): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const socket = createSocket('udp4');
  socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code!));
  socket.bind(port, address, () => resolve(null));
  return promise.finally(() => socket.close());
}

describe('tuners', { timeout: 20_000 }, () => {
  it('leave every other source as it is', async t => {
    const { tuners } = await setUp(t, { sources: ['testcard:'] });
    assert.deepEqual(tuners.tune('clock', 'testcard:'), { source: 'testcard:' });
    assert.deepEqual([tuners.explain('clock'), tuners.signal('clock'), tuners.signals.size], [null, null, 0]);
  });

  it('refuse what is no source', async t => {
    const { tuners } = await setUp(t);
    const tuned = tuners.tune('one', 'dvb://99?system=dvb-x#1');
    assert.ok('fault' in tuned);
    assert.match(tuned.fault, /^dvb-x is no delivery system; write system= and one of /);
  });

  it('give each channel an address of its own, at a port that is theirs', async t => {
    const random = [
      [0, 0, 1],
      [255, 255, 255],
      [5, 6, 7],
      [5, 6, 7],
      [5, 6, 8],
    ];
    const { tuners } = await setUp(t, { random });
    const [one, two] = [tuners.tune('one', `${CARD}#1`), tuners.tune('two', `${CARD}#2`)];
    assert.ok('source' in one && 'source' in two);
    const [, first, port] = /^dvb:\/\/([\d.]+):(\d+)$/.exec(one.source)!;
    assert.deepEqual([first, two.source], ['127.5.6.7', `dvb://127.5.6.8:${port}`]);
    assert.equal(await bind('0.0.0.0', Number(port)), 'EADDRINUSE');
    assert.equal(await bind(first!, Number(port)), null);
  });

  it('say why there is nothing, and forget it with the channel', async t => {
    const { tuners, faults, faulted } = await setUp(t);
    tuners.tune('one', `${CARD}#1`);
    await faulted;
    assert.match(faults[0]!, /^one: dvblast ended \(exit code \d+: .+\)$/);
    assert.match(tuners.explain('one')!, /^dvblast ended /);
    tuners.release('one');
    assert.equal(tuners.explain('one'), null);
  });

  it('let a card that a channel gave back be tuned to something else', async t => {
    const { tuners } = await setUp(t);
    tuners.tune('one', `${CARD}#1`);
    const other = `${CARD.replace('586', '650')}#1`;
    assert.deepEqual(tuners.tune('two', other), { fault: 'card 99 is in use: channel one has it at dvb-t 586 MHz' });
    tuners.release('one');
    assert.ok('source' in tuners.tune('two', other));
  });
});
