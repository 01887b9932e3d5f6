import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { HttpServer } from './index.ts';

const FILM = { positionSeconds: 61.5, durationSeconds: 90, preparedSeconds: 90, running: true, paused: false };

let server: HttpServer;
let origin: string;

before(async () => {
  server = new HttpServer({
    addresses: ['127.0.0.1'],
    port: 0,
    tls: null,
    domain: 'tv.example',
    webRoot: '/nonexistent',
    log: createLogger({ level: 'silent' }),
    health: () => ({ status: 'ok', uptimeSeconds: 1, callsActive: 0 }),
    channels: () => [],
    guide: () => [],
    hasForeignLogos: () => false,
    thumbnail: () => null,
    sipTrace: () => null,
    platforms: () => [],
    encoders: () => ({ hardware: null, refused: [] }),
    calls: () => [],
    moveFilm: (id, wish) => (id === 'a1' ? Promise.resolve({ ...FILM, ...wish }) : null),
    metrics: { contentType: 'text/plain', render: async () => '' },
    admitConnection: () => () => undefined,
    acceptWebSocket: () => undefined,
  });
  origin = `http://127.0.0.1:${await server.listen()}`;
});
after(() => server.close());

test('a viewer of a film is moved in it from this machine', async () => {
  const move = (id: string, body: object, headers = {}) =>
    fetch(`${origin}/api/calls/${id}/film`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const moved = await move('a1', { positionSeconds: 12.5, paused: true });
  assert.deepEqual([moved.status, await moved.json()], [200, { ...FILM, positionSeconds: 12.5, paused: true }]);
  const statuses = [
    await move('b2', { paused: true }),
    await move('a1', { paused: true }, { 'x-forwarded-for': '192.0.2.7' }),
    await move('a1', { positionSeconds: -1 }),
    await move('a1', { paused: 'perhaps' }),
  ].map(({ status: each }) => each);
  assert.deepEqual(statuses, [404, 403, 400, 400]);
});
