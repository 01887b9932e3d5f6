import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { connect } from 'node:net';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { Certificates } from '../../test/support/certificates.ts';
import { createLogger } from '../observe/index.ts';
import { HttpServer, type WebSocketPeer } from './index.ts';

const certificates = new Certificates();
after(() => certificates.remove());
const pairOf = (name: string) => {
  const { certificate, key } = certificates.issue(name, ['127.0.0.1']);
  return { certificate: readFileSync(certificate), key: readFileSync(key) };
};
const [FIRST, SECOND] = [pairOf('first'), pairOf('second')];

describe('HTTP with a certificate', () => {
  let server: HttpServer;
  let port: number;
  let peers: WebSocketPeer[];

  beforeEach(async () => {
    peers = [];
    server = new HttpServer({
      addresses: ['127.0.0.1'],
      port: 0,
      tls: FIRST,
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
      moveFilm: () => null,
      metrics: { contentType: 'text/plain', render: async () => '' },
      admitConnection: () => () => undefined,
      acceptWebSocket: (_socket, peer) => void peers.push(peer),
    });
    port = await server.listen();
  });
  afterEach(() => server.close());

  /** The status of the health page, read on a connection of its own. */
  async function health(ca: Buffer): Promise<number | undefined> {
    const request = get({ host: '127.0.0.1', port, path: '/healthz', ca, agent: false });
    const [response] = await once(request, 'response');
    response.resume();
    return response.statusCode;
  }

  test('is HTTPS', async () => {
    assert.equal(await health(FIRST.certificate), 200);
  });

  test('answers nothing without TLS', async () => {
    await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`));
  });

  test('hands over WebSockets as secure ones', async () => {
    const options = { ca: FIRST.certificate, origin: `https://127.0.0.1:${port}` };
    const socket = new WebSocket(`wss://127.0.0.1:${port}/sip`, 'sip', options);
    await once(socket, 'open');
    const [peer] = peers as [WebSocketPeer];
    assert.deepEqual([peer.secure, peer.localAddress, peer.localPort], [true, '127.0.0.1', port]);
    socket.terminate();
  });

  test('gives a renewed certificate to new connections', async () => {
    server.renewCertificate(SECOND);
    await assert.rejects(health(FIRST.certificate));
    assert.equal(await health(SECOND.certificate), 200);
  });

  test('ends a handshake that is under way when it closes', async () => {
    const peer = connect(port, '127.0.0.1');
    await once(peer, 'connect');
    // The server has seen this connection once it answers a later one.
    await health(FIRST.certificate);
    const closed = once(peer.on('error', () => undefined).resume(), 'close');
    await server.close();
    await closed;
  });
});
