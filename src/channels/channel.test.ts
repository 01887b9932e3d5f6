import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChannelConfig } from '../config/index.ts';
import { DialcastError } from '../errors.ts';
import type { RenditionSpec } from '../transcoder/index.ts';
import { Channel } from './channel.ts';

const CONFIG: ChannelConfig = { number: 101, name: 'clock', title: 'Clock', source: 'testcard:', loop: false };
const LIMITS = { openTimeoutMs: 10_000, transcoderLingerMs: 10_000, renditionLingerMs: 3_000, failureMemoryMs: 60_000 };
const INFO = { video: { width: 1280, height: 720, frameRate: 30 }, audio: { sampleRateHz: 48_000, channels: 2 } };
const H264: RenditionSpec = {
  kind: 'video',
  codec: 'h264',
  packetizationMode: 1,
  width: 1280,
  height: 720,
  frameRate: 30,
  bitrateBps: 2_500_000,
};
const OPUS: RenditionSpec = { kind: 'audio', codec: 'opus' };

/** A channel whose transcoder and engine only write down what they are told, in virtual time. */
function setUp() {
  const events: string[] = [];
  const availability: boolean[] = [];
  const slates: boolean[] = [];
  const timers = new Map<number, { dueMs: number; callback: () => void }>();
  let nowMs = 0;
  let handles = 0;
  let feeds = 0;
  const channel = new Channel(
    CONFIG,
    {
      startTranscoder: () => events.push('start transcoder'),
      stopTranscoder: () => events.push('stop transcoder'),
      openFeed: (_, rendition) => {
        events.push(`open ${rendition.codec} as ${++feeds}`);
        return feeds;
      },
      closeFeed: feed => events.push(`close ${feed}`),
      films: {
        openFeed: (_channel, { codec }, reel) => {
          events.push(`feed ${++feeds} of ${reel}: ${codec}`);
          return feeds;
        },
        moveReel: async ({ reel, positionUs, paused }) => void events.push(`move ${reel}: ${positionUs} ${paused}`),
        progress: () => ({ durationUs: 90_000_000, preparedUs: 60_000_000 }),
        nowMs: () => nowMs,
      },
      availabilityChanged: () => availability.push(channel.available),
      slateChanged: (_, isShown) => slates.push(isShown),
      timers: {
        setTimeout: (callback, delayMs) => {
          timers.set(++handles, { dueMs: nowMs + delayMs, callback });
          return handles;
        },
        clearTimeout: handle => void timers.delete(handle as number),
      },
    },
    LIMITS,
  );
  const advance = (ms: number) => {
    nowMs += ms;
    for (const [handle, { dueMs, callback }] of [...timers]) {
      if (dueMs <= nowMs && timers.delete(handle)) callback();
    }
  };
  const openNow = async (onGone: (reason: string) => void = () => assert.fail('the channel went off air')) => {
    const opening = channel.open(onGone);
    channel.sourceOpened(INFO);
    return opening;
  };
  return { channel, availability, slates, events, advance, openNow, timers };
}

describe('a channel', () => {
  it('starts its transcoder for the first viewer only', async () => {
    const { channel, events, openNow } = setUp();
    const first = await openNow();
    const second = await channel.open(() => undefined);
    assert.deepEqual(events, ['start transcoder']);
    assert.deepEqual([first.info, second.info, channel.viewers], [INFO, INFO, 2]);
  });

  it('shares one rendition among all who watch the same', async () => {
    const { channel, events, openNow } = setUp();
    const uses = [await openNow(), await channel.open(() => undefined), await channel.open(() => undefined)];
    const feeds = uses.map(use => use.watch({ ...H264 }).feed);
    assert.deepEqual(feeds, [1, 1, 1]);
    assert.equal(uses[0]?.watch(OPUS).feed, 2);
    assert.deepEqual(events, ['start transcoder', 'open h264 as 1', 'open opus as 2']);
  });

  it('stops a rendition three seconds after its last viewer, unless one comes back', async () => {
    const { events, advance, openNow } = setUp();
    const use = await openNow();
    use.watch(H264).release();
    advance(2_999);
    const again = use.watch(H264);
    advance(10_000);
    assert.deepEqual(events, ['start transcoder', 'open h264 as 1']);
    again.release();
    again.release();
    advance(3_000);
    assert.deepEqual(events.slice(2), ['close 1']);
  });

  it('stops the transcoder ten seconds after the last viewer', async () => {
    const { channel, events, advance, openNow } = setUp();
    const use = await openNow();
    use.close();
    advance(9_999);
    assert.equal(channel.onAir, true);
    advance(1);
    assert.deepEqual(events, ['start transcoder', 'stop transcoder']);
    assert.equal(channel.onAir, false);
  });

  it('stays on air when a viewer comes back in time', async () => {
    const { channel, events, advance, openNow } = setUp();
    (await openNow()).close();
    advance(5_000);
    await channel.open(() => undefined);
    advance(60_000);
    assert.deepEqual(events, ['start transcoder']);
  });

  it('tells everybody who waits why the source cannot be opened, and starts anew for the next', async () => {
    const { channel, events } = setUp();
    // By the rejection alone: a call that was told twice would not know which of the two to log.
    const gone = () => assert.fail('told as if it held the channel');
    const waiting = [channel.open(gone), channel.open(gone)];
    channel.sourceGone(new DialcastError('SOURCE_OPEN_FAILED', 'film.mp4: No such file or directory'));
    for (const result of await Promise.allSettled(waiting)) {
      assert.equal(result.status, 'rejected');
      assert.match(String(result.reason), /SOURCE_OPEN_FAILED: film\.mp4: No such file/);
    }
    assert.equal(channel.viewers, 0);
    void channel.open(() => undefined);
    assert.deepEqual(events, ['start transcoder', 'stop transcoder', 'start transcoder']);
  });

  it('gives a source ten seconds to open', async () => {
    const { channel, events, advance, timers } = setUp();
    const opening = channel.open(() => undefined);
    advance(10_000);
    await assert.rejects(opening, /SOURCE_OPEN_FAILED: the source did not open within 10 seconds/);
    assert.deepEqual(events, ['start transcoder', 'stop transcoder']);
    // What is left forgets the failure.
    assert.equal(timers.size, 1);
    channel.shutDown();
    assert.equal(timers.size, 0);
  });

  it('tells its viewers when it goes off air, and closes its feeds', async () => {
    const { channel, events, openNow } = setUp();
    const reasons: string[] = [];
    const use = await openNow(reason => reasons.push(reason));
    use.watch(H264);
    channel.sourceGone(new DialcastError('SOURCE_ENDED', 'the film has ended'));
    assert.deepEqual(reasons, ['the film has ended']);
    assert.deepEqual(events.slice(1), ['open h264 as 1', 'close 1', 'stop transcoder']);
  });

  it('keeps its viewers while its source is out, and says why', async () => {
    const { channel, events, openNow } = setUp();
    channel.sourceOut('too early');
    assert.deepEqual([channel.outage, channel.info], [null, null]);
    await openNow();
    channel.sourceOut('connection refused');
    const joined = await channel.open(() => undefined);
    assert.deepEqual([channel.outage, channel.onAir, joined.info], ['connection refused', true, INFO]);
    const wider = { ...INFO, video: { ...INFO.video, width: 1920 } };
    channel.sourceOpened(wider);
    assert.deepEqual([channel.outage, channel.info, channel.viewers], [null, wider, 2]);
    assert.deepEqual(events, ['start transcoder']);
  });

  it('says when the slate is shown and when it is no longer', async () => {
    const { channel, slates, openNow } = setUp();
    channel.sourceOut('too early');
    await openNow(() => undefined);
    assert.deepEqual(slates, []);
    channel.sourceOut('connection refused');
    channel.sourceOut('no route');
    assert.deepEqual(slates, [true]);
    channel.sourceOpened(INFO);
    channel.sourceOpened(INFO);
    assert.deepEqual(slates, [true, false]);
    channel.sourceOut('connection refused');
    channel.sourceGone(new DialcastError('TRANSCODER_FAILED', 'it ended again and again'));
    assert.deepEqual(slates, [true, false, true, false]);
  });

  it('that went off air and came back keeps its renditions, although who watched before leaves them late', async () => {
    const { channel, events, advance, openNow } = setUp();
    const before = (await openNow(() => undefined)).watch(H264);
    channel.sourceGone(new DialcastError('SOURCE_ENDED', 'the film has ended'));
    (await openNow()).watch(H264);
    before.release();
    advance(60_000);
    assert.deepEqual(events.slice(-2), ['start transcoder', 'open h264 as 2']);
  });

  it('is not available while its source is out', async () => {
    const { channel, availability, openNow } = setUp();
    await openNow();
    channel.sourceOut('connection refused');
    channel.sourceOut('no route');
    channel.sourceOpened(INFO);
    assert.deepEqual(availability, [false, true]);
    channel.sourceOut('connection refused');
    channel.shutDown();
    assert.deepEqual(availability, [false, true, false, true]);
  });

  it('is not available for a minute after its source failed, or until it opens', async () => {
    const { channel, availability, advance, openNow, timers } = setUp();
    const fail = async () => {
      const opening = channel.open(() => undefined);
      channel.sourceGone(new DialcastError('SOURCE_OPEN_FAILED', 'no such file'));
      await assert.rejects(opening);
    };
    await fail();
    advance(30_000);
    await fail();
    advance(59_999);
    assert.deepEqual([availability, channel.available], [[false], false]);
    advance(1);
    assert.deepEqual([availability, timers.size], [[false, true], 0]);
    await fail();
    await openNow();
    assert.deepEqual(availability, [false, true, false, true]);
  });

  it('stays available when its film has ended', async () => {
    const { channel, availability, openNow } = setUp();
    await openNow(() => undefined);
    channel.sourceGone(new DialcastError('SOURCE_ENDED', 'the film has ended'));
    assert.deepEqual([availability, channel.available], [[], true]);
  });

  it('keeps its viewers when the transcoder comes back with the source open', async () => {
    const { channel, events, openNow } = setUp();
    await openNow();
    channel.sourceOpened(INFO);
    assert.equal(channel.onAir, true);
    assert.deepEqual(events, ['start transcoder']);
  });

  it('has the last thumbnail while it is on air, through outages too, and none before and after', async () => {
    const { channel, openNow } = setUp();
    const thumbnail = (takenAtMs: number) => ({ jpeg: Uint8Array.of(0xff, 0xd8), takenAtMs });
    const takenAtMs = () => channel.thumbnail?.takenAtMs ?? null;
    channel.thumbnailMade(thumbnail(1));
    assert.equal(takenAtMs(), null);
    await openNow(() => undefined);
    assert.equal(takenAtMs(), null);
    channel.thumbnailMade(thumbnail(2));
    channel.thumbnailMade(thumbnail(3));
    channel.sourceOut('connection refused');
    channel.sourceOpened(INFO);
    assert.equal(takenAtMs(), 3);
    channel.sourceGone(new DialcastError('SOURCE_ENDED', 'the film has ended'));
    assert.equal(takenAtMs(), null);
    await openNow(() => undefined);
    assert.equal(takenAtMs(), null);
  });
});
