import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { frameSink } from '../../test/support/frame-sink.ts';
import { DialcastError } from '../errors.ts';
import { broadcast } from './broadcast.ts';
import { type Source, sleepUntil } from './source/index.ts';

const INFO = { video: null, audio: { sampleRateHz: 48_000, channels: 2 } };

/** How a source fares: it can't be opened, plays so long and ends, or breaks. */
type Fate = { readonly fault: string } | { readonly playsMs: number; readonly breaks?: Error };

/** A broadcast whose sources fare as they are told to, in virtual time. */
function setUp(t: TestContext, fates: readonly Fate[], { live = true, wasOpen = false } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
  const events: string[] = [];
  const tell = (event: string) => void events.push(`${Date.now()} ${event}`);
  const ending = new AbortController();
  const nowUs = () => Date.now() * 1000;
  let made = 0;
  const createSource = async (): Promise<Source> => {
    const fate = fates[made++];
    if (fate === undefined) ending.abort();
    return {
      live,
      open: async () => {
        if (fate !== undefined && 'fault' in fate) throw new DialcastError('SOURCE_OPEN_FAILED', fate.fault);
        return INFO;
      },
      play: async () => {
        if (fate === undefined || 'fault' in fate) return;
        await sleepUntil(nowUs() + fate.playsMs * 1000, nowUs, ending.signal);
        if (fate.breaks !== undefined) throw fate.breaks;
      },
      close: async () => tell('closed'),
    };
  };
  const options = {
    createSource,
    sink: frameSink({ video: () => undefined, audio: () => undefined }),
    nowUs,
    random: () => 1,
    wasOpen,
    opened: () => tell('open'),
    lost: (reason: string) => tell(`lost: ${reason}`),
  };
  let outcome = '';
  const done = broadcast(options, ending.signal).then(
    () => tell('over'),
    error => {
      outcome = String(error);
    },
  );
  const advance = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      // What follows from a timer is done before the next one.
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      t.mock.timers.tick(50);
    }
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return { events, advance, done, outcome: () => outcome };
}

describe('a broadcast', () => {
  it('of a film is over with it', async t => {
    const { events, advance } = setUp(t, [{ playsMs: 1_000 }], { live: false });
    await advance(5_000);
    assert.deepEqual(events, ['0 open', '1000 closed', '1000 over']);
  });

  it('that cannot begin is refused', async t => {
    const { events, advance, outcome } = setUp(t, [{ fault: 'connection refused' }]);
    await advance(1_000);
    assert.deepEqual([events, outcome()], [['0 closed'], 'DialcastError: SOURCE_OPEN_FAILED: connection refused']);
  });

  it('whose source was open in a process that died goes on trying', async t => {
    const { events, advance } = setUp(t, [{ fault: 'connection refused' }, { playsMs: 60_000 }], { wasOpen: true });
    await advance(1_000);
    assert.deepEqual(events, ['0 closed', '0 lost: connection refused', '250 open']);
  });

  it('opens a live source at once when it is lost, then again and again, each time later, up to a second', async t => {
    const fates = [{ playsMs: 1_000 }, ...Array.from({ length: 7 }, () => ({ fault: 'gone' })), { playsMs: 1_000_000 }];
    const { events, advance } = setUp(t, fates);
    await advance(60_000);
    const losses = events.filter(event => event.includes('lost')).map(event => Number(event.split(' ')[0]));
    const pauses = losses.slice(1).map((atMs, index) => atMs - losses[index]!);
    assert.deepEqual(pauses, [0, 500, 1_000, 1_000, 1_000, 1_000, 1_000]);
    assert.equal(events.at(-1), `${losses.at(-1)! + 1_000} open`);
    assert.equal(events[1], '1000 closed');
    assert.equal(events[2], '1000 lost: the source has ended');
  });

  it('begins no two tries within a quarter of a second, and none of those before counts after ten seconds', async t => {
    const { events, advance } = setUp(t, [
      { playsMs: 100 },
      { playsMs: 11_000 },
      { fault: 'gone' },
      { playsMs: 100_000 },
    ]);
    await advance(20_000);
    const opened = events.filter(event => event.endsWith('open')).map(event => Number(event.split(' ')[0]));
    assert.deepEqual(opened, [0, 250, 11_750]);
  });

  it('says what broke its source, and hides no fault of ours', async t => {
    const broken = new DialcastError('SOURCE_OPEN_FAILED', 'broken pipe');
    const { events, advance, outcome } = setUp(t, [
      { playsMs: 100, breaks: broken },
      { playsMs: 100, breaks: new TypeError('a mistake') },
    ]);
    await advance(1_000);
    assert.deepEqual(events, ['0 open', '100 closed', '100 lost: broken pipe', '250 open', '350 closed']);
    assert.equal(outcome(), 'TypeError: a mistake');
  });
});
