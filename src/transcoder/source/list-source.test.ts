import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AV_LOG_FATAL } from 'node-av/constants';
import { Log } from 'node-av/lib';
import { frameSink } from '../../../test/support/frame-sink.ts';
import { wave, y4m } from '../../../test/support/media-files.ts';
import type { SourceInfo } from '../wire.ts';
import { createSource } from './index.ts';

// The reasons are in the errors; FFmpeg's remarks are for nobody.
Log.setLevel(AV_LOG_FATAL);

/** Pictures of luma 16, 17 … */
const film = (frames: number, frameRate = 50, width = 32) => y4m({ width, height: 16, frameRate, frames });

/** What came of a source, in its order. */
interface Seen {
  readonly pictures: { readonly width: number; readonly luma: number; readonly ptsUs: number }[];
  samples: number;
}

function setUp(t: TestContext, files: Readonly<Record<string, Uint8Array | string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'list-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const infos: SourceInfo[] = [];
  const ending = new AbortController();
  const seen: Seen = { pictures: [], samples: 0 };
  /** `unixUs` is the time at which it begins. */
  const open = (name = '', { loop = false, unixUs = 0 } = {}) => {
    const beganMs = performance.now();
    return createSource({
      url: `file:${join(folder, name)}`,
      loop,
      passThrough: true,
      nowUs: () => unixUs + Math.round((performance.now() - beganMs) * 1_000),
      changed: info => infos.push(info),
    });
  };
  const sink = (look: () => void = () => undefined) =>
    frameSink({
      video: ({ width, data }, ptsUs) => {
        seen.pictures.push({ width, luma: data![0]![0]!, ptsUs });
        look();
      },
      audio: ({ nbSamples }) => {
        seen.samples += nbSamples;
        look();
      },
    });
  return { folder, infos, ending, seen, open, sink };
}

const lumas = ({ pictures }: Seen) => pictures.map(({ luma }) => luma);
const run = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

describe('a folder', { timeout: 30_000 }, () => {
  it('is played in its order on one time line, whatever the sizes and rates, and is over', async t => {
    const { seen, open, sink, ending, infos } = setUp(t, {
      'part 10.y4m': film(4, 25, 64),
      'part 2.y4m': film(5),
      'part 11.wav': wave(300),
    });
    const source = await open();
    const info = await source.open();
    assert.deepEqual([source.live, info.video?.width, info.audio], [false, 32, null]);
    await source.play(sink(), ending.signal);
    await source.close();
    const [first] = seen.pictures;
    const times = [0, 20, 40, 60, 80, 100, 140, 180, 220];
    assert.deepEqual(
      seen.pictures,
      times.map((ms, index) => ({
        width: index < 5 ? 32 : 64,
        luma: 16 + (index < 5 ? index : index - 5),
        ptsUs: first!.ptsUs + ms * 1_000,
      })),
    );
    assert.equal(seen.samples, 2_400);
    // What the last item lacks is still to be expected.
    assert.deepEqual([infos.at(-1)?.video?.width, infos.at(-1)?.audio?.sampleRateHz], [64, 8_000]);
  });

  it('is in order also where we are late', async t => {
    const { seen, open, sink, ending } = setUp(t, { 'a.y4m': film(5), 'b.y4m': film(5, 50, 64) });
    const source = await open();
    await source.open();
    const look = () => {
      const untilMs = performance.now() + 120;
      while (seen.pictures.length === 2 && performance.now() < untilMs);
    };
    await source.play(sink(look), ending.signal);
    await source.close();
    const times = seen.pictures.map(({ ptsUs }) => ptsUs);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
  });

  it('leaves out what cannot be played, and says so', async t => {
    const { seen, open, sink, ending, infos, folder } = setUp(t, {
      'a.mp4': 'no film',
      'b.y4m': film(3),
      'c.y4m': 'YUV4MPEG2 W32 H16 F50:1 Ip A1:1 C420jpeg\n',
      'd.y4m': film(2),
    });
    const source = await open();
    const { skipped } = await source.open();
    assert.deepEqual(
      skipped?.map(({ item }) => item),
      ['a.mp4'],
    );
    await source.play(sink(), ending.signal);
    await source.close();
    assert.deepEqual(lumas(seen), [...run(16, 3), ...run(16, 2)]);
    const told = infos.at(-1)!.skipped!;
    assert.deepEqual(
      told.map(({ item }) => item),
      ['a.mp4', 'c.y4m'],
    );
    assert.ok(told.every(({ reason }) => /\w/.test(reason) && !reason.includes(folder)));
  });

  it('without a media file is refused', async t => {
    const { open } = setUp(t, { 'notes.txt': 'there is nothing' });
    const source = await open();
    const detail = 'there is no media file in the folder or playlist';
    await assert.rejects(source.open(), { code: 'SOURCE_OPEN_FAILED', detail });
    await source.close();
  });

  it('of which nothing can be played is refused with the reasons', async t => {
    const { open } = setUp(t, { 'a.mp4': 'no film', 'b.mkv': 'no film either' });
    for (const loop of [false, true]) {
      const source = await open('', { loop });
      await assert.rejects(source.open(), ({ code, detail }: { code: string; detail: string }) => {
        assert.equal(code, 'SOURCE_OPEN_FAILED');
        assert.match(detail, /^no file of the folder or playlist can be played \(a\.mp4: \w.*; b\.mkv: \w.*\)$/);
        return true;
      });
      await source.close();
    }
  });
});

describe('a folder that loops', { timeout: 30_000 }, () => {
  it('is a live source that is read anew for each round', async t => {
    const { folder, seen, open, sink, ending } = setUp(t, { 'a.y4m': film(20), 'b.y4m': film(10) });
    const source = await open('', { loop: true });
    await source.open();
    assert.equal(source.live, true);
    const look = () => {
      // It is read when the last of it has been read to its end.
      if (seen.pictures.length === 1) {
        rmSync(join(folder, 'b.y4m'));
        writeFileSync(join(folder, 'c.y4m'), film(10, 50, 64));
      }
      if (seen.pictures.filter(({ width }) => width === 64).length === 20) ending.abort();
    };
    await source.play(sink(look), ending.signal);
    await source.close();
    const gaps = seen.pictures.slice(1).map(({ ptsUs }, index) => ptsUs - seen.pictures[index]!.ptsUs);
    // A machine that is busy may leave out a picture, and moves none.
    assert.deepEqual(
      gaps.filter(gapUs => gapUs % 20_000 !== 0),
      [],
    );
  });

  it('begins where it would be had it never been off', async t => {
    const { seen, open, sink, ending } = setUp(t, { 'a.y4m': film(200), 'b.y4m': film(200, 50, 64) });
    // 1000 rounds of eight seconds, and half a second of the second film.
    const source = await open('', { loop: true, unixUs: 8_004_500_000 });
    await source.open();
    await source.play(
      sink(() => ending.abort()),
      ending.signal,
    );
    await source.close();
    const [{ width, luma }] = seen.pictures as [Seen['pictures'][number]];
    // It takes a moment until it is open.
    assert.ok(width === 64 && luma >= 16 + 24 && luma < 16 + 200, `${width} ${luma}`);
  });

  it('is lost when its files are, once the last of them is over', async t => {
    const { folder, seen, open, sink, ending } = setUp(t, { 'a.y4m': film(10) });
    const source = await open('', { loop: true });
    await source.open();
    rmSync(join(folder, 'a.y4m'));
    const detail = 'there is no media file in the folder or playlist';
    await assert.rejects(source.play(sink(), ending.signal), { code: 'SOURCE_OPEN_FAILED', detail });
    await source.close();
    assert.equal(lumas(seen).at(-1), 25);
  });
});

describe('a playlist', { timeout: 30_000 }, () => {
  it('is played as it is written', async t => {
    const list = '#EXTM3U\n#EXTINF:1,B\nb.y4m\na.y4m\nhttp://127.0.0.1:9/secret.ts\nb.y4m\n';
    const { seen, open, sink, ending, infos } = setUp(t, {
      'a.y4m': film(3, 50, 64),
      'b.y4m': film(2),
      'list.m3u': list,
    });
    const source = await open('list.m3u');
    await source.open();
    await source.play(sink(), ending.signal);
    await source.close();
    assert.deepEqual(
      seen.pictures.map(({ width }) => width),
      [32, 32, 64, 64, 64, 32, 32],
    );
    assert.deepEqual(infos.at(-1)?.skipped, [{ item: 'secret.ts', reason: 'no such file' }]);
  });

  it('attack: that names itself ends', async t => {
    const { open } = setUp(t, { 'list.m3u': 'list.m3u\nlist.m3u\n' });
    const source = await open('list.m3u');
    await assert.rejects(source.open(), { code: 'SOURCE_OPEN_FAILED' });
    await source.close();
  });
});
