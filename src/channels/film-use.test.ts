import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChannelConfig } from '../config/index.ts';
import type { RenditionSpec } from '../transcoder/index.ts';
import { Channels } from './channels.ts';

const FILM: ChannelConfig = { number: 1, name: 'film', title: 'Film', source: 'file:/a', loop: false, film: true };
const INFO = { video: null, audio: { sampleRateHz: 48_000, channels: 2 } };
const OPUS: RenditionSpec = { kind: 'audio', codec: 'opus' };

/** A film that is prepared for a minute of its minute and a half. */
function setUp() {
  const events: string[] = [];
  const clock = { nowMs: 5_000 };
  let feeds = 0;
  const channels = new Channels([FILM], {
    startTranscoder: ({ name }) => events.push(`start ${name}`),
    stopTranscoder: ({ name }) => events.push(`stop ${name}`),
    openFeed: () => assert.fail('everybody would watch the same'),
    closeFeed: feed => events.push(`close ${feed}`),
    films: {
      openFeed: (_channel, { codec }, reel) => {
        events.push(`open ${++feeds} of ${reel}: ${codec}`);
        return feeds;
      },
      moveReel: async ({ reel, positionUs, paused }) => void events.push(`move ${reel}: ${positionUs} ${paused}`),
      progress: () => ({ durationUs: 90_000_000, preparedUs: 60_000_000 }),
      nowMs: () => clock.nowMs,
    },
    availabilityChanged: () => undefined,
    slateChanged: () => undefined,
    timers: { setTimeout: () => 1, clearTimeout: () => undefined },
  });
  const open = async (onGone: (reason: string) => void = () => assert.fail('gone')) => {
    const opening = channels.find('film')!.open(onGone);
    channels.sourceOpened('film', INFO);
    const use = await opening;
    return { ...use, film: use.film! };
  };
  return { channels, events, clock, open };
}

describe('a viewer of a film', () => {
  it('has feeds of his own, which outlive a hold and end with the call', async () => {
    const { open, events } = setUp();
    const [first, second] = [await open(), await open()];
    const watched = first.watch(OPUS);
    watched.release();
    assert.equal(first.watch({ ...OPUS }).feed, watched.feed);
    assert.notEqual(second.watch(OPUS).feed, watched.feed);
    first.close();
    assert.deepEqual(events, ['start film', 'open 1 of film 1: opus', 'open 2 of film 2: opus', 'close 1']);
  });

  it('is where the engine said last, and goes on from there as time does', async () => {
    const { channels, clock, open } = setUp();
    const { film } = await open();
    let told = 0;
    film.onMoved = () => told++;
    const place = () => [film.position.positionUs, film.position.isRunning];
    assert.deepEqual(place(), [0, false]);
    channels.reelMoved('film 1', { positionUs: 4_000_000, isRunning: true });
    clock.nowMs += 1_500;
    assert.deepEqual(place(), [5_500_000, true]);
    channels.reelMoved('film 1', { positionUs: 6_000_000, isRunning: false });
    channels.reelMoved('film 9', { positionUs: 8_000_000, isRunning: true });
    clock.nowMs += 1_500;
    assert.deepEqual([place(), told], [[6_000_000, false], 2]);
    channels.reelMoved('film 1', { positionUs: 89_000_000, isRunning: true });
    clock.nowMs += 5_000;
    assert.deepEqual(place(), [90_000_000, true]);
  });

  it('moves as far as the film is prepared, and pauses', async () => {
    const { events, open } = setUp();
    const { film } = await open();
    events.splice(0);
    await film.move({ positionUs: 12_000_000 });
    await film.move({ positionUs: 75_000_000 });
    await film.move({ positionUs: -1 });
    assert.equal((await film.move({ paused: true })).isPaused, true);
    await film.move({ positionUs: 1_000_000 });
    assert.deepEqual(events, [
      'move film 1: 12000000 false',
      'move film 1: 59999999 false',
      'move film 1: 0 false',
      'move film 1: undefined true',
      'move film 1: 1000000 true',
    ]);
  });

  it('goes alone when the film is over for him', async () => {
    const { channels, open } = setUp();
    const reasons: string[] = [];
    await open(reason => reasons.push(reason));
    await open();
    channels.reelEnded('film 1', null);
    assert.deepEqual(reasons, ['the film has ended']);
  });

  it('goes with all others when it can be prepared no further, and nothing of it is left open', async () => {
    const { channels, events, open } = setUp();
    const reasons: string[] = [];
    const uses = [await open(reason => reasons.push(reason)), await open(reason => reasons.push(reason))];
    for (const use of uses) use.watch(OPUS);
    events.splice(0);
    channels.sourceFailed('film', 'no room');
    assert.deepEqual(
      [reasons, events],
      [
        ['no room', 'no room'],
        ['close 1', 'close 2', 'stop film'],
      ],
    );
  });
});
