import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { Certificates } from '../../../test/support/certificates.ts';
import { FakeClock } from '../testing.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { CONNECT_TIMEOUT_MS, type Connection, Connector } from './connector.ts';
import type { Flow } from './flow.ts';
import type { Target } from './target.ts';

const MESSAGE = 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 4\r\n\r\nbody';

const certificates = new Certificates();
after(() => certificates.remove());
const authorities = readFileSync(certificates.authority(), 'utf8');
const issued = (name: string, names: readonly string[], signer: 'itself' | 'authority' = 'authority'): TlsOptions => {
  const { certificate, key } = certificates.issue(name, names, signer);
  return { cert: readFileSync(certificate), key: readFileSync(key) };
};
const PLATFORM = issued('platform', ['tv.example', '127.0.0.1']);

let clock: FakeClock;
let connector: Connector;
let server: Server;
/** The server's ends, in the order in which they were opened. */
let accepted: Socket[];
let onAccepted: () => void;
let received: string[];
let closed: Flow[];
let onEvent: () => void;

beforeEach(() => {
  clock = new FakeClock();
  accepted = [];
  received = [];
  const lost: Flow[] = [];
  closed = lost;
  onAccepted = () => undefined;
  onEvent = () => undefined;
  connector = new Connector({
    clock,
    random: () => 0,
    connections: new ConnectionLimits({ total: 2, perSource: 2 }),
    handlers: {
      receive: (_flow, bytes) => {
        received.push(bytes.toString());
        onEvent();
      },
      closed: flow => {
        lost.push(flow);
        onEvent();
      },
      sent: () => undefined,
    },
  });
});
afterEach(() => {
  connector.close();
  server.close();
  for (const socket of accepted) socket.destroy();
});

/** A server that takes connections; with `tls` after a handshake. */
async function listen(tls: TlsOptions | null = null): Promise<Target> {
  server = tls === null ? createServer() : createTlsServer(tls);
  server.on(tls === null ? 'connection' : 'secureConnection', (socket: Socket) => {
    accepted.push(socket.on('error', () => undefined));
    onAccepted();
  });
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { transport: tls === null ? 'tcp' : 'tls', address: '127.0.0.1', port, serverName: 'tv.example' };
}

const connect = (target: Target, trusted: string | null = authorities): Promise<Connection> =>
  connector.connect(target, { localAddress: undefined, authorities: trusted });

async function flowTo(target: Target): Promise<Flow> {
  const taken = new Promise<void>(resolve => {
    onAccepted = resolve;
  });
  const connection = await connect(target);
  assert.ok('flow' in connection, 'fault' in connection ? connection.fault : '');
  await taken;
  return connection.flow;
}

/** Until our side has told of one more message or loss. */
function event(cause: () => void): Promise<void> {
  return new Promise(resolve => {
    onEvent = resolve;
    cause();
  });
}

for (const [transport, tls] of [
  ['tcp', null],
  ['tls', PLATFORM],
] as const) {
  describe(`over ${transport}`, () => {
    test('messages go both ways', async () => {
      const target = await listen(tls);
      const flow = await flowTo(target);
      assert.deepEqual([flow.transport, flow.reliable], [transport, true]);
      assert.deepEqual([flow.remoteAddress, flow.remotePort], ['127.0.0.1', target.port]);
      assert.deepEqual([flow.localAddress, flow.localPort], ['127.0.0.1', accepted[0]!.remotePort]);
      flow.send(Buffer.from('request'));
      assert.equal(String((await once(accepted[0]!, 'data'))[0]), 'request');
      await event(() => accepted[0]!.write(MESSAGE));
      assert.deepEqual(received, [MESSAGE]);
    });

    test('whoever asks meanwhile or later gets the same connection', async () => {
      const target = await listen(tls);
      const [first, second] = await Promise.all([flowTo(target), connect(target)]);
      assert.deepEqual(second, { flow: first });
      assert.deepEqual(await connect(target), { flow: first });
      assert.equal(accepted.length, 1);
    });

    test('one that closed is opened anew, whichever side closed it', async () => {
      const target = await listen(tls);
      const first = await flowTo(target);
      await event(() => accepted[0]!.destroy());
      const second = await flowTo(target);
      second.close();
      const third = await flowTo(target);
      assert.deepEqual([first.closed, second.closed, third.closed], [true, true, false]);
      assert.equal(closed[0], first);
    });
  });
}

test('a server that does not finish its handshake is given up', async () => {
  const target: Target = { ...(await listen()), transport: 'tls' };
  const connecting = connect(target);
  clock.advance(CONNECT_TIMEOUT_MS);
  assert.deepEqual(await connecting, { fault: 'no connection in time' });
  assert.equal(clock.pending, 0);
});

test('a refused connection is a fault, and is tried again by who asks again', async () => {
  const target = await listen();
  server.close();
  await once(server, 'close');
  for (let attempt = 0; attempt < 3; attempt++) {
    const connection = await connect(target);
    assert.match('fault' in connection ? connection.fault : '', /ECONNREFUSED/);
  }
  assert.equal(clock.pending, 0);
});

test('no more connections are opened than may be', async () => {
  const target = await listen();
  const { port } = target;
  await flowTo(target);
  const tls = connect({ ...target, transport: 'tls' });
  assert.deepEqual(await connect({ ...target, transport: 'tls', port: port - 1 }), {
    fault: 'too many connections are open',
  });
  connector.close();
  assert.ok('fault' in (await tls));
  assert.deepEqual(await connect({ ...target, port: port - 1 }), { fault: 'the server is closing' });
});

describe('the certificate', () => {
  for (const [name, tls, trusted, fault] of [
    ['of another name is refused', issued('other', ['other.example']), authorities, /Host: tv.example. is not in/],
    [
      'that the platform signed itself is refused',
      issued('self', ['tv.example'], 'itself'),
      authorities,
      /self-signed/,
    ],
    ['of an authority that nobody trusts is refused', PLATFORM, null, /unable to verify|self-signed|local issuer/],
  ] as const) {
    test(name, async () => {
      const connection = await connect(await listen(tls), trusted);
      assert.match('fault' in connection ? connection.fault : 'accepted', fault);
    });
  }

  test('may be of an address, where an address was asked for', async () => {
    const target = { ...(await listen(PLATFORM)), serverName: '127.0.0.1' };
    assert.ok('flow' in (await connect(target)));
    const connection = await connect({ ...target, serverName: '127.0.0.2' });
    assert.match('fault' in connection ? connection.fault : 'accepted', /IP: 127.0.0.2 is not in/);
  });

  test('proves one name: a connection is not used for another one', async () => {
    const target = await listen(PLATFORM);
    await flowTo(target);
    assert.ok('fault' in (await connect({ ...target, serverName: 'other.example' })));
    assert.ok('fault' in (await connect(target, null)));
  });

  test('is asked for by its name (RFC 6066)', async () => {
    const asked: string[] = [];
    const target = await listen({
      ...PLATFORM,
      SNICallback: (name, done) => {
        asked.push(name);
        done(null);
      },
    });
    await flowTo(target);
    await connect({ ...target, serverName: '127.0.0.1' });
    assert.deepEqual(asked, ['tv.example']);
  });

  test('comes over nothing older than TLS 1.2 (RFC 8996)', async () => {
    const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const connection = await connect(await listen({ ...PLATFORM, ...old }));
    assert.match('fault' in connection ? connection.fault : 'accepted', /protocol version/);
  });
});

describe('a connection that is kept open', () => {
  /** Until the server's end has read one more ping. */
  const ping = async () => assert.equal(String((await once(accepted[0]!, 'data'))[0]), '\r\n\r\n');

  test('closes when a pong that is due does not come', async () => {
    const flow = await flowTo(await listen());
    const first = ping();
    flow.keepAlive!();
    await first;
    // A pong leaves no trace, but the message after it does.
    await event(() => accepted[0]!.write(`\r\n${MESSAGE}`));
    const second = ping();
    clock.advance(24_000);
    await second;
    await event(() => clock.advance(10_000));
    assert.deepEqual([closed, flow.closed, clock.pending], [[flow], true, 0]);
  });

  test('that closes has no more timers', async () => {
    const flow = await flowTo(await listen());
    flow.keepAlive!();
    await event(() => accepted[0]!.destroy());
    assert.equal(clock.pending, 0);
  });
});
