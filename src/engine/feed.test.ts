import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RenditionSpec, RenditionStats } from '../transcoder/wire.ts';
import { Feed, type Frame } from './feed.ts';
import { Feeds } from './feeds.ts';
import { Reels } from './film/index.ts';
import type { FanOut } from './native.ts';
import type { EngineEvent } from './protocol.ts';

const VP8: RenditionSpec = {
  kind: 'video',
  codec: 'vp8',
  packetizationMode: 1,
  width: 1280,
  height: 720,
  frameRate: 30,
  bitrateBps: 2_500_000,
};
const OPUS: RenditionSpec = { kind: 'audio', codec: 'opus' };

const frame = (keyFrame: boolean, id = 1, ptsUs = 1_000_000n): Frame => ({
  type: 'frame',
  id,
  keyFrame,
  ptsUs,
  data: Buffer.from('picture'),
});

/** A fan-out that writes down what it is told. */
function fakeFanOut() {
  const events: string[] = [];
  const pushed: { timestamp: number; bytes: number; marker: boolean }[] = [];
  let feeds = 100;
  const fanOut: Pick<FanOut, 'addFeed' | 'removeFeed' | 'subscribe' | 'push'> = {
    addFeed: ring => {
      events.push(`feed of ${ring}`);
      return feeds++;
    },
    removeFeed: feed => events.push(`remove ${feed}`),
    subscribe: (stream, feed) => events.push(`${stream} to ${feed}`),
    push: (_feed, timestamp, _payloads, sizes, marker) => {
      pushed.push({ timestamp, bytes: sizes.reduce((sum, size) => sum + size, 0), marker });
      return sizes.length;
    },
  };
  return { events, pushed, fanOut: fanOut as FanOut };
}

function noFilms(): Reels {
  const onEvent = ({ type }: EngineEvent) => assert.fail(type);
  return new Reels({ read: async () => 'end', onEvent, nowUs: () => 0, every: () => () => undefined });
}

function setUp(rendition: RenditionSpec) {
  const { events, pushed, fanOut } = fakeFanOut();
  let asked = 0;
  const feed = new Feed({ feed: 1, channel: 'clock', rendition }, fanOut, () => asked++);
  events.length = 0;
  return { feed, events, pushed, asked: () => asked };
}

describe('a feed of pictures', () => {
  it('asks for a key frame at once when somebody joins, and lets him in with it', () => {
    const { feed, events, pushed, asked } = setUp(VP8);
    feed.join(7, 0);
    assert.equal(asked(), 1);
    feed.push(frame(false), 10);
    assert.deepEqual([events, pushed], [[], []]);
    feed.push(frame(true), 40);
    assert.deepEqual(events, ['7 to 100']);
    assert.equal(pushed.length, 1);
    feed.push(frame(false), 70);
    assert.equal(pushed.length, 2);
  });

  it('asks once for all who join together, and for a later one after 300 ms', () => {
    const { feed, events, asked } = setUp(VP8);
    for (let stream = 1; stream <= 100; stream++) feed.join(stream, stream);
    assert.equal(asked(), 1);
    feed.push(frame(true), 120);
    assert.equal(events.length, 100);
    feed.join(101, 150);
    feed.push(frame(false), 200);
    assert.equal(asked(), 1);
    feed.push(frame(false), 301);
    assert.equal(asked(), 2);
    assert.equal(events.length, 100);
    feed.push(frame(true), 330);
    assert.deepEqual(events.slice(100), ['101 to 100']);
  });

  it('brings a key frame every two seconds to who cannot ask for one, while he is there', () => {
    const { feed, asked } = setUp(VP8);
    feed.join(7, 0, false);
    feed.push(frame(true), 0);
    feed.push(frame(false), 1_999);
    assert.equal(asked(), 1);
    feed.push(frame(false), 2_000);
    feed.push(frame(false), 2_033);
    assert.equal(asked(), 2);
    feed.push(frame(true), 2_066);
    feed.push(frame(false), 4_065);
    assert.equal(asked(), 2);
    feed.leave(7);
    feed.push(frame(false), 4_066);
    assert.equal(asked(), 2);
  });

  it('packetises nothing while nobody watches', () => {
    const { feed, pushed } = setUp(VP8);
    feed.push(frame(true), 0);
    assert.deepEqual(pushed, []);
    assert.equal(feed.frames, 1);
  });

  it('stamps frames with Unix time on a clock of 90 kHz', () => {
    const { feed, pushed } = setUp(VP8);
    feed.join(1, 0);
    feed.push(frame(true, 1, 2_000_000n), 0);
    assert.equal(pushed[0]?.timestamp, 180_000);
    assert.equal(pushed[0]?.marker, true);
  });

  it('forgets who left before he was let in, and takes out who left after', () => {
    const { feed, events } = setUp(VP8);
    feed.join(1, 0);
    feed.join(2, 0);
    feed.leave(1);
    feed.push(frame(true), 10);
    assert.deepEqual(events, ['2 to 100']);
    feed.leave(2);
    feed.leave(2);
    assert.deepEqual(events.slice(1), ['2 to null']);
    assert.equal(feed.watchers, 0);
  });

  it('asks anew after its transcoder came back', () => {
    const { feed, asked } = setUp(VP8);
    feed.join(1, 0);
    feed.transcoderStarted();
    // Its first frame is a key frame anyway.
    feed.push(frame(true), 400);
    feed.push(frame(false), 800);
    assert.equal(asked(), 1);
    feed.requestKeyFrame(900);
    assert.equal(asked(), 2);
  });

  it('lets everybody go when it closes', () => {
    const { feed, events } = setUp(VP8);
    feed.join(1, 0);
    feed.push(frame(true), 10);
    feed.join(2, 20);
    feed.close();
    assert.deepEqual(events, ['1 to 100', '1 to null', 'remove 100']);
  });
});

describe('a feed of sound', () => {
  it('lets everybody in with the next frame, and asks for nothing', () => {
    const { feed, events, pushed, asked } = setUp(OPUS);
    feed.join(7, 0);
    feed.push({ ...frame(false), ptsUs: 20_000n }, 0);
    assert.deepEqual([events, asked()], [['7 to 100'], 0]);
    assert.equal(pushed[0]?.timestamp, 960);
  });

  for (const [codec, timestamp] of [
    ['opus', 48_000],
    ['pcma', 8_000],
    ['pcmu', 8_000],
  ] as const) {
    it(`of ${codec} has a clock of ${timestamp} Hz`, () => {
      const { feed, pushed } = setUp({ kind: 'audio', codec });
      feed.join(1, 0);
      feed.push(frame(true), 0);
      assert.equal(pushed[0]?.timestamp, timestamp);
    });
  }
});

describe('the feeds', () => {
  function setUpFeeds() {
    const { events, pushed, fanOut } = fakeFanOut();
    const told: string[] = [];
    const feeds = new Feeds(fanOut, noFilms(), (channel, message) => {
      told.push(`${channel}: ${message.type} ${message.id}`);
    });
    return { feeds, events, pushed, told };
  }

  it('tell the transcoder what to make, and to stop', () => {
    const { feeds, events, told } = setUpFeeds();
    feeds.open({ feed: 1, channel: 'clock', rendition: VP8 });
    feeds.open({ feed: 2, channel: 'clock', rendition: OPUS });
    feeds.get(1)?.join(9, 0);
    feeds.close(2);
    feeds.close(2);
    assert.deepEqual(told, ['clock: start 1', 'clock: start 2', 'clock: keyFrame 1', 'clock: stop 2']);
    assert.deepEqual(events, ['feed of 1024', 'feed of 128', 'remove 101']);
    assert.equal(feeds.get(2), undefined);
  });

  it('tell a transcoder that comes (again) all that its channel needs, and nothing of others', () => {
    const { feeds, told } = setUpFeeds();
    feeds.open({ feed: 1, channel: 'clock', rendition: VP8 });
    feeds.open({ feed: 2, channel: 'film', rendition: VP8 });
    feeds.open({ feed: 3, channel: 'clock', rendition: OPUS });
    told.length = 0;
    feeds.transcoderStarted('clock');
    assert.deepEqual(told, ['clock: start 1', 'clock: start 3']);
  });

  it('do not ask a transcoder that comes again for the key frame with which it begins', () => {
    const { feeds, told } = setUpFeeds();
    feeds.open({ feed: 1, channel: 'clock', rendition: VP8 });
    feeds.get(1)?.join(9, 0);
    feeds.transcoderStarted('clock');
    told.length = 0;
    feeds.push('clock', frame(false), 1_000);
    assert.deepEqual(told, []);
  });

  it("attack: a channel's transcoder cannot push into another channel's feed", () => {
    const { feeds, pushed } = setUpFeeds();
    feeds.open({ feed: 1, channel: 'clock', rendition: VP8 });
    feeds.get(1)?.join(9, 0);
    feeds.push('film', frame(true), 0);
    assert.deepEqual(pushed, []);
    feeds.push('clock', frame(true), 0);
    assert.equal(pushed.length, 1);
  });

  it('take no notice of a frame that was under way when its feed was closed', () => {
    const { feeds, pushed } = setUpFeeds();
    feeds.push('clock', frame(true), 0);
    assert.deepEqual(pushed, []);
  });

  it('count frames by channel and codec, also those of feeds that are closed', () => {
    const { feeds } = setUpFeeds();
    for (const feed of [1, 2]) feeds.open({ feed, channel: 'clock', rendition: VP8 });
    feeds.open({ feed: 3, channel: 'clock', rendition: OPUS });
    feeds.get(2)?.join(9, 0);
    for (const id of [1, 1, 2, 3]) feeds.push('clock', frame(true, id), 0);
    feeds.close(1);
    assert.deepEqual(feeds.stats(), {
      reels: 0,
      feeds: [
        { channel: 'clock', codec: 'vp8', viewers: 1, passedThrough: false },
        { channel: 'clock', codec: 'opus', viewers: 0, passedThrough: false },
      ],
      frames: [
        { channel: 'clock', codec: 'vp8', frames: 3 },
        { channel: 'clock', codec: 'opus', frames: 1 },
      ],
      encoders: [],
    });
    assert.deepEqual(feeds.stats(), feeds.stats());
  });

  it('are known to be passed through by what their own transcoder says last', () => {
    const { feeds } = setUpFeeds();
    for (const feed of [1, 2]) feeds.open({ feed, channel: 'clock', rendition: VP8 });
    const said = { framesEncoded: 0, keyFrames: 0, framesDropped: 0, passedThrough: true } as const;
    const passed = () => feeds.stats().feeds.map(({ passedThrough }) => passedThrough);
    const report = (channel: string, ...renditions: RenditionStats[]) =>
      feeds.report(channel, { renditions, encoders: { video: 0, audio: 0 } });
    report('film', { id: 1, ...said });
    assert.deepEqual(passed(), [false, false]);
    const encoded = { framesEncoded: 9, keyFrames: 1, framesDropped: 0 };
    report('clock', { id: 1, ...said }, { id: 2, ...encoded }, { id: 3, ...said });
    assert.deepEqual(passed(), [true, false]);
    report('clock', { id: 1, ...encoded });
    assert.deepEqual(passed(), [false, false]);
  });
  it('say how many encoders there are, by what each transcoder says last, until it is gone', () => {
    const { feeds } = setUpFeeds();
    const report = (channel: string, video: number) =>
      feeds.report(channel, { renditions: [], encoders: { video, audio: 1 } });
    report('clock', 3);
    report('film', 1);
    report('clock', 2);
    const [clock, film] = [
      { channel: 'clock', video: 2, audio: 1 },
      { channel: 'film', video: 1, audio: 1 },
    ];
    assert.deepEqual(feeds.stats().encoders, [clock, film]);
    feeds.transcoderGone('film');
    assert.deepEqual(feeds.stats().encoders, [clock]);
  });
});
