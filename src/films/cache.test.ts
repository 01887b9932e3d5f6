import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { RenditionFolder } from '../transcoder/film/rendition-folder.ts';
import { lookAt, type RenditionSpec, writeWhole } from '../transcoder/index.ts';
import { FilmCache } from './cache.ts';

const OPUS: RenditionSpec = { kind: 'audio', codec: 'opus' };
const PCMA: RenditionSpec = { kind: 'audio', codec: 'pcma' };
const PCMU: RenditionSpec = { kind: 'audio', codec: 'pcmu' };
const TRACKS = { audioLanguage: null, subtitles: null };

async function setUp(t: TestContext, sizeBytes = 10_000) {
  const folder = await mkdtemp(join(tmpdir(), 'dialcast-cache-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'film.mp4');
  await writeFile(path, 'a film');
  const clock = { nowMs: 1_700_000_000_000 };
  const make = () =>
    new FilmCache({ folder: join(folder, 'cache'), sizeBytes, lookAt, writeWhole, nowMs: () => clock.nowMs });
  const cache = make();
  await cache.open();
  const film = await cache.filmFolder({ path, tracks: TRACKS });
  /** Has a rendition of so many bytes and a little more. */
  const prepare = async (rendition: RenditionSpec, bytes: number) => {
    const kept = cache.renditionFolder(film, rendition);
    cache.hold(kept);
    const made = await RenditionFolder.make(kept, rendition);
    const written = await made.add([{ keyFrame: true, ptsUs: 0, data: Buffer.alloc(bytes) }]);
    const hasRoom = await cache.grown(kept, written);
    return { kept, hasRoom };
  };
  return { folder, path, film, cache, make, clock, prepare };
}

describe('the cache of films', () => {
  it('knows a film by its file, as that is now, and the tracks that are wanted', async t => {
    const { cache, path, film } = await setUp(t);
    const again = () => cache.filmFolder({ path, tracks: TRACKS });
    assert.equal(await again(), film);
    assert.notEqual(await cache.filmFolder({ path, tracks: { ...TRACKS, audioLanguage: 'de' } }), film);
    await utimes(path, 1, 1);
    assert.notEqual(await again(), film);
    await assert.rejects(cache.filmFolder({ path: `${path}x`, tracks: TRACKS }), { code: 'ENOENT' });
  });

  it('keeps what was found out of a film', async t => {
    const { cache, film } = await setUp(t);
    const info = { info: { video: null, audio: { sampleRateHz: 48_000, channels: 2 } }, durationUs: 5_000_000 };
    assert.equal(await cache.info(film), null);
    await cache.keepInfo(film, info);
    assert.deepEqual(await cache.info(film), info);
    await writeFile(join(film, 'film.json'), '{"dam');
    assert.equal(await cache.info(film), null);
  });

  it('deletes what was used longest ago when it grows beyond its size', async t => {
    const { cache, clock, prepare } = await setUp(t);
    const [opus, pcma] = [await prepare(OPUS, 4_000), await prepare(PCMA, 4_000)];
    for (const { kept } of [pcma, opus]) {
      clock.nowMs += 1_000;
      cache.release(kept);
    }
    const pcmu = await prepare(PCMU, 4_000);
    assert.deepEqual(
      [opus, pcma, pcmu].map(({ kept }) => existsSync(kept)),
      [true, false, true],
    );
    assert.ok(pcmu.hasRoom && cache.bytes > 8_000 && cache.bytes < 10_000);
  });

  it('deletes nothing that is held, and says when there is no room for that reason', async t => {
    const { prepare } = await setUp(t);
    const all = [await prepare(OPUS, 4_000), await prepare(PCMA, 4_000), await prepare(PCMU, 4_000)];
    assert.deepEqual(
      all.map(({ kept, hasRoom }) => [existsSync(kept), hasRoom]),
      [
        [true, true],
        [true, true],
        [true, false],
      ],
    );
  });

  it('finds what is there when it is opened again, and when it was used', async t => {
    const { cache, clock, film, make, prepare } = await setUp(t);
    const [opus, pcma] = [await prepare(OPUS, 4_000), await prepare(PCMA, 4_000)];
    await Promise.all([utimes(opus.kept, 2_000, 2_000), utimes(pcma.kept, 1_000, 1_000)]);
    const again = make();
    await again.open();
    // A description of each beside its frames, which was not counted before.
    assert.ok(again.bytes >= cache.bytes && again.bytes < cache.bytes + 400, `${cache.bytes}, then ${again.bytes}`);
    assert.deepEqual(
      (await again.stock(film)).map(({ segments, isWhole }) => [segments, isWhole]),
      [
        [1, false],
        [1, false],
      ],
    );
    clock.nowMs += 1_000;
    const kept = again.renditionFolder(film, PCMU);
    again.hold(kept);
    assert.equal(await again.grown(kept, 4_000), true);
    assert.deepEqual([existsSync(opus.kept), existsSync(pcma.kept)], [true, false]);
  });

  it('is refused where there can be no folder', async t => {
    const { path } = await setUp(t);
    const cache = new FilmCache({ folder: join(path, 'in a file'), sizeBytes: 1, lookAt, writeWhole, nowMs: Date.now });
    await assert.rejects(cache.open(), { code: 'CACHE_UNUSABLE' });
  });
});
