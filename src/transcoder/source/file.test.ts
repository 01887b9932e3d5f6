import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { AV_LOG_FATAL } from 'node-av/constants';
import { Log } from 'node-av/lib';
import { frameSink } from '../../../test/support/frame-sink.ts';
import { wave, writeMedia, y4m } from '../../../test/support/media-files.ts';
import { createSource } from './index.ts';

// The reasons are in the errors; FFmpeg's remarks are for nobody.
Log.setLevel(AV_LOG_FATAL);

const nowUs = () => Math.round(performance.now() * 1_000);
const open = async (path: string, loop = false) =>
  createSource({ url: `file:${path}`, loop, passThrough: true, nowUs, changed: () => undefined });

describe('a file that is no film', () => {
  it('and not there is said to be not there', async () => {
    const source = await open('/nowhere/film.mp4');
    await assert.rejects(source.open(), { code: 'SOURCE_OPEN_FAILED', detail: 'no such file' });
    await source.close();
  });

  for (const [name, content] of [
    ['empty.mp4', ''],
    ['text.mp4', 'There was a time when meadow, grove and stream. '.repeat(50)],
    ['zeros.mkv', Buffer.alloc(4_096)],
  ] as const) {
    it(`${name} is refused without a path in the reason, which callers get to read`, async t => {
      const path = writeMedia(t, name, content);
      const source = await open(path);
      await assert.rejects(source.open(), (error: { code: string; detail: string }) => {
        assert.equal(error.code, 'SOURCE_OPEN_FAILED');
        assert.match(error.detail, /\w/);
        assert.ok(!error.detail.includes(dirname(path)), error.detail);
        return true;
      });
      await source.close();
    });
  }

  it('but a folder is refused', async t => {
    const source = await open(dirname(writeMedia(t, 'a', '')));
    await assert.rejects(source.open(), { code: 'SOURCE_OPEN_FAILED' });
    await source.close();
  });

  it('attack: a playlist fetches nothing from elsewhere', async t => {
    const playlist = '#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n';
    const source = await open(writeMedia(t, 'list.m3u8', playlist));
    await assert.rejects(source.open(), { code: 'SOURCE_OPEN_FAILED' });
    await source.close();
  });
});

const NO_LANGUAGES = { audio: null, subtitles: null, available: { audio: [], subtitles: [] } };

describe('a file', { timeout: 20_000 }, () => {
  it('of sound is told as such, played in step with the clock, and over', async t => {
    const source = await open(writeMedia(t, 'a.wav', wave(300)));
    assert.deepEqual(await source.open(), {
      video: null,
      audio: { sampleRateHz: 8_000, channels: 1, obstacle: 'viewers do not take pcm_s16le' },
      languages: NO_LANGUAGES,
    });
    let samples = 0;
    const early: number[] = [];
    let expectedUs: number | null = null;
    await source.play(
      frameSink({
        video: () => assert.fail('there is no picture'),
        audio: (frame, ptsUs) => {
          expectedUs ??= ptsUs;
          assert.ok(Math.abs(ptsUs - expectedUs) <= 1, `${ptsUs} instead of ${expectedUs}`);
          expectedUs += (frame.nbSamples * 1_000_000) / 8_000;
          samples += frame.nbSamples;
          if (nowUs() < ptsUs) early.push(ptsUs);
        },
      }),
      new AbortController().signal,
    );
    await source.close();
    assert.deepEqual([samples, early], [2_400, []]);
  });

  it('of pictures is told as such, and gives each in its order', async t => {
    const size = { width: 32, height: 16, frameRate: 50, frames: 10 };
    const source = await open(writeMedia(t, 'a.y4m', y4m(size)));
    assert.deepEqual(await source.open(), {
      video: { width: 32, height: 16, frameRate: 50, obstacle: 'viewers do not take rawvideo' },
      audio: null,
      languages: NO_LANGUAGES,
    });
    const pictures: { luma: number; ptsUs: number }[] = [];
    await source.play(
      frameSink({
        video: (frame, ptsUs) => pictures.push({ luma: frame.data![0]![0]!, ptsUs }),
        audio: () => assert.fail('there is no sound'),
      }),
      new AbortController().signal,
    );
    await source.close();
    const [first] = pictures;
    assert.deepEqual(
      pictures,
      Array.from({ length: 10 }, (_, index) => ({ luma: 16 + index, ptsUs: first!.ptsUs + index * 20_000 })),
    );
  });

  it('that loops goes on at its end without a gap, until it is stopped', async t => {
    const size = { width: 32, height: 16, frameRate: 50, frames: 5 };
    const source = await open(writeMedia(t, 'a.y4m', y4m(size)), true);
    await source.open();
    const ending = new AbortController();
    const pictures: { luma: number; ptsUs: number }[] = [];
    await source.play(
      frameSink({
        video: (frame, ptsUs) => {
          pictures.push({ luma: frame.data![0]![0]!, ptsUs });
          if (pictures.length === 13) ending.abort();
        },
        audio: () => undefined,
      }),
      ending.signal,
    );
    await source.close();
    const [first] = pictures;
    assert.deepEqual(
      pictures,
      Array.from({ length: 13 }, (_, index) => ({ luma: 16 + (index % 5), ptsUs: first!.ptsUs + index * 20_000 })),
    );
  });
});
