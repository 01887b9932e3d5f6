import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { AV_LOG_FATAL } from 'node-av/constants';
import { type Frame, Log } from 'node-av/lib';
import { Canvas, pictureFrame } from '../picture/index.ts';
import type { SourceInfo } from '../wire.ts';
import { Standby } from './index.ts';
import { drawSlate } from './slate.ts';

Log.setLevel(AV_LOG_FATAL);

const VIDEO = { width: 320, height: 180, frameRate: 25 };
const AUDIO = { sampleRateHz: 44_100, channels: 1 };

/** A standby whose source is played by hand, in virtual time: what comes through, by its moment in milliseconds. */
function setUp(t: TestContext, info: SourceInfo = { video: VIDEO, audio: AUDIO }) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
  const shown: { atMs: number; dueMs: number; kind: string; width: number }[] = [];
  const changes: string[] = [];
  const told: string[] = [];
  const take = (kind: string) => (frame: Frame, ptsUs: number) => {
    shown.push({ atMs: Date.now(), dueMs: ptsUs / 1000, kind, width: frame.width });
  };
  const standby = new Standby({
    title: 'News',
    sink: {
      video: take('picture'),
      audio: take('sound'),
      late: () => undefined,
      needsFrames: () => true,
      passes: (medium, make) => void told.push(`${Date.now()} ${medium}: ${make?.codec ?? 'none'}`),
      packet: (medium, { ptsUs }) => void told.push(`${Date.now()} ${medium} ${ptsUs / 1000}`),
    },
    nowUs: () => Date.now() * 1000,
    changed: out => changes.push(`${Date.now()} ${out ? 'out' : 'back'}`),
  });
  t.after(() => standby.close());
  standby.opened(info);
  const canvas = new Canvas(64, 48);
  const picture = pictureFrame(canvas);
  t.after(() => picture.free());
  const turns = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  const advance = async (ms: number) => {
    await turns();
    for (let passed = 0; passed < ms; passed += 10) {
      t.mock.timers.tick(10);
      await turns();
    }
  };
  const show = () => standby.video(picture, Date.now() * 1000);
  const sound = () => standby.audio(picture, Date.now() * 1000);
  const packet = (medium: 'video' | 'audio', keyFrame: boolean) =>
    standby.packet(medium, { keyFrame, ptsUs: Date.now() * 1000, data: Buffer.of(0) });
  return { standby, shown, told, changes, advance, show, sound, packet };
}

describe('while a live source is there', () => {
  it('it is passed on, and a short pause is left alone', async t => {
    const { shown, changes, advance, show, sound } = setUp(t);
    for (let round = 0; round < 5; round++) {
      show();
      sound();
      await advance(900);
    }
    assert.deepEqual([shown.length, changes], [10, []]);
  });
});

describe('when nothing comes of a live source', () => {
  it('a slate of its size and silence are shown after a second', async t => {
    const { shown, changes, advance, show } = setUp(t);
    show();
    await advance(3_000);
    assert.deepEqual(changes, ['1000 out']);
    const slates = shown.slice(1).filter(({ kind }) => kind === 'picture');
    const silences = shown.filter(({ kind }) => kind === 'sound');
    assert.ok(slates.every(({ width, dueMs }) => width === 320 && dueMs >= 1_000));
    assert.deepEqual([slates.length, silences.length], [21, 101]);
    assert.deepEqual(
      silences.map(({ dueMs }) => dueMs),
      Array.from({ length: 101 }, (_, index) => 1_000 + index * 20),
    );
  });

  it('at all after it was opened, it is the same', async t => {
    const { changes, advance } = setUp(t);
    await advance(1_500);
    assert.deepEqual(changes, ['1000 out']);
  });

  it('it ends with the next picture; sound that comes before it waits', async t => {
    const { standby, shown, changes, advance, show, sound } = setUp(t);
    await advance(2_000);
    assert.equal(standby.isOut, true);
    sound();
    const before = shown.length;
    assert.equal(shown.filter(({ kind, width }) => kind === 'sound' && width === 64).length, 0);
    show();
    sound();
    await advance(500);
    assert.deepEqual([shown.length, standby.isOut, changes], [before + 2, false, ['1000 out', '2000 back']]);
    await advance(2_000);
    assert.equal(changes.at(-1), '3000 out');
  });

  it('its packets are no longer passed on until one comes with which a decoder can begin', async t => {
    const { standby, told, changes, advance, packet } = setUp(t);
    standby.passes('video', { codec: 'vp8' });
    standby.passes('audio', { codec: 'opus' });
    packet('video', true);
    await advance(1_200);
    assert.deepEqual(told.splice(0), [
      '0 video: vp8',
      '0 audio: opus',
      '0 video 0',
      '1000 video: none',
      '1000 audio: none',
    ]);
    packet('video', false);
    packet('audio', true);
    assert.deepEqual([told, changes], [[], ['1000 out']]);
    packet('video', true);
    packet('audio', true);
    assert.deepEqual(told, ['1200 video: vp8', '1200 audio: opus', '1200 video 1200', '1200 audio 1200']);
    assert.equal(changes.at(-1), '1200 back');
  });

  it('what its packets are is told when it is back', async t => {
    const { standby, told, advance, show } = setUp(t);
    await advance(1_200);
    told.splice(0);
    standby.passes('video', { codec: 'vp8' });
    assert.deepEqual(told, []);
    show();
    assert.deepEqual(told, ['1200 video: vp8', '1200 audio: none']);
  });

  it('that has only sound, there is only silence, and sound ends it', async t => {
    const { shown, changes, advance, sound } = setUp(t, { video: null, audio: AUDIO });
    await advance(1_100);
    sound();
    assert.deepEqual(changes, ['1000 out', '1100 back']);
    assert.ok(shown.every(({ kind }) => kind === 'sound'));
  });

  it('nothing goes on once it is closed', async t => {
    const { standby, shown, advance } = setUp(t);
    await advance(2_000);
    const closing = standby.close();
    await advance(100);
    await closing;
    const before = shown.length;
    await advance(2_000);
    assert.equal(shown.length, before);
  });
});

describe('the slate', () => {
  /** Pixels of the frame that are much brighter than its ground. */
  function bright(frame: Frame): number {
    const row = (y: number) => frame.data![0]!.subarray(y * frame.linesize[0]!, y * frame.linesize[0]! + frame.width);
    return Array.from({ length: frame.height }, (_, y) => row(y).filter(luma => luma > 100).length).reduce(
      (sum, count) => sum + count,
      0,
    );
  }

  for (const [name, title] of [
    ['a title', 'News'],
    ['a title of every kind of sign', '\'Tis 8:15, \\100 %{pts}\\: [a];b=c,d "ж" 日本'],
    ['a title of a hundred letters', 'W'.repeat(100)],
  ] as const) {
    it(`shows ${name}`, () => {
      using frame = drawSlate(title, { width: 640, height: 360 });
      assert.deepEqual([frame.width, frame.height], [640, 360]);
      assert.ok(bright(frame) > 100, `${bright(frame)} pixels`);
    });
  }

  it('is different for another title', () => {
    using one = drawSlate('News', { width: 640, height: 360 });
    using other = drawSlate('Weather', { width: 640, height: 360 });
    assert.ok(!one.data![0]!.equals(other.data![0]!));
  });

  it('has an even size where its source has an odd one', () => {
    using frame = drawSlate('News', { width: 321, height: 181 });
    assert.deepEqual([frame.width, frame.height], [320, 180]);
  });
});
