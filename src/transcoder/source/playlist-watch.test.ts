import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlaylistWatch } from './playlist-watch.ts';

const URL_OF_IT = 'http://tv.example/news/live.m3u8';
const MASTER = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n\nlow/1.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhigh/1.m3u8\n';
const TARGET_MS = 4_000;

const playlist = (first: number, segments = 3) =>
  [
    ...['#EXTM3U', `#EXT-X-TARGETDURATION:${TARGET_MS / 1_000}`, `#EXT-X-MEDIA-SEQUENCE:${first}`],
    ...Array.from({ length: segments }, (_, index) => `#EXTINF:4.0,\n${first + index}.ts`),
  ].join('\n');

/** A watch over a web server that has what it is given, in a time that passes while it is asked. */
class Bench {
  nowMs = 0;
  readonly asked: string[] = [];
  readonly watch: PlaylistWatch;
  documents: Record<string, string> = {};
  headers: Headers | undefined;

  constructor(url = URL_OF_IT) {
    const answer = async (address: URL, init: RequestInit) => {
      this.asked.push(`${this.nowMs} ${address.href}`);
      this.headers = init.headers as Headers;
      const document = this.documents[address.href];
      if (document === undefined) throw new TypeError('fetch failed');
      return new Response(document);
    };
    this.watch = new PlaylistWatch({ url, fetch: answer as typeof fetch, nowMs: () => this.nowMs });
  }

  /** Asks for so long, four times a second: when it was found to be left behind, or null. */
  async ask(forMs: number, silent: boolean): Promise<number | null> {
    const untilMs = this.nowMs + forMs;
    for (; this.nowMs < untilMs; this.nowMs += 250) {
      if (await this.watch.isLeftBehind(silent)) return this.nowMs;
    }
    return null;
  }
}

describe('a live playlist', () => {
  it('is looked at once while all is well', async () => {
    const bench = new Bench();
    bench.documents = { [URL_OF_IT]: playlist(0) };
    assert.equal(await bench.ask(60_000, false), null);
    assert.deepEqual(bench.asked, [`0 ${URL_OF_IT}`]);
  });

  it('that stands still is waited for, and looked at in half of its target duration', async () => {
    const bench = new Bench();
    bench.documents = { [URL_OF_IT]: playlist(0) };
    await bench.ask(1_000, false);
    bench.documents = { [URL_OF_IT]: playlist(7) };
    assert.equal(await bench.ask(60_000, true), null);
    assert.equal(bench.asked.length, 1 + 60_000 / (TARGET_MS / 2));
  });

  it('that begins anew is opened anew at once', async () => {
    const bench = new Bench();
    bench.documents = { [URL_OF_IT]: playlist(7) };
    await bench.ask(10_000, true);
    bench.documents = { [URL_OF_IT]: playlist(0, 1) };
    const leftBehindAtMs = await bench.ask(10_000, true);
    assert.ok(leftBehindAtMs !== null && leftBehindAtMs <= 10_000 + TARGET_MS / 2, `${leftBehindAtMs}`);
  });

  it('that began anew before anybody looked is opened anew when nothing comes of it though it goes on', async () => {
    const bench = new Bench();
    bench.documents = { [URL_OF_IT]: playlist(0, 1) };
    await bench.ask(250, false);
    bench.documents = { [URL_OF_IT]: playlist(0, 2) };
    assert.equal(await bench.ask(4_000, true), null);
    bench.documents = { [URL_OF_IT]: playlist(0, 3) };
    const leftBehindAtMs = await bench.ask(20_000, true);
    assert.ok(leftBehindAtMs !== null && leftBehindAtMs <= 4_250 + 2 * TARGET_MS, `${leftBehindAtMs}`);
  });

  it('that goes on, and of which something comes, is let alone', async () => {
    const bench = new Bench();
    for (let first = 0; first < 20; first++) {
      bench.documents = { [URL_OF_IT]: playlist(first) };
      assert.equal(await bench.ask(3_000, true), null);
      assert.equal(await bench.ask(1_000, false), null);
    }
  });

  it('is found behind one that names several', async () => {
    const bench = new Bench();
    bench.documents = { [URL_OF_IT]: MASTER, 'http://tv.example/news/low/1.m3u8': playlist(7) };
    await bench.ask(1_000, true);
    bench.documents['http://tv.example/news/low/1.m3u8'] = playlist(0);
    assert.notEqual(await bench.ask(10_000, true), null);
  });

  for (const [name, document] of [
    ['that cannot be had', undefined],
    ['that is none', '<html>'],
    ['beyond all measure', `${playlist(0)}\n${'#'.repeat(2 ** 21)}`],
  ] as const) {
    it(`${name} is FFmpeg's affair`, async () => {
      const bench = new Bench();
      bench.documents = { [URL_OF_IT]: playlist(7) };
      await bench.ask(1_000, true);
      bench.documents = document === undefined ? {} : { [URL_OF_IT]: document };
      assert.equal(await bench.ask(30_000, true), null);
    });
  }

  it('with a user in its address is asked for in their name', async () => {
    const bench = new Bench('http://ann:se%20cret@tv.example/news/live.m3u8');
    bench.documents = { [URL_OF_IT]: playlist(0) };
    await bench.ask(250, false);
    assert.deepEqual(bench.asked, [`0 ${URL_OF_IT}`]);
    assert.equal(bench.headers?.get('authorization'), `Basic ${btoa('ann:se cret')}`);
  });
});
