import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { type GuideListing, type GuideWindow, HttpServer } from './index.ts';

const NOW_MS = Date.UTC(2026, 10, 24, 20);
const HOUR_MS = 3_600_000;
const show = (title: string, startMs: number) => ({
  startMs,
  stopMs: startMs + HOUR_MS,
  title,
  subtitle: null,
  description: `About ${title}`,
  category: null,
});

const NEWS: GuideListing = {
  number: 1,
  name: 'news',
  title: 'News & weather',
  group: 'UK, general',
  logo: 'https://logos.example.org/1.png',
  guideId: 'news.example',
  now: show('Now', NOW_MS),
  next: show('Next', NOW_MS + HOUR_MS),
  programmes: [],
};
const CLOCK: GuideListing = {
  number: 101,
  name: 'clock',
  title: 'The "Clock"\n#EXTINF:-1,Fake',
  group: null,
  logo: null,
  guideId: null,
  now: null,
  next: null,
  programmes: [],
};
const JPEG = Uint8Array.of(0xff, 0xd8, 0xff, 0xd9);

const asked: (GuideWindow | null)[] = [];
let hasForeignLogos = false;
let server: HttpServer;
let port: number;

function make(domain: string): HttpServer {
  return new HttpServer({
    addresses: ['127.0.0.1'],
    port: 0,
    tls: null,
    domain,
    webRoot: '/nonexistent',
    log: createLogger({ level: 'silent' }),
    health: () => ({ status: 'ok', uptimeSeconds: 1, callsActive: 0 }),
    channels: () => [],
    guide: window => {
      asked.push(window);
      return window === null ? [NEWS, CLOCK] : [{ ...NEWS, programmes: [show('Now', NOW_MS)] }];
    },
    hasForeignLogos: () => hasForeignLogos,
    thumbnail: target => (target === 'news' ? { jpeg: JPEG, takenAtMs: NOW_MS } : null),
    sipTrace: () => null,
    platforms: () => [],
    encoders: () => ({ hardware: null, refused: [] }),
    calls: () => [],
    moveFilm: () => null,
    metrics: { contentType: 'text/plain', render: async () => '' },
    admitConnection: () => () => undefined,
    acceptWebSocket: () => undefined,
  });
}

before(async () => {
  server = make('tv.example');
  port = await server.listen();
});
beforeEach(() => {
  asked.length = 0;
});
after(() => server.close());

const ask = (path: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers });

describe('the guide', () => {
  it('has every channel with what is on now and next', async () => {
    const response = await ask('/api/guide');
    const { channels } = (await response.json()) as { channels: unknown[] };
    assert.equal(channels.length, 2);
    assert.deepEqual(channels[0], {
      ...NEWS,
      now: {
        start: '2026-11-24T20:00:00.000Z',
        stop: '2026-11-24T21:00:00.000Z',
        title: 'Now',
        subtitle: null,
        description: 'About Now',
        category: null,
      },
      next: {
        start: '2026-11-24T21:00:00.000Z',
        stop: '2026-11-24T22:00:00.000Z',
        title: 'Next',
        subtitle: null,
        description: 'About Next',
        category: null,
      },
    });
    assert.deepEqual(channels[1], CLOCK);
    assert.deepEqual(asked, [null]);
  });

  it('has what is on between two moments, in whatever time zone', async () => {
    const response = await ask('/api/guide?from=2026-11-24T20:30:00Z&to=2026-11-24T23:00:00%2B01:00');
    const { channels } = (await response.json()) as { channels: { programmes: { title: string }[] }[] };
    assert.deepEqual(
      channels[0]?.programmes.map(({ title }) => title),
      ['Now'],
    );
    assert.deepEqual(asked, [{ fromMs: NOW_MS + HOUR_MS / 2, toMs: NOW_MS + 2 * HOUR_MS }]);
  });

  for (const [name, query] of [
    ['one moment alone', 'from=2026-11-24T20:00:00Z'],
    ['what is no time', 'from=now&to=later'],
    ['two moments in the wrong order', 'from=2026-11-24T20:00:00Z&to=2026-11-24T20:00:00Z'],
    ['more than a week', 'from=2026-11-24T20:00:00Z&to=2026-12-01T20:00:01Z'],
  ]) {
    it(`refuses ${name}`, async () => {
      const response = await ask(`/api/guide?${query}`);
      assert.equal(response.status, 400);
      assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json\b/);
      assert.deepEqual(asked, []);
    });
  }
});

describe('the list of channels for other programs', () => {
  const LIST = [
    '#EXTM3U',
    '#EXTINF:-1 tvg-id="news.example" tvg-chno="1" tvg-logo="https://logos.example.org/1.png" group-title="UK, general",News & weather',
    'sip:news@DOMAIN',
    `#EXTINF:-1 tvg-chno="101",The 'Clock' #EXTINF:-1,Fake`,
    'sip:clock@DOMAIN',
    '',
  ].join('\n');

  it('has their SIP addresses and what the guide says of them, and no line that a title made', async () => {
    const response = await ask('/channels.m3u');
    assert.equal(response.headers.get('content-type'), 'audio/x-mpegurl; charset=utf-8');
    assert.equal(await response.text(), LIST.replaceAll('DOMAIN', 'tv.example'));
  });

  for (const [host, domain] of [
    ['tv.example.org:8080', 'tv.example.org'],
    ['[::1]:8080', '[::1]'],
    ['a b"', 'localhost'],
  ] as const) {
    it(`of a server without a domain has ${domain} for who asked ${host}`, async t => {
      const own = make('localhost');
      const ownPort = await own.listen();
      t.after(() => own.close());
      const sent = request({ host: '127.0.0.1', port: ownPort, path: '/channels.m3u', headers: { host } }).end();
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      assert.equal(await text(response), LIST.replaceAll('DOMAIN', domain));
    });
  }
});

describe('the thumbnail of a channel', () => {
  it('is a picture that may be kept for a moment', async () => {
    const response = await ask('/api/channels/news/thumbnail.jpg');
    const { headers } = response;
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), JPEG);
    assert.deepEqual(
      [headers.get('content-type'), headers.get('cache-control'), headers.get('last-modified')],
      ['image/jpeg', 'public, max-age=5', 'Tue, 24 Nov 2026 20:00:00 GMT'],
    );
    const again = await ask('/api/channels/news/thumbnail.jpg', { 'if-none-match': headers.get('etag')! });
    assert.deepEqual([again.status, await again.text()], [304, '']);
  });

  it('that there is not is a 404 that is not kept', async () => {
    const response = await ask('/api/channels/clock/thumbnail.jpg');
    assert.deepEqual([response.status, response.headers.get('cache-control')], [404, 'no-store']);
    assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json\b/);
  });
});

describe('the policy of the page', () => {
  for (const [foreign, sources] of [
    [false, "img-src 'self' data:;"],
    [true, "img-src 'self' data: https: http:;"],
  ] as const) {
    it(`takes pictures from elsewhere only when there are such logos: ${foreign}`, async () => {
      hasForeignLogos = foreign;
      const { headers } = await ask('/');
      assert.ok(headers.get('content-security-policy')?.includes(sources));
    });
  }
});
