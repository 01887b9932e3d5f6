import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Frame } from 'node-av/lib';
import { addDvbSubtitles } from '../../../test/support/dvb-file.ts';
import { dvbPage, emptyDvbPage } from '../../../test/support/dvb-page.ts';
import { ffmpegFile } from '../../../test/support/ffmpeg-file.ts';
import { frameSink } from '../../../test/support/frame-sink.ts';
import { writeMedia } from '../../../test/support/media-files.ts';
import { PatientClock } from '../../../test/support/patient-clock.ts';
import { FilmReader } from './film-reader.ts';
import { createSource } from './index.ts';

const [WIDTH, HEIGHT] = [320, 180];
const BLACK = ['-f', 'lavfi', '-i', `color=black:size=${WIDTH}x${HEIGHT}:rate=10`, '-t', '2'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '10', '-pix_fmt', 'yuv420p'];
const BRIGHT = 150;
const CUES = '1\n00:00:00,500 --> 00:00:01,000\nHELLO\n\n2\n00:00:01,500 --> 00:00:01,800\n<i>WORLD</i>\n';

function brightRows(frame: Frame): number[] {
  const [luma] = frame.data!;
  const stride = frame.linesize[0]!;
  return Array.from({ length: HEIGHT }, (_, y) => y).filter(y =>
    luma!.subarray(y * stride, y * stride + WIDTH).some(value => value > BRIGHT),
  );
}

/** What is seen of a black film: tenths of a second at which there is something bright in it, and the rows of that. */
async function brightness(path: string, subtitles: string | null) {
  const clock = new PatientClock();
  const { nowUs } = clock;
  const tracks = { audioLanguage: null, subtitles };
  const source = await createSource({
    url: `file:${path}`,
    loop: false,
    tracks,
    passThrough: true,
    nowUs,
    changed: () => {},
  });
  const { languages, video } = await source.open();
  const tenths: number[] = [];
  const rows = { first: HEIGHT, last: 0 };
  let startUs = 0;
  const sink = frameSink({
    video: (frame, ptsUs) => {
      startUs ||= ptsUs;
      const bright = brightRows(frame);
      if (bright.length === 0) return;
      tenths.push(Math.round((ptsUs - startUs) / 100_000));
      rows.first = Math.min(rows.first, bright[0]!);
      rows.last = Math.max(rows.last, bright.at(-1)!);
    },
    audio: () => undefined,
  });
  await source.play(sink, new AbortController().signal);
  await source.close();
  clock.stop();
  return { tenths, rows, shown: languages?.subtitles, obstacle: video?.obstacle };
}

const text = (t: TestContext, name: string, codec: string) =>
  ffmpegFile(t, name, [
    ...['-i', writeMedia(t, 'cues.srt', CUES), ...BLACK, '-map', '1:v', '-map', '0:s', ...H264],
    ...['-c:s', codec, '-metadata:s:s:0', 'language=ger'],
  ]);

describe('subtitles in the wanted language', { timeout: 60_000 }, () => {
  for (const [name, codec] of [
    ['srt.mkv', 'srt'],
    ['ass.mkv', 'ass'],
    ['vtt.mkv', 'webvtt'],
    ['timed.mp4', 'mov_text'],
  ] as const) {
    it(`are shown in the picture at their time, from ${codec}`, async t => {
      const { tenths, rows, shown, obstacle } = await brightness(text(t, name, codec), 'de');
      assert.deepEqual(tenths, [5, 6, 7, 8, 9, 15, 16, 17]);
      assert.ok(rows.first > HEIGHT * 0.75 && rows.last < HEIGHT - 2, `rows ${rows.first} to ${rows.last}`);
      assert.deepEqual([shown, obstacle], ['de', 'subtitles are shown in it']);
    });
  }

  it('are shown where they are drawn, from DVB', async t => {
    const film = ffmpegFile(t, 'film.ts', [...BLACK, ...H264, '-output_ts_offset', '10', '-muxdelay', '0']);
    const path = join(dirname(film), 'dvb.ts');
    const display = { width: 640, height: 360 };
    // Four lines of 200 white pixels.
    const white = [0x12, 0, 0xe4, 7, 0, 0xe4, 7, 0, 0, 0xf0, 0x12, 0, 0xe4, 7, 0, 0xe4, 7, 0, 0, 0xf0];
    const page = dvbPage({
      display,
      x: 200,
      y: 300,
      width: 200,
      height: 8,
      depth: 3,
      top: white,
      colours: [[7, 235, 128, 128, 0]],
    });
    await addDvbSubtitles(film, path, 'deu', [
      { atSeconds: 10.5, data: page },
      { atSeconds: 11, data: emptyDvbPage() },
    ]);
    const { tenths, rows, shown } = await brightness(path, 'ger');
    assert.deepEqual([tenths, shown], [[5, 6, 7, 8, 9], 'de']);
    assert.ok(rows.first >= 149 && rows.last <= 154, `rows ${rows.first} to ${rows.last}`);
  });

  it('are in a film that is prepared', async t => {
    const reader = await FilmReader.open(text(t, 'srt.mkv', 'srt'), { audioLanguage: null, subtitles: 'de' });
    const tenths: number[] = [];
    await reader.read('video', 0, async (frame, filmUs) => {
      if (brightRows(frame).length > 0) tenths.push(Math.round(filmUs / 100_000));
    });
    await reader.close();
    assert.deepEqual(tenths, [5, 6, 7, 8, 9, 15, 16, 17]);
  });

  it('are left out when nobody wants them, or another language', async t => {
    const path = text(t, 'srt.mkv', 'srt');
    for (const wanted of [null, 'fr']) {
      const { tenths, shown, obstacle } = await brightness(path, wanted);
      assert.deepEqual([tenths, shown, obstacle], [[], null, 'it is not yet known whether it can be passed through']);
    }
  });
});
