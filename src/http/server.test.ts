import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { WebSocket } from 'ws';
import { DialcastError } from '../errors.ts';
import { createLogger } from '../observe/index.ts';
import { type EncodersListing, HttpServer, type HttpServerOptions, type WebSocketPeer } from './index.ts';

const webRoot = mkdtempSync(join(tmpdir(), 'dialcast-web-'));
const log = createLogger({ level: 'silent' });
let status: 'ok' | 'draining' = 'ok';

const TRACE = {
  sipCallId: 'call@example.org',
  messages: [
    {
      order: 1,
      atMs: 1_700_000_000_000,
      ...({ direction: 'in', transport: 'udp' } as const),
      ...{ local: '192.0.2.1:5060', remote: '192.0.2.7:5062' },
      startLine: 'INVITE sip:clock@192.0.2.1 SIP/2.0',
      text: 'INVITE sip:clock@192.0.2.1 SIP/2.0\r\n\r\n',
    },
  ],
  dropped: 2,
} as const;

const CHANNEL = {
  ...({ number: 101, name: 'clock', title: 'Clock', kind: 'live', onAir: true, outage: null, viewers: 1 } as const),
  ...{ video: { passThrough: 'h264 main 3.1', obstacle: null }, audio: null },
  signal: { locked: true, strength: 40_000, snr: 250, bitErrorRate: null },
  skipped: [{ item: 'part 3.mkv', reason: 'no such file' }],
  ...{
    film: null,
    encoding: null,
    languages: { audio: 'de', subtitles: null, available: { audio: [], subtitles: [] } },
  },
};

const ENCODERS: EncodersListing = { hardware: 'vaapi', refused: [{ kind: 'nvenc', reason: 'no CUDA' }] };

const CALL = { channel: 'clock', codecs: ['h264', 'opus'], held: false, film: null };

const OPTIONS: HttpServerOptions = {
  addresses: ['127.0.0.1'],
  port: 0,
  tls: null,
  domain: 'tv.example<"&>',
  webRoot,
  log,
  allowedOrigins: ['https://portal.example'],
  health: () => ({ status, uptimeSeconds: 12.5, callsActive: 1 }),
  encoders: () => ENCODERS,
  platforms: () => [
    { registrar: 'sip.example.org', user: 'tv', channel: 'clock', state: 'failed', reason: '403 Forbidden' },
  ],
  channels: () => [CHANNEL],
  calls: () => [
    { ...CALL, id: 'a1', transport: 'ws', answeredAtMs: 1_700_000_000_000, slateMs: 12_400 },
    { ...CALL, id: 'b2', transport: 'udp', answeredAtMs: null, slateMs: 0 },
  ],
  moveFilm: () => null,
  guide: () => [],
  hasForeignLogos: () => false,
  thumbnail: () => null,
  sipTrace: id => (id === 'a1' ? TRACE : null),
  metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', render: async () => 'dialcast_calls_active 1\n' },
  admitConnection: () => () => undefined,
  acceptWebSocket: socket => socket.on('message', data => socket.send(`echo ${data}`)),
};

let server: HttpServer;
let origin: string;

before(async () => {
  mkdirSync(join(webRoot, 'assets'));
  writeFileSync(join(webRoot, 'index.html'), '<meta name="dialcast-domain" content="%DIALCAST_DOMAIN%">');
  writeFileSync(join(webRoot, 'favicon.svg'), '<svg/>');
  writeFileSync(join(webRoot, 'assets', 'index-abc123.js'), 'export {};');
  writeFileSync(join(webRoot, 'assets', 'index-abc123.js.gz'), gzipSync('export {};'));
  server = new HttpServer(OPTIONS);
  origin = `http://127.0.0.1:${await server.listen()}`;
});

after(async () => {
  await server.close();
  rmSync(webRoot, { recursive: true });
});

test('platforms are listed with the state of their registration', async () => {
  const response = await fetch(`${origin}/api/platforms`);
  assert.deepEqual(await response.json(), {
    platforms: [
      { registrar: 'sip.example.org', user: 'tv', channel: 'clock', state: 'failed', reason: '403 Forbidden' },
    ],
  });
});

test('health is 200 while serving and 503 while draining', async () => {
  const serving = await fetch(`${origin}/healthz`);
  assert.equal(serving.status, 200);
  assert.deepEqual(await serving.json(), { status: 'ok', uptimeSeconds: 12.5, callsActive: 1 });
  status = 'draining';
  const draining = await fetch(`${origin}/healthz`);
  status = 'ok';
  assert.equal(draining.status, 503);
  assert.equal(((await draining.json()) as { status: string }).status, 'draining');
});

test('the channels are listed with what is on air', async () => {
  const response = await fetch(`${origin}/api/channels`);
  assert.deepEqual(await response.json(), { channels: [CHANNEL] });
});

test('what there is to encode with is told', async () => {
  assert.deepEqual(await (await fetch(`${origin}/api/encoders`)).json(), ENCODERS);
});

test('the calls are listed without who calls', async () => {
  const response = await fetch(`${origin}/api/calls`);
  assert.deepEqual(await response.json(), {
    calls: [
      { ...CALL, id: 'a1', transport: 'ws', since: '2023-11-14T22:13:20.000Z', slateSeconds: 12 },
      { ...CALL, id: 'b2', transport: 'udp', since: null, slateSeconds: 0 },
    ],
  });
});

test('the SIP messages of a call are shown', async () => {
  const response = await fetch(`${origin}/api/calls/a1/sip`);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.deepEqual(await response.json(), { call: 'a1', ...TRACE });
});

test('the SIP messages of a call that is not known are a 404 with problem details', async () => {
  const response = await fetch(`${origin}/api/calls/b2/sip`);
  assert.equal(response.status, 404);
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json\b/);
  assert.deepEqual(await response.json(), {
    type: 'about:blank',
    title: 'Not Found',
    status: 404,
    detail: 'There is no such call, or it ended long ago',
  });
});

for (const [name, headers] of [
  ['through a proxy on this machine', { 'x-forwarded-for': '192.0.2.7' }],
  ['through a proxy that keeps to RFC 7239', { forwarded: 'for=192.0.2.7' }],
  ['through a proxy that only says its own name', { via: '1.1 proxy' }],
  ['by a name that is not known to be ours', { host: 'tv.example.org' }],
  ['by a name that only begins like ours', { host: 'localhost.example.org' }],
] as const) {
  test(`the SIP messages of a call are not shown to who asks ${name}`, async () => {
    const { port } = new URL(origin);
    const asked = request({ host: '127.0.0.1', port, path: '/api/calls/a1/sip', headers }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    assert.equal(response.statusCode, 403);
    assert.match(response.headers['content-type'] ?? '', /^application\/problem\+json\b/);
    const { detail } = (await json(response)) as { detail: string };
    assert.match(detail, /on the machine itself/);
  });
}

test('metrics come in the text format of Prometheus', async () => {
  const response = await fetch(`${origin}/metrics`);
  assert.equal(response.headers.get('content-type'), OPTIONS.metrics.contentType);
  assert.equal(await response.text(), 'dialcast_calls_active 1\n');
});

test('metrics that cannot be read are a problem without its inner reason', async () => {
  const broken = new HttpServer({
    ...OPTIONS,
    metrics: { contentType: 'text/plain', render: () => Promise.reject(new Error('inner reason')) },
  });
  const port = await broken.listen();
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  assert.equal(response.status, 500);
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json\b/);
  assert.deepEqual(await response.json(), { type: 'about:blank', title: 'Internal Server Error', status: 500 });
  await broken.close();
});

test('an unknown path is a 404 with problem details', async () => {
  for (const path of [
    '/api/nothing',
    '/nothing',
    '/index.html',
    '/assets/nothing.js',
    '/assets/..%2f..%2fetc/passwd',
  ]) {
    const response = await fetch(`${origin}${path}?secret=1`);
    assert.equal(response.status, 404, path);
    assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json\b/, path);
    const { title, detail } = (await response.json()) as { title: string; detail: string };
    assert.equal(title, 'Not Found');
    assert.ok(!detail.includes('secret'), detail);
  }
});

const PAGES: readonly { readonly path: string; readonly status: number }[] = [
  { path: '/', status: 200 },
  { path: '/watch/clock', status: 200 },
  { path: '/watch/101', status: 200 },
  { path: '/watch/clock/', status: 200 },
  { path: '/watch/nothing', status: 404 },
];

for (const { path, status } of PAGES) {
  test(`${path} is the page with status ${status}, the domain in it, revalidated each time`, async () => {
    const response = await fetch(`${origin}${path}`);
    assert.equal(response.status, status);
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(response.headers.get('cache-control'), 'no-cache');
    assert.match(await response.text(), /content="tv\.example&lt;&quot;&amp;>"/);
  });
}

test('assets are cached for ever and sent compressed; other files are revalidated', async () => {
  const asset = await fetch(`${origin}/assets/index-abc123.js`, { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(asset.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  assert.equal(asset.headers.get('content-encoding'), 'gzip');
  assert.match(asset.headers.get('content-type') ?? '', /javascript/);
  assert.equal(await asset.text(), 'export {};');
  const icon = await fetch(`${origin}/favicon.svg`);
  assert.equal(icon.status, 200);
  assert.equal(icon.headers.get('cache-control'), 'no-cache');
});

test('without a built page the API works and the page says how to build it', async () => {
  const bare = new HttpServer({ ...OPTIONS, webRoot: join(webRoot, 'nothing') });
  const port = await bare.listen();
  assert.equal((await fetch(`http://127.0.0.1:${port}/api/channels`)).status, 200);
  const page = await fetch(`http://127.0.0.1:${port}/`);
  assert.equal(page.status, 503);
  assert.match(await page.text(), /npm run build/);
  await bare.close();
});

test('every answer carries the security headers', async () => {
  for (const path of ['/', '/api/channels', '/assets/index-abc123.js', '/nothing']) {
    const { headers } = await fetch(`${origin}${path}`);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/, path);
    assert.ok(policy.includes(`connect-src 'self' ws://${new URL(origin).host} `), policy);
    assert.doesNotMatch(policy, /unsafe/, path);
  }
});

test('a port that is taken is LISTEN_FAILED, naming address and port', async () => {
  const port = Number(new URL(origin).port);
  const second = new HttpServer({ ...OPTIONS, port });
  await assert.rejects(second.listen(), (error: unknown) => {
    assert.ok(error instanceof DialcastError);
    assert.equal(error.code, 'LISTEN_FAILED');
    assert.match(error.detail, new RegExp(`127\\.0\\.0\\.1:${port}`));
    return true;
  });
  await second.close();
});

/** Opens a WebSocket; resolves with the status of the refusal, or the open socket. */
async function open(path: string, protocols: string[], headers: Record<string, string>): Promise<WebSocket | number> {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}${path}`, protocols, { headers });
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve(socket));
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on('error', reject);
  });
}

const UPGRADES: readonly {
  readonly what: string;
  readonly path?: string;
  readonly protocols?: string[];
  readonly headers?: () => Record<string, string>;
  readonly status: 101 | 400 | 403 | 404;
}[] = [
  { what: 'the subprotocol sip and no origin', status: 101 },
  { what: 'sip among other subprotocols', protocols: ['xmpp', 'sip'], status: 101 },
  { what: 'a page of the same host', headers: () => ({ origin }), status: 101 },
  { what: 'a page of an allowed origin', headers: () => ({ origin: 'https://portal.example' }), status: 101 },
  { what: 'a page of another host', headers: () => ({ origin: 'https://evil.example' }), status: 403 },
  { what: 'a page of the same host on another port', headers: () => ({ origin: 'http://127.0.0.1:1' }), status: 403 },
  { what: 'an opaque origin', headers: () => ({ origin: 'null' }), status: 403 },
  { what: 'no subprotocol', protocols: [], status: 400 },
  { what: 'another subprotocol', protocols: ['xmpp'], status: 400 },
  { what: 'another path', path: '/elsewhere', status: 404 },
];

for (const { what, path = '/sip', protocols = ['sip'], headers = () => ({}), status } of UPGRADES) {
  test(`an upgrade with ${what} is answered ${status}`, async () => {
    const result = await open(path, protocols, headers());
    if (typeof result === 'number') return assert.equal(result, status);
    assert.equal(status, 101);
    assert.equal(result.protocol, 'sip');
    assert.equal(result.extensions, '');
    result.send('OPTIONS');
    const [data] = await once(result, 'message');
    assert.equal(String(data), 'echo OPTIONS');
    result.close();
    await once(result, 'close');
  });
}

test('attack: more connections than one source may have', async () => {
  let held = 0;
  const released = Promise.withResolvers<void>();
  const own = new HttpServer({
    ...OPTIONS,
    admitConnection: address => {
      assert.equal(address, '127.0.0.1');
      if (held === 1) return null;
      held++;
      return () => {
        held--;
        released.resolve();
      };
    },
  });
  const port = await own.listen();
  const first = connect(port, '127.0.0.1');
  first.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(first, 'data');
  const second = connect(port, '127.0.0.1');
  second.on('error', () => undefined).write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
  await new Promise(resolve => void second.resume().once('close', resolve));
  assert.equal(second.bytesRead, 0);
  await own.close();
  await released.promise;
  assert.equal(held, 0);
});

test('listens at every address of its list, at one port', async () => {
  const own = new HttpServer({ ...OPTIONS, addresses: ['127.0.0.1', '::1'] });
  const port = await own.listen();
  for (const host of ['127.0.0.1', '[::1]']) assert.equal((await fetch(`http://${host}:${port}/healthz`)).status, 200);
  await own.close();
});

test('whoever takes the WebSocket learns both ends of the connection', async () => {
  const peers: WebSocketPeer[] = [];
  const own = new HttpServer({ ...OPTIONS, acceptWebSocket: (_socket, peer) => void peers.push(peer) });
  const port = await own.listen();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/sip`, 'sip');
  await once(socket, 'open');
  const [{ remotePort, ...rest }] = peers as [WebSocketPeer];
  assert.ok(remotePort > 0 && remotePort !== port);
  const address = '127.0.0.1';
  assert.deepEqual(rest, { remoteAddress: address, localAddress: address, localPort: port, secure: false });
  await own.close();
});

test('a message over 64 KiB closes the WebSocket with 1009', async () => {
  const socket = await open('/sip', ['sip'], {});
  assert.ok(socket instanceof WebSocket);
  socket.send('x'.repeat(64 * 1024 + 1));
  const [code] = await once(socket, 'close');
  assert.equal(code, 1009);
});

test('closing ends keep-alive connections, requests half sent, and WebSockets that do not answer, within a second', async () => {
  const own = new HttpServer({ ...OPTIONS, acceptWebSocket: () => undefined });
  const port = await own.listen();
  const idle = connect(port, '127.0.0.1');
  idle.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(idle, 'data');
  const slow = connect(port, '127.0.0.1');
  slow.write('GET /healthz HTTP/1.1\r\nHo');
  await once(slow, 'connect');
  const polite = new WebSocket(`ws://127.0.0.1:${port}/sip`, 'sip');
  await once(polite, 'open');
  // Speaks the handshake and then never answers the close frame.
  const deaf = connect(port, '127.0.0.1');
  deaf.write(
    'GET /sip HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sip\r\n\r\n',
  );
  await once(deaf, 'data');
  for (const socket of [idle, slow, deaf]) socket.on('error', () => undefined);
  const gone = Promise.all([idle, slow, deaf].map(socket => once(socket.resume(), 'close')));
  const farewell = once(polite, 'close');
  const startedAtMs = performance.now();
  await own.close();
  assert.ok(performance.now() - startedAtMs < 1000);
  assert.equal((await farewell)[0], 1001);
  await gone;
  await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`));
});
