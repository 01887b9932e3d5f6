import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { FakeClock } from '../testing.ts';
import type { Flow } from './flow.ts';
import { acceptWebSocket, PING_INTERVAL_MS } from './websocket.ts';

const PEER = { remoteAddress: '192.0.2.7', remotePort: 1, localAddress: '192.0.2.1', localPort: 2, secure: false };

describe('SIP over WebSocket', () => {
  let server: WebSocketServer;
  let browser: WebSocket;
  let flow: Flow;
  let clock: FakeClock;
  let received: string[];
  let sent: number;
  let onReceive: () => void;
  let closed: PromiseWithResolvers<Flow>;

  beforeEach(async () => {
    clock = new FakeClock();
    received = [];
    sent = 0;
    onReceive = () => undefined;
    closed = Promise.withResolvers();
    server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 1_000 });
    await once(server, 'listening');
    server.once('connection', socket => {
      flow = acceptWebSocket(socket, PEER, clock, {
        receive: (_flow, bytes) => {
          received.push(bytes.toString());
          onReceive();
        },
        closed: closed.resolve,
        sent: () => sent++,
      });
    });
    browser = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await once(browser, 'open');
  });
  afterEach(() => {
    browser.terminate();
    server.close();
  });

  async function say(message: string | Buffer): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    onReceive = resolve;
    browser.send(message);
    await promise;
  }

  test('brings a message a frame, as text or binary, and answers as text', async () => {
    await say('one: é');
    await say(Buffer.from('two: é'));
    assert.deepEqual(received, ['one: é', 'two: é']);
    const answer = once(browser, 'message');
    assert.equal(flow.send(Buffer.from('answer: é')), true);
    const [data, isBinary] = await answer;
    assert.deepEqual([String(data), isBinary, sent], ['answer: é', false, 1]);
  });

  for (const [secure, transport] of [
    [false, 'ws'],
    [true, 'wss'],
  ] as const) {
    test(`is ${transport} with the addresses that it is told`, () => {
      const handlers = { receive: () => undefined, closed: () => undefined, sent: () => undefined };
      const own = acceptWebSocket(browser, { ...PEER, secure }, clock, handlers);
      assert.deepEqual(
        [own.transport, own.reliable, own.remoteAddress, own.localPort],
        [transport, true, '192.0.2.7', 2],
      );
    });
  }

  test('answers a ping (RFC 5626), which is no message, and says nothing to less', async () => {
    browser.send('\r\n');
    browser.send('');
    const answer = once(browser, 'message');
    browser.send('\r\n\r\n');
    assert.equal(String((await answer)[0]), '\r\n');
    assert.deepEqual([received, sent], [[], 0]);
  });

  test('tells when the browser goes', async () => {
    await say('hello');
    browser.close();
    assert.equal(await closed.promise, flow);
    assert.deepEqual([flow.closed, flow.send(Buffer.from('late')), sent], [true, false, 0]);
  });

  test('ends a browser that breaks the protocol, and nothing else', async () => {
    await say('hello');
    browser.send(Buffer.alloc(1_001));
    assert.equal(await closed.promise, flow);
    assert.deepEqual(received, ['hello']);
  });

  test('keeps a browser that says nothing but answers pings', async () => {
    await say('hello');
    for (let round = 0; round < 3; round++) {
      const asked = once(browser, 'ping');
      clock.advance(PING_INTERVAL_MS);
      await asked;
      // The pong came first.
      await say('hello');
    }
    assert.equal(flow.closed, false);
  });

  test('ends a browser that is gone without a word', async () => {
    await say('hello');
    browser.pause();
    clock.advance(PING_INTERVAL_MS);
    clock.advance(PING_INTERVAL_MS);
    assert.equal(await closed.promise, flow);
    assert.equal(clock.pending, 0);
  });

  test('closes as one who goes away', async () => {
    await say('hello');
    const goodbye = once(browser, 'close');
    flow.close();
    assert.equal((await goodbye)[0], 1001);
  });

  test('cuts off a browser that does not read', async () => {
    await say('hello');
    browser.pause();
    const chunk = Buffer.alloc(65_536, 'x');
    for (let round = 0; round < 1_000 && flow.send(chunk); round++);
    assert.equal(flow.closed, true);
    assert.equal(await closed.promise, flow);
  });
});
