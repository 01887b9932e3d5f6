import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { until } from '../../test/interop/support/until.ts';
import type { GuideConfig } from '../config/index.ts';
import { createLogger } from '../observe/index.ts';
import { FakeClock } from '../signalling/testing.ts';
import { Guide } from './index.ts';

const NOW_MS = Date.UTC(2026, 10, 24, 20, 15);
const HOUR_MS = 3_600_000;

const playlist = (...ids: string[]) =>
  `#EXTM3U\n${ids.map(id => `#EXTINF:-1 tvg-id="${id}",${id}\nhttp://tv.example.org/${id}.m3u8\n`).join('')}`;

/** An evening of each channel: `first` from eight to nine, then `second`. */
const xmltv = (first: string, ...ids: string[]) => {
  const shows = ids.flatMap(id =>
    [
      [first, '20', '21'],
      ['second', '21', '22'],
    ].map(
      ([title, from, to]) =>
        `<programme channel="${id}" start="20261124${from}0000 +0000" stop="20261124${to}0000 +0000"><title>${title}</title></programme>`,
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?><tv>${shows.join('')}</tv>`;
};

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A guide whose documents are real and whose time is not; `ids` are those of the channels that it has without playlists. */
function setUp(t: TestContext, config: Partial<GuideConfig>, ids: readonly string[] = []) {
  const clock = new FakeClock();
  const log: Record<string, unknown>[] = [];
  const imported: string[][] = [];
  const guide = new Guide({
    config: { xmltv: [], playlists: [], refreshHours: 12, ...config },
    sourceKinds: ['http', 'exec'],
    sourceRefusal: () => null,
    log: createLogger({ level: 'info', destination: { write: line => void log.push(JSON.parse(line)) } }),
    timers: clock,
    nowUnixMs: () => NOW_MS,
    random: () => 1,
    onChannels: playlists => {
      const channels = playlists.flatMap(each => each.channels);
      imported.push(channels.map(({ title }) => title));
      return new Set([...ids, ...channels.flatMap(({ guideId }) => guideId ?? [])]);
    },
  });
  t.after(() => guide.close());
  const logged = (message: RegExp, times = 1) =>
    until(`${message} in the log`, () => {
      const lines = log.filter(({ msg }) => message.test(String(msg)));
      return lines.length >= times && lines[times - 1];
    });
  const on = (id: string) => {
    const { now, next } = guide.nowAndNext(id);
    return [now?.title ?? null, next?.title ?? null];
  };
  return { guide, clock, imported, logged, on };
}

function folder(t: TestContext): (name: string, content: string | Uint8Array) => string {
  const path = mkdtempSync(join(tmpdir(), 'guide-'));
  t.after(() => rmSync(path, { recursive: true }));
  return (name, content) => {
    writeFileSync(join(path, name), content);
    return join(path, name);
  };
}

describe('a guide', () => {
  it('has the channels of a file at once, and what is on them from the web, gzipped', async t => {
    const list = folder(t)('list.m3u', playlist('a.example', 'b.example'));
    const host = await serve(t, (_, response) => response.end(gzipSync(xmltv('first', 'a.example', 'other'))));
    const { guide, imported, logged, on } = setUp(t, {
      playlists: [{ source: list, firstNumber: 1 }],
      xmltv: [`http://${host}/guide.xml.gz`],
    });
    await guide.start();
    assert.deepEqual(imported, [[], ['a.example', 'b.example']]);
    const { place, channels, programmes } = await logged(/programme guide was read$/);
    assert.deepEqual([place, channels, programmes], [`http://${host}/guide.xml.gz`, 1, 2]);
    assert.deepEqual(on('a.example'), ['first', 'second']);
    assert.deepEqual(
      [on('b.example'), on('other')],
      [
        [null, null],
        [null, null],
      ],
    );
    assert.deepEqual(guide.nowAndNext(undefined), { now: null, next: null });
    const evening = guide.between('a.example', NOW_MS + HOUR_MS, NOW_MS + 2 * HOUR_MS);
    assert.deepEqual(
      evening.map(({ title }) => title),
      ['second'],
    );
  });

  it('has what the first document says of a channel that two know', async t => {
    const write = folder(t);
    const places = [write('1.xml', xmltv('of one', 'a')), write('2.xml', xmltv('of two', 'a', 'b'))];
    const { guide, logged, on } = setUp(t, { xmltv: places }, ['a', 'b']);
    await guide.start();
    await logged(/programme guide was read/, 2);
    assert.deepEqual([on('a')[0], on('b')[0]], ['of one', 'of two']);
  });

  it('does not wait for a playlist on the web, and has its channels when it comes', async t => {
    const answered = Promise.withResolvers<void>();
    const host = await serve(t, async (_, response) => {
      await answered.promise;
      response.end(playlist('a.example'));
    });
    const { guide, imported } = setUp(t, { playlists: [{ source: `http://${host}/`, firstNumber: 1 }] });
    await guide.start();
    assert.deepEqual(imported, [[]]);
    answered.resolve();
    await until('the channels', () => imported.length === 2);
    assert.deepEqual(imported[1], ['a.example']);
  });

  it('says which lines of a playlist are of no use', async t => {
    const list = folder(t)('list.m3u', `${playlist('a')}exec:rm\n#EXTINF:-1,Nothing`);
    const { guide, imported, logged } = setUp(t, { playlists: [{ source: list, firstNumber: 1 }] });
    await guide.start();
    assert.deepEqual(imported[1], ['a']);
    const { level, faults } = await logged(/not all of it/);
    assert.deepEqual(
      [level, faults],
      [
        'warn',
        [
          { line: 4, fault: 'exec: is taken from the configuration alone' },
          { line: 5, fault: 'no address follows' },
        ],
      ],
    );
  });

  it('says what is wrong with a document that it reads all the same', async t => {
    const place = folder(t)('guide.xml', xmltv('cats & dogs', 'a'));
    const { guide, logged, on } = setUp(t, { xmltv: [place] }, ['a']);
    await guide.start();
    const { faults } = await logged(/not all of it/);
    assert.equal((faults as string[]).length, 1);
    assert.equal(on('a')[0], 'cats & dogs');
  });
});

describe('a document that cannot be read again', () => {
  for (const [name, broken] of [
    ['because the server fails', (): [number, string] => [503, 'Sorry']],
    ['because it is something else', (): [number, string] => [200, '<html></html>']],
  ] as const) {
    it(`${name} leaves what was read before, and is tried again a minute later`, async t => {
      let answer = (): [number, string] => [200, xmltv('first', 'a')];
      const host = await serve(t, (_, response) => {
        const [status, body] = answer();
        response.writeHead(status).end(body);
      });
      const { guide, clock, logged, on } = setUp(t, { xmltv: [`http://ann:pa55@${host}/x.xml?key=s3cret`] }, ['a']);
      await guide.start();
      await logged(/programme guide was read/);
      answer = broken;
      clock.advance(12 * HOUR_MS);
      const { place, reason, retrySeconds } = await logged(/cannot be read/);
      assert.deepEqual([place, retrySeconds], [`http://${host}/x.xml`, 60]);
      assert.match(String(reason), /503|no XMLTV/);
      assert.deepEqual(on('a'), ['first', 'second']);
      answer = () => [200, xmltv('changed', 'a')];
      clock.advance(60_000);
      await logged(/programme guide was read/, 2);
      assert.deepEqual(on('a'), ['changed', 'second']);
    });
  }
});

describe('a playlist that is read again', () => {
  it('brings new channels, whose programmes are read though their document is as it was', async t => {
    const write = folder(t);
    const list = write('list.m3u', playlist('a'));
    let sent = 0;
    const host = await serve(t, ({ headers }, response) => {
      if (headers['if-none-match'] !== undefined) return response.writeHead(304).end();
      sent++;
      response.writeHead(200, { etag: '"1"' }).end(xmltv('first', 'a', 'b'));
    });
    const { guide, clock, imported, logged, on } = setUp(t, {
      playlists: [{ source: list, firstNumber: 1 }],
      xmltv: [`http://${host}/`],
    });
    await guide.start();
    await logged(/programme guide was read/);
    assert.deepEqual([on('a')[0], on('b')[0]], ['first', null]);
    write('list.m3u', playlist('a', 'b'));
    clock.advance(12 * HOUR_MS);
    await logged(/playlist was read/, 2);
    await logged(/programme guide was read/, 2);
    assert.deepEqual([imported.at(-1), on('b')[0], sent], [['a', 'b'], 'first', 2]);
  });
});
