import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { ChannelConfig } from '../config/index.ts';
import { createLogger } from '../observe/index.ts';
import { RenditionFolder } from '../transcoder/film/rendition-folder.ts';
import { type FilmInfo, lookAt, type PreparationOptions, type RenditionSpec, writeWhole } from '../transcoder/index.ts';
import { FilmCache } from './cache.ts';
import { Films } from './films.ts';

const OPUS: RenditionSpec = { kind: 'audio', codec: 'opus' };
const PCMA: RenditionSpec = { kind: 'audio', codec: 'pcma' };
const FILM: FilmInfo = {
  info: { video: null, audio: { sampleRateHz: 48_000, channels: 2 } },
  durationUs: 7_000_000,
};

/** Films in a real cache, whose processes are the test. */
async function setUp(t: TestContext, sizeBytes = 1_000_000) {
  const folder = await mkdtemp(join(tmpdir(), 'dialcast-films-'));
  t.after(() => rm(folder, { recursive: true }));
  const source = join(folder, 'film.mp4');
  await writeFile(source, 'a film');
  const channel: ChannelConfig = { number: 1, name: 'film', title: 'Film', source: `file:${source}`, loop: false };
  const cache = new FilmCache({ folder: join(folder, 'cache'), sizeBytes, lookAt, writeWhole, nowMs: Date.now });
  await cache.open();
  const events: string[] = [];
  const processes: (PreparationOptions & { stopped: boolean })[] = [];
  let changed = Promise.withResolvers<void>();
  const happened = (event: string) => {
    events.push(event);
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const make = () =>
    new Films({
      cache,
      log: createLogger({ level: 'silent' }),
      segmentUs: 2_000_000,
      start: options => {
        const process = { ...options, stopped: false };
        processes.push(process);
        happened(options.task.make === null ? 'look' : `make ${options.task.make.rendition.codec}`);
        const stop = () => {
          process.stopped = true;
          happened('stop');
        };
        return { pid: 1, gone: Promise.resolve(), stop };
      },
      onOpened: (name, { durationUs }) => happened(`${name} opened: ${durationUs}`),
      onFailed: (name, reason) => happened(`${name} failed: ${reason}`),
    });
  const until = async (event: string) => {
    while (!events.includes(event)) await changed.promise;
    return events.splice(0);
  };
  const films = make();
  /** Opens the film, which is looked at. */
  const open = async () => {
    films.open(channel);
    await until('look');
    processes.at(-1)!.onMessage({ type: 'film', ...FILM });
    await until('film opened: 7000000');
  };
  return { channel, source, cache, films, make, open, until, processes, events };
}

describe('films that are on', () => {
  it('are looked at once, and prepared in what is watched of them', async t => {
    const { films, make, channel, open, until, processes, events } = await setUp(t);
    await open();
    assert.deepEqual(films.progress('film'), { durationUs: 7_000_000, preparedUs: 0 });
    const folder = films.use('film', OPUS);
    assert.equal(films.use('film', OPUS), folder);
    assert.notEqual(films.use('film', PCMA), folder);
    assert.deepEqual([events.splice(0), films.preparing], [['make opus', 'make pcma'], 2]);
    const [, opus, pcma] = processes;
    opus!.onMessage({ type: 'segments', segments: 3, bytes: 10 });
    pcma!.onMessage({ type: 'segments', segments: 1, bytes: 10 });
    assert.equal(films.progress('film')?.preparedUs, 2_000_000);
    pcma!.onMessage({ type: 'segments', segments: 3, bytes: 10 });
    opus!.onMessage({ type: 'whole', segments: 4 });
    assert.deepEqual([films.progress('film')?.preparedUs, films.preparing], [6_000_000, 1]);
    const again = make();
    again.open(channel);
    await until('film opened: 7000000');
    assert.equal(processes.length, 3);
  });

  it('are known as they were prepared before, and need no process when all is there', async t => {
    const { films, open, make, channel, until, events } = await setUp(t);
    await open();
    const prepared = await RenditionFolder.make(films.use('film', OPUS), OPUS);
    await prepared.add([]);
    await prepared.finish();
    await (await RenditionFolder.make(films.use('film', PCMA), PCMA)).add([]);
    const again = make();
    again.open(channel);
    await until('film opened: 7000000');
    again.use('film', OPUS);
    assert.deepEqual([events.splice(0), again.progress('film')?.preparedUs], [[], 7_000_000]);
    again.use('film', PCMA);
    assert.deepEqual([events, again.progress('film')?.preparedUs], [['make pcma'], 2_000_000]);
  });

  it('are prepared no further when nobody watches, and nothing is heard of it', async t => {
    const { films, open, processes, events } = await setUp(t);
    await open();
    films.use('film', OPUS);
    films.close('film');
    films.close('film');
    processes.at(-1)!.onMessage({ type: 'failed', reason: 'too late' });
    assert.deepEqual([events, films.progress('film'), films.preparing], [['make opus', 'stop'], null, 0]);
    await films.shutDown();
  });

  it('go on to be prepared when a process dies, but not for ever', async t => {
    const { films, open, processes, events } = await setUp(t);
    await open();
    films.use('film', OPUS);
    processes.at(-1)!.onMessage({ type: 'segments', segments: 1, bytes: 10 });
    for (let death = 0; death < 4; death++) processes.at(-1)!.onDied('SIGKILL');
    const reason = 'preparing the film failed again and again (SIGKILL)';
    assert.deepEqual(events, [...Array(4).fill('make opus'), `film failed: ${reason}`]);
  });

  it('fail with the reason: no file, no film, not to be prepared', async t => {
    const { films, channel, source, until, processes } = await setUp(t);
    films.open({ ...channel, source: `${channel.source}x` });
    await until('film failed: no such file');
    films.open(channel);
    await until('look');
    processes.at(-1)!.onMessage({ type: 'failed', reason: `${source} is none` });
    await until(`film failed: ${source} is none`);
    films.open(channel);
    await until('look');
    processes.at(-1)!.onMessage({ type: 'film', ...FILM });
    await until('film opened: 7000000');
    films.use('film', OPUS);
    processes.at(-1)!.onMessage({ type: 'failed', reason: 'no room on the disk' });
    assert.ok((await until('film failed: no room on the disk')).length > 0);
  });

  it('fail when the cache is full of what is watched', async t => {
    const { films, open, until, processes } = await setUp(t, 1_000);
    await open();
    films.use('film', OPUS);
    processes.at(-1)!.onMessage({ type: 'segments', segments: 1, bytes: 2_000 });
    await until('film failed: the cache of films is full of what is being watched');
    assert.equal(processes.at(-1)!.stopped, true);
  });
});
