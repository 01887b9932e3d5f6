import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, afterEach, describe, test } from 'node:test';
import { Certificates } from '../../test/support/certificates.ts';
import { HttpListeners } from './listeners.ts';
import type { TlsPair } from './ports.ts';

const certificates = new Certificates();
after(() => certificates.remove());

describe('attack:', () => {
  let listeners: HttpListeners;
  let requests: number;
  let held: number;
  let released: PromiseWithResolvers<void>;
  const peers: Socket[] = [];

  afterEach(() => {
    for (const peer of peers.splice(0)) peer.destroy();
    listeners.stop();
    listeners.destroy();
  });

  async function open(pair: TlsPair | null = null): Promise<Socket> {
    [requests, held] = [0, 0];
    released = Promise.withResolvers();
    const handlers = {
      admit: () => {
        held++;
        return () => {
          held--;
          released.resolve();
        };
      },
      request: () => void requests++,
      upgrade: () => void requests++,
    };
    listeners = new HttpListeners(pair, handlers, { requestMs: 100, keepAliveMs: 1_000, handshakeMs: 50 });
    const peer = connect(await listeners.listen(['127.0.0.1'], 0), '127.0.0.1').on('error', () => undefined);
    peers.push(peer);
    await once(peer, 'connect');
    return peer;
  }

  async function ends(peer: Socket): Promise<string> {
    let answer = '';
    peer.on('data', data => {
      answer += data;
    });
    await new Promise(resolve => void peer.once('close', resolve));
    await released.promise;
    assert.deepEqual([held, requests], [0, 0]);
    return answer;
  }

  test('a connection that says nothing', async () => {
    await ends(await open());
  });

  test('a slow sender, in the middle of a header', async () => {
    const peer = await open();
    peer.write('GET / HTTP/1.1\r\nHo');
    assert.match(await ends(peer), /^HTTP\/1\.1 408 /);
  });

  test('a header of 10 MB', async () => {
    const peer = await open();
    peer.write(`GET / HTTP/1.1\r\nX: ${'x'.repeat(10_000_000)}`);
    await ends(peer);
  });

  test('a TLS handshake that is never finished', async () => {
    const { certificate, key } = certificates.issue('tv', ['127.0.0.1']);
    const peer = await open({ certificate: readFileSync(certificate), key: readFileSync(key) });
    // The beginning of a ClientHello, and no more.
    peer.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    await ends(peer);
  });
});
