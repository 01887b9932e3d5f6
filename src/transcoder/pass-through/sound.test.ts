import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPassage } from './index.ts';
import { g711DurationUs, opusDurationUs, SoundPassage } from './sound.ts';

describe('an Opus packet lasts', () => {
  // RFC 6716 table 2 and §3.2: five bits of configuration, one for stereo, two for the number of frames.
  for (const [bytes, ms] of [
    [[0 << 3], 10],
    [[3 << 3], 60],
    [[11 << 3], 60],
    [[12 << 3], 10],
    [[15 << 3], 20],
    [[16 << 3], 2.5],
    [[31 << 3], 20],
    [[(31 << 3) | 4], 20],
    [[(31 << 3) | 1], 40],
    [[(31 << 3) | 2], 40],
    [[(31 << 3) | 3, 0x80 | 3], 60],
    [[(31 << 3) | 3], 0],
    [[], 0],
  ] as const) {
    it(`${ms} ms with ${JSON.stringify(bytes)}`, () => assert.equal(opusDurationUs(Uint8Array.from(bytes)), ms * 1000));
  }
});

describe('sound that is passed through', () => {
  const passage = () => new SoundPassage({ codec: 'pcma' }, g711DurationUs);
  const packet = (ms: number) => Buffer.alloc(ms * 8);

  it('has times that follow each other to the sample, whatever its container made of them', () => {
    const sound = passage();
    const times = [1_000_000, 1_021_000, 1_039_000, 1_060_500].map(ptsUs => sound.take(packet(20), ptsUs)?.ptsUs);
    assert.deepEqual(times, [1_000_000, 1_020_000, 1_040_000, 1_060_000]);
  });

  it('has a gap where its source had one', () => {
    const sound = passage();
    const times = [0, 20_000, 90_000, 110_000].map(ptsUs => sound.take(packet(20), ptsUs)?.ptsUs);
    assert.deepEqual(times, [0, 20_000, 90_000, 110_000]);
  });

  it('is none of packets that are longer than a phone takes', () => {
    const sound = passage();
    sound.take(packet(60), 0);
    assert.deepEqual(sound.verdict, { passThrough: { codec: 'pcma' } });
    sound.take(packet(80), 60_000);
    assert.deepEqual(sound.verdict, { obstacle: 'its packets are longer than 60 ms' });
  });

  it('has nothing of a packet in which there is nothing', () => assert.equal(passage().take(packet(0), 0), null));

  const [ALAW, OPUS, AAC] = [65_543, 86_076, 86_018];
  for (const [name, codecId, sampleRate, channels, extradata, obstacle] of [
    ['is G.711 of 8 kHz', ALAW, 8_000, 1, null, undefined],
    ['is not G.711 of 16 kHz', ALAW, 16_000, 1, null, 'it is not of 8 kHz in one channel'],
    ['is not G.711 in stereo', ALAW, 8_000, 2, null, 'it is not of 8 kHz in one channel'],
    ['is Opus', OPUS, 48_000, 2, null, undefined],
    ['is not Opus of 5.1', OPUS, 48_000, 6, null, 'it has more than two channels'],
    ['is not Opus of several streams', OPUS, 48_000, 2, Buffer.alloc(19, 1), 'it has more than two channels'],
    ['is not AAC', AAC, 48_000, 2, null, 'viewers do not take aac'],
  ] as const) {
    it(name, () => {
      const created = createPassage({ codecId, sampleRate, channels, extradata, videoDelay: 0 }, 'aac');
      assert.equal(('take' in created ? created.verdict : created).obstacle, obstacle);
    });
  }
});
