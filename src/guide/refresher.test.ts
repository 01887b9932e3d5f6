import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DialcastError } from '../errors.ts';
import { FakeClock } from '../signalling/testing.ts';
import type { DocumentVersion } from './document.ts';
import { Refresher } from './refresher.ts';

const HOUR_MS = 3_600_000;

/** A refresher of a document that fares as it is told, in virtual time; what happened, by the second. */
function setUp(fates: readonly ('read' | 'same' | 'fail' | 'hang')[]) {
  const clock = new FakeClock();
  const events: string[] = [];
  const tell = (event: string) => events.push(`${clock.nowMs() / 1000} ${event}`);
  let reads = 0;
  const refresher = new Refresher({
    read: async (known: DocumentVersion | null, signal: AbortSignal) => {
      const fate = fates[reads++] ?? 'same';
      tell(`${fate} knowing ${known?.etag ?? 'nothing'}`);
      if (fate === 'fail') throw new DialcastError('GUIDE_UNREADABLE', 'the server says 503');
      if (fate === 'hang') {
        const { promise, reject } = Promise.withResolvers<never>();
        signal.addEventListener('abort', () => reject(signal.reason));
        await promise;
      }
      return fate === 'read' ? { etag: `v${reads}`, lastModified: null } : null;
    },
    refreshMs: 12 * HOUR_MS,
    onFailed: (error, retryMs) => tell(`${error.message}, again in ${retryMs / 1000}`),
    timers: clock,
    random: () => 1,
  });
  const turns = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  const advance = async (seconds: number) => {
    await turns();
    for (let passed = 0; passed < seconds; passed += 30) {
      clock.advance(30_000);
      await turns();
    }
  };
  return { clock, events, refresher, advance, turns };
}

describe('a document that is read now and then', () => {
  it('is read at once and as often as it is told to, with what is known of it', async () => {
    const { events, refresher, advance } = setUp(['read', 'same', 'read']);
    await refresher.start();
    await advance(36 * 3_600);
    assert.deepEqual(events, [
      '0 read knowing nothing',
      '43200 same knowing v1',
      '86400 read knowing v1',
      '129600 same knowing v3',
    ]);
  });

  it('is tried again after longer and longer pauses, up to the usual one', async () => {
    const { events, refresher, advance } = setUp([...Array(12).fill('fail'), 'read']);
    await refresher.start();
    await advance(72 * 3_600);
    const pauses = events.flatMap(event => /again in (\d+)/.exec(event)?.[1] ?? []).map(Number);
    assert.deepEqual(pauses, [60, 120, 240, 480, 960, 1_920, 3_840, 7_680, 15_360, 30_720, 43_200, 43_200]);
    assert.equal(events[1], '0 GUIDE_UNREADABLE: the server says 503, again in 60');
    assert.equal(events[2], '60 fail knowing nothing');
  });

  it('keeps what is known of it through failures, after which pauses begin anew', async () => {
    const { events, refresher, advance } = setUp(['read', 'fail', 'fail', 'same', 'fail']);
    await refresher.start();
    await advance(25 * 3_600);
    assert.deepEqual(
      events.filter(event => /knowing/.test(event)),
      [
        '0 read knowing nothing',
        '43200 fail knowing v1',
        '43260 fail knowing v1',
        '43380 same knowing v1',
        '86580 fail knowing v1',
        '86640 same knowing v1',
      ],
    );
  });

  it('that does not come to its end in two minutes is given up', async () => {
    const { events, refresher, advance } = setUp(['hang', 'read']);
    void refresher.start();
    await advance(200);
    assert.deepEqual(events, [
      '0 hang knowing nothing',
      '120 it was not read within 120 seconds, again in 60',
      '180 read knowing nothing',
    ]);
  });

  it('is read at once when something else is wanted of it, as if it were not known', async () => {
    const { events, refresher, advance } = setUp(['read', 'read']);
    await refresher.start();
    await advance(60);
    refresher.again();
    await advance(60);
    assert.deepEqual(events, ['0 read knowing nothing', '60 read knowing nothing']);
  });

  it('is read once more when that happens while it is being read', async () => {
    const { events, refresher, advance } = setUp(['read', 'read', 'same']);
    const first = refresher.start();
    refresher.again();
    refresher.again();
    await first;
    await advance(60);
    assert.deepEqual(events, ['0 read knowing nothing', '0 read knowing nothing']);
  });

  it('is not read before it was begun, nor after it was closed', async () => {
    const { clock, events, refresher, advance } = setUp(['hang']);
    refresher.again();
    await advance(60);
    void refresher.start();
    await advance(60);
    refresher.close();
    await advance(3_600);
    refresher.again();
    await refresher.start();
    await advance(13 * 3_600);
    assert.deepEqual([events, clock.pending], [['60 hang knowing nothing'], 0]);
  });
});
