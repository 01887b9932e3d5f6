import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AV_CHANNEL_LAYOUT_STEREO, AV_LOG_FATAL, AV_SAMPLE_FMT_S16 } from 'node-av/constants';
import { Frame, Log } from 'node-av/lib';
import { FRAME_US, nalTypes, nalUnits, noise, playRenditions, SMALL } from '../../../test/support/renditions.ts';
import type { RenditionSpec } from '../wire.ts';

// What FFmpeg tells of each encoder is for nobody.
Log.setLevel(AV_LOG_FATAL);

/** 20 ms of sound. */
function sound(): Frame {
  const samples = Int16Array.from({ length: 960 * 2 }, (_, index) => (index % 96) * 100);
  return Frame.fromAudioBuffer(Buffer.from(samples.buffer), {
    nbSamples: 960,
    format: AV_SAMPLE_FMT_S16,
    sampleRate: 48_000,
    channelLayout: AV_CHANNEL_LAYOUT_STEREO,
  });
}

describe('a rendition of pictures', { timeout: 30_000 }, () => {
  it('of H.264 begins with a key frame that carries its parameter sets, and keeps the times', async t => {
    const { renditions, show } = playRenditions(t);
    await renditions.start(1, SMALL);
    const frames = await show(1, 4, { fromUs: 1_700_000_000_000_000 });
    assert.deepEqual(
      frames.map(({ keyFrame, ptsUs }) => [keyFrame, ptsUs]),
      [true, false, false, false].map((keyFrame, index) => [keyFrame, 1_700_000_000_000_000 + index * FRAME_US]),
    );
    // SPS, PPS, then the picture in one slice (x264 puts an SEI unit between, once).
    assert.deepEqual(
      nalTypes(frames[0]!.data).filter(type => type !== 6),
      [7, 8, 5],
    );
    assert.deepEqual(nalTypes(frames[1]!.data), [1]);
    // profile_idc 66: Baseline.
    assert.equal(nalUnits(frames[0]!.data)[0]?.[1], 66);
  });

  it('of VP8 begins with a key frame', async t => {
    const { renditions, show } = playRenditions(t);
    await renditions.start(1, { ...SMALL, codec: 'vp8' });
    const frames = await show(1, 3);
    assert.deepEqual(
      frames.map(({ keyFrame, data }) => [keyFrame, (data[0]! & 1) === 0]),
      [
        [true, true],
        [false, false],
        [false, false],
      ],
    );
  });

  for (const codec of ['h264', 'vp8'] as const) {
    it(`of ${codec} makes a key frame of the next picture when it is asked`, async t => {
      const { renditions, show } = playRenditions(t);
      await renditions.start(1, { ...SMALL, codec });
      await show(1, 3);
      renditions.requestKeyFrame(1);
      renditions.requestKeyFrame(2);
      const frames = await show(1, 2, { fromUs: 1_000_000 });
      assert.deepEqual(
        frames.map(({ keyFrame }) => keyFrame),
        [true, false],
      );
      if (codec === 'h264') assert.ok([7, 8, 5].every(type => nalTypes(frames[0]!.data).includes(type)));
    });
  }

  it('of H.264 in mode 0 has no NAL unit that does not fit a packet', async t => {
    const { renditions, show } = playRenditions(t);
    const large = { ...SMALL, packetizationMode: 0, width: 320, height: 240, bitrateBps: 2_000_000 } as const;
    await renditions.start(1, large);
    const units = (await show(1, 3, large)).flatMap(({ data }) => nalUnits(data));
    assert.ok(units.length > 10);
    assert.deepEqual(
      units.filter(({ length }) => length > 1_172),
      [],
    );
  });

  it('is scaled from the source with its aspect kept', async t => {
    const { renditions, show } = playRenditions(t);
    await renditions.start(1, SMALL);
    const [frame] = await show(1, 1, { width: 128, height: 32 });
    assert.ok(frame?.keyFrame);
  });

  it('has no more pictures than its rate', async t => {
    const { renditions, frames, take } = playRenditions(t);
    await renditions.start(1, { ...SMALL, frameRate: 15 });
    const times: number[] = [];
    for (let index = 0; index < 60; index++) {
      using frame = noise(64, 48, index);
      renditions.video(frame, index * FRAME_US);
      if (index % 2 === 1) times.push(...(await take(1, 1)).map(({ ptsUs }) => ptsUs));
    }
    // Each second one, and none of those between, or movement would not be even.
    assert.deepEqual(frames.get(1), []);
    const even = Array.from({ length: 30 }, (_, index) => 2 * index * FRAME_US);
    assert.deepEqual([times, renditions.stats()[0]?.framesDropped], [even, 0]);
  });

  it('keeps every picture of a source of its own rate, although they come unevenly', async t => {
    const { renditions, take } = playRenditions(t);
    await renditions.start(1, SMALL);
    for (let index = 0; index < 30; index++) {
      using frame = noise(64, 48, index);
      const ptsUs = index * FRAME_US + ((index * 7) % 5) * 2_000;
      renditions.video(frame, ptsUs);
      assert.deepEqual(
        (await take(1, 1)).map(each => each.ptsUs),
        [ptsUs],
      );
    }
  });

  it('leaves out pictures rather than queue them when the encoder is behind', async t => {
    const { renditions, take } = playRenditions(t);
    await renditions.start(1, SMALL);
    using frame = noise(64, 48, 0);
    for (let index = 0; index < 10; index++) renditions.video(frame, index * FRAME_US);
    await take(1, 2);
    const dropped = renditions.stats()[0]?.framesDropped ?? 0;
    assert.ok(dropped >= 7, `${dropped}`);
  });

  it('leaves out a picture that goes back in time', async t => {
    const { renditions, show } = playRenditions(t);
    await renditions.start(1, SMALL);
    await show(1, 2, { fromUs: 1_000_000 });
    using frame = noise(64, 48, 9);
    renditions.video(frame, 1_000_000 + FRAME_US);
    const [next] = await show(1, 1, { fromUs: 2_000_000 });
    assert.equal(next?.ptsUs, 2_000_000);
  });
});

describe('a rendition of sound', { timeout: 30_000 }, () => {
  for (const [codec, bytes] of [
    ['pcma', 160],
    ['pcmu', 160],
    ['opus', null],
  ] as const) {
    it(`of ${codec} is one packet for each 20 ms, with times that follow each other`, async t => {
      const { renditions, take } = playRenditions(t);
      await renditions.start(1, { kind: 'audio', codec });
      for (let index = 0; index < 10; index++) {
        using frame = sound();
        renditions.audio(frame, 5_000_000 + index * 20_000);
      }
      // Resampling holds a little back.
      const frames = await take(1, 9);
      const [first] = frames;
      assert.ok(Math.abs(first!.ptsUs - 5_000_000) < 20_000);
      for (const [index, { ptsUs, keyFrame, data }] of frames.entries()) {
        assert.ok(Math.abs(ptsUs - first!.ptsUs - index * 20_000) <= 125, `${ptsUs}`);
        assert.ok(keyFrame && data.length > 0);
        if (bytes !== null) assert.equal(data.length, bytes);
      }
    });
  }

  it('takes up the time of its source again after a gap', async t => {
    const { renditions, take } = playRenditions(t);
    await renditions.start(1, { kind: 'audio', codec: 'opus' });
    for (const ptsUs of [0, 20_000, 40_000, 1_040_000, 1_060_000]) {
      using frame = sound();
      renditions.audio(frame, ptsUs);
    }
    const times = (await take(1, 5)).map(({ ptsUs }) => ptsUs);
    assert.deepEqual(times, [0, 20_000, 40_000, 1_040_000, 1_060_000]);
  });
});

describe('renditions', { timeout: 30_000 }, () => {
  it('that many watch are encoded once', async t => {
    const { renditions, show, frames } = playRenditions(t);
    await renditions.start(1, SMALL);
    await renditions.start(1, SMALL);
    await show(1, 3);
    assert.deepEqual(renditions.stats(), [{ id: 1, framesEncoded: 3, keyFrames: 1, framesDropped: 0 }]);
    assert.deepEqual(frames.get(1), []);
  });

  it('are made side by side, each from the same pictures and sound', async t => {
    const { renditions, take } = playRenditions(t);
    const specs: readonly RenditionSpec[] = [
      SMALL,
      { ...SMALL, codec: 'vp8' },
      { ...SMALL, width: 32, height: 24 },
      { kind: 'audio', codec: 'opus' },
      { kind: 'audio', codec: 'pcma' },
    ];
    for (const [index, spec] of specs.entries()) await renditions.start(index, spec);
    using picture = noise(64, 48, 1);
    renditions.video(picture, 0);
    for (let index = 0; index < 3; index++) {
      using frame = sound();
      renditions.audio(frame, index * 20_000);
    }
    for (const index of specs.keys()) assert.equal((await take(index, 1)).length, 1);
  });

  it('that are stopped make nothing more, and others go on', async t => {
    const { renditions, show, frames } = playRenditions(t);
    await renditions.start(1, SMALL);
    await renditions.start(2, { ...SMALL, codec: 'vp8' });
    await show(1, 1);
    renditions.stop(2);
    renditions.stop(2);
    const before = frames.get(2)?.length ?? 0;
    await show(1, 3, { fromUs: 1_000_000 });
    assert.ok((frames.get(2)?.length ?? 0) <= before + 1);
    assert.deepEqual(
      renditions.stats().map(({ id }) => id),
      [1],
    );
  });

  it('that are stopped while their encoder opens never begin', async t => {
    const { renditions } = playRenditions(t);
    const starting = renditions.start(1, SMALL);
    renditions.stop(1);
    await starting;
    assert.deepEqual(renditions.stats(), []);
  });

  it('that FFmpeg refuses are reported, and can be asked for again', async t => {
    const { renditions, errors, show } = playRenditions(t);
    await renditions.start(1, { ...SMALL, width: 0 });
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', /^1: .*libx264/);
    await renditions.start(1, SMALL);
    assert.equal((await show(1, 1)).length, 1);
  });
});
