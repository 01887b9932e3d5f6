import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SEGMENT_US } from '../../transcoder/film/rendition-folder.ts';
import type { Feed } from '../feed.ts';
import type { EngineEvent } from '../protocol.ts';
import { Reels } from './reels.ts';
import type { Segment } from './segment-shelf.ts';

const START_US = 1_700_000_000_000_000;
const FRAME_US = 100_000;
const TICK_US = 5_000;

/** A film of ten frames a second, of as many segments as are prepared; and one viewer of its picture and sound. */
function setUp({ prepared = 5, whole = true } = {}) {
  const film = { prepared, whole };
  const events: EngineEvent[] = [];
  const reads: string[] = [];
  const ticks: (() => void)[] = [];
  let nowUs = START_US;
  const reels = new Reels({
    read: async (folder, segment): Promise<Segment> => {
      reads.push(`${folder} ${segment}`);
      if (segment >= film.prepared) return film.whole ? 'end' : 'absent';
      const first = (segment * SEGMENT_US) / FRAME_US;
      return Array.from({ length: SEGMENT_US / FRAME_US }, (_, index) => {
        return { keyFrame: index === 0, ptsUs: (first + index) * FRAME_US, data: Buffer.of(first + index) };
      });
    },
    onEvent: event => events.push(event),
    nowUs: () => nowUs,
    every: (_intervalMs, callback) => {
      ticks.push(callback);
      return () => void ticks.splice(ticks.indexOf(callback), 1);
    },
  });
  const open = (name: string, reel = 'a') => {
    const feed = {
      spec: { rendition: { codec: name === 'sound' ? 'opus' : 'h264' } },
      watchers: 1,
      silences: 0,
      sent: [] as { filmFrame: number; atMs: number; lateMs: number }[],
      push: ({ ptsUs, data }: { ptsUs: bigint; data: Uint8Array }) => {
        const atMs = (nowUs - START_US) / 1000;
        if (data.length > 1) feed.silences++;
        else feed.sent.push({ filmFrame: data[0]!, atMs, lateMs: (nowUs - Number(ptsUs)) / 1000 });
      },
    };
    reels.open(feed as unknown as Feed, { reel, folder: name });
    return feed;
  };
  /** Lets time pass, and what is read arrive. */
  const pass = async (ms: number) => {
    const untilUs = nowUs + ms * 1000;
    while (nowUs < untilUs) {
      nowUs += TICK_US;
      for (const tick of [...ticks]) tick();
      await new Promise<void>(resolve => setImmediate(resolve));
    }
  };
  const frames = (feed: ReturnType<typeof open>) => feed.sent.splice(0).map(({ filmFrame }) => filmFrame);
  const moves = () => events.flatMap(event => (event.type === 'reelMoved' ? [event.state] : []));
  const close = (feed: ReturnType<typeof open>, reel = 'a') => reels.close(feed as unknown as Feed, { reel });
  const jump = (ms: number) => {
    nowUs += ms * 1000;
  };
  return { reels, film, events, reads, ticks, open, close, pass, jump, frames, moves };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe('a reel', () => {
  it('plays each frame when it is due, over the bounds of segments, and ends', async () => {
    const { open, pass, events } = setUp({ prepared: 2 });
    const feed = open('picture');
    await pass(3_990);
    assert.deepEqual(
      feed.sent.map(({ filmFrame }) => filmFrame),
      range(0, 40),
    );
    const [{ atMs: startMs } = { atMs: Number.NaN }] = feed.sent;
    for (const { filmFrame, atMs, lateMs } of feed.sent) {
      assert.ok(Math.abs(atMs - startMs - filmFrame * 100) <= 5 && lateMs >= 0 && lateMs <= 5, `${filmFrame}: ${atMs}`);
    }
    assert.deepEqual(events.filter(({ type }) => type === 'reelEnded').length, 0);
    await pass(100);
    assert.deepEqual(events.at(-1), { type: 'reelEnded', reel: 'a', fault: null });
  });

  it('reads a segment once for all who are at the same place, and the next only before it is due', async () => {
    const { open, pass, reads } = setUp();
    open('picture', 'a');
    open('picture', 'b');
    await pass(900);
    assert.deepEqual(reads, ['picture 0']);
    await pass(200);
    assert.deepEqual(reads, ['picture 0', 'picture 1']);
  });

  it('begins when somebody watches, and stands while nobody does', async () => {
    const { open, pass, frames, moves } = setUp();
    const feed = open('picture');
    feed.watchers = 0;
    await pass(1_000);
    assert.deepEqual([frames(feed), moves()], [[], []]);
    feed.watchers = 1;
    await pass(2_500);
    assert.deepEqual(frames(feed), range(0, 25));
    feed.watchers = 0;
    await pass(5_000);
    assert.deepEqual(frames(feed), []);
    // Who was on hold may have lost all pictures.
    feed.watchers = 1;
    await pass(600);
    assert.deepEqual(frames(feed), range(20, 26));
    assert.deepEqual(
      moves().map(({ isRunning }) => isRunning),
      [true, false, true],
    );
  });

  it('waits where it was paused, with silence', async () => {
    const { reels, open, pass, frames } = setUp();
    const [feed, sound] = [open('picture'), open('sound')];
    await pass(1_250);
    reels.move({ reel: 'a', paused: true });
    frames(feed);
    sound.silences = 0;
    await pass(10_000);
    assert.deepEqual([frames(feed), feed.silences], [[], 0]);
    assert.ok(Math.abs(sound.silences - 500) <= 2, `${sound.silences} of 500`);
    const state = reels.move({ reel: 'a', paused: false });
    assert.ok(state !== null && Math.abs(state.positionUs - 1_245_000) <= TICK_US && state.isRunning);
    await pass(500);
    assert.deepEqual(frames(feed), range(13, 18));
    [feed.watchers, sound.watchers, sound.silences] = [0, 0, 0];
    await pass(1_000);
    assert.equal(sound.silences, 0);
  });

  it('goes to the key frame at or before the place that is wanted, with both media', async () => {
    const { reels, open, pass, frames, moves } = setUp();
    const [picture, sound] = [open('picture'), open('sound')];
    await pass(500);
    frames(picture);
    frames(sound);
    assert.equal(reels.move({ reel: 'a', positionUs: 7_900_000 })?.positionUs, 6_000_000);
    await pass(200);
    assert.deepEqual([frames(picture), frames(sound)], [range(60, 62), range(60, 62)]);
    assert.deepEqual(moves().at(-1), { positionUs: 6_000_000, isRunning: true });
    reels.move({ reel: 'a', positionUs: -5 });
    await pass(100);
    assert.equal(frames(picture)[0], 0);
    assert.equal(reels.move({ reel: 'nobody', paused: true }), null);
  });

  it('stands with picture and sound where a segment is not prepared, and goes on when it is', async () => {
    const { film, open, pass, frames, moves } = setUp({ prepared: 1, whole: false });
    const [picture, sound] = [open('picture'), open('sound')];
    await pass(4_000);
    assert.deepEqual([frames(picture), frames(sound)], [range(0, 20), range(0, 20)]);
    assert.deepEqual(moves().at(-1), { positionUs: SEGMENT_US, isRunning: false });
    film.prepared = 2;
    await pass(1_000);
    assert.ok(frames(picture).length >= 7 && moves().at(-1)?.isRunning);
  });

  it('is in nobody’s way when it was not called for a while: nothing comes at once', async () => {
    const { open, pass, jump, frames, moves } = setUp();
    const feed = open('picture');
    await pass(500);
    frames(feed);
    jump(3_000);
    await pass(200);
    assert.deepEqual(frames(feed), range(5, 7));
    // Who counts along hears where it is.
    assert.deepEqual(moves().at(-1), { positionUs: 490_000, isRunning: true });
  });

  it('has a feed that comes later begin with a key frame', async () => {
    const { open, pass, frames } = setUp();
    open('sound');
    await pass(1_000);
    const picture = open('picture');
    await pass(1_200);
    assert.deepEqual(frames(picture), range(20, 22));
  });

  it('is gone with its last feed, and the clock with the last reel', async () => {
    const { reels, ticks, open, close, pass, frames } = setUp();
    const [picture, sound] = [open('picture'), open('sound')];
    await pass(100);
    close(picture);
    assert.deepEqual([reels.size, ticks.length], [1, 1]);
    frames(sound);
    await pass(100);
    assert.equal(frames(sound).length, 1);
    close(sound);
    assert.deepEqual([reels.size, ticks.length], [0, 0]);
  });

  it('says what cannot be read', async () => {
    const events: EngineEvent[] = [];
    const ticks: (() => void)[] = [];
    const reels = new Reels({
      read: () => Promise.reject(new Error('the disk is gone')),
      onEvent: event => events.push(event),
      nowUs: () => START_US,
      every: (_, callback) => {
        ticks.push(callback);
        return () => undefined;
      },
    });
    reels.open({ watchers: 1, push: assert.fail } as unknown as Feed, { reel: 'a', folder: 'picture' });
    await new Promise<void>(resolve => setImmediate(resolve));
    for (const tick of ticks) tick();
    assert.deepEqual(events, [{ type: 'reelEnded', reel: 'a', fault: 'the disk is gone' }]);
  });
});
