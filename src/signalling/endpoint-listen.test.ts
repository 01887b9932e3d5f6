import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { Certificates } from '../../test/support/certificates.ts';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint } from './endpoint.ts';
import { type Response, serialise } from './message/index.ts';
import { FakeClock, makeRequest, parsed } from './testing.ts';

const ADDRESS = '127.0.0.1';
const NOWHERE = { addresses: [ADDRESS], udp: null, tcp: null, tls: null };

const certificates = new Certificates();
after(() => certificates.remove());
const files = certificates.issue('tv', [ADDRESS]);
const pair = { certificate: readFileSync(files.certificate), key: readFileSync(files.key) };

let endpoint: SignallingEndpoint;
const create = () =>
  new SignallingEndpoint({
    clock: new FakeClock(),
    log: createLogger({ level: 'silent' }),
    guests: true,
    handlers: { invite: call => call.reject({ status: 404 }) },
  });

beforeEach(() => {
  endpoint = create();
});
afterEach(() => endpoint.close());

describe('a request from the network', () => {
  for (const [name, via, toVia] of [
    [
      'goes back to the port that it came from when it asks for that (RFC 3581)',
      (port: number) => `127.0.0.1:${port};rport`,
      false,
    ],
    ['goes back to the port in its Via otherwise (RFC 3261 §18.2.2)', (port: number) => `127.0.0.1:${port}`, true],
  ] as const) {
    test(`over UDP ${name}`, async () => {
      const { udp } = await endpoint.listen({ ...NOWHERE, udp: 0 });
      const [asking, named] = [createSocket('udp4'), createSocket('udp4')];
      for (const socket of [asking, named]) await new Promise<void>(resolve => void socket.bind(0, ADDRESS, resolve));
      const answer = once(toVia ? named : asking, 'message');
      const request = makeRequest('OPTIONS', { via: `SIP/2.0/UDP ${via(named.address().port)};branch=z9hG4bK1` });
      asking.send(serialise(request), udp!, ADDRESS);
      const response = parsed((await answer)[0]) as Response;
      assert.equal(response.status, 200);
      const rport = toVia ? undefined : String(asking.address().port);
      assert.equal(response.via?.parameters.get('rport'), rport);
      assert.deepEqual(
        endpoint.messages.map(({ direction, count }) => [direction, count]),
        [
          ['in', 1],
          ['out', 1],
        ],
      );
      asking.close();
      named.close();
    });
  }

  for (const transport of ['tcp', 'tls'] as const) {
    test(`over ${transport} is answered on its connection`, async () => {
      const ports = await endpoint.listen({ ...NOWHERE, tcp: 0, tls: { port: 0, pair } });
      const address = { host: ADDRESS, port: ports[transport]! };
      const socket = transport === 'tcp' ? connect(address) : connectTls({ ...address, ca: pair.certificate });
      const answer = once(socket, 'data');
      const via = `SIP/2.0/${transport.toUpperCase()} 127.0.0.1:1;branch=z9hG4bK1`;
      socket.write(serialise(makeRequest('OPTIONS', { via })));
      assert.equal((parsed((await answer)[0]) as Response).status, 200);
      assert.deepEqual([...new Set(endpoint.messages.map(each => each.transport))], [transport]);
      // Closing ends the connection, too.
      endpoint.close();
      await once(socket.resume(), 'close');
    });
  }
});

test('one endpoint serves IPv4 and IPv6 at the same ports', async () => {
  const addresses = ['0.0.0.0', '::'];
  const { udp, tcp } = await endpoint.listen({ addresses, udp: 0, tcp: 0, tls: null });
  for (const address of [ADDRESS, '::1']) {
    const via = (transport: string) =>
      `SIP/2.0/${transport} ${address === ADDRESS ? address : `[${address}]`}:1;branch=z9hG4bK${transport}${address.length};rport`;
    const datagrams = createSocket(address === ADDRESS ? 'udp4' : 'udp6');
    const answer = once(datagrams, 'message');
    datagrams.send(serialise(makeRequest('OPTIONS', { via: via('UDP') })), udp!, address);
    const [bytes, from] = await answer;
    const response = parsed(bytes) as Response;
    assert.deepEqual([response.status, response.via?.parameters.get('received')], [200, address]);
    assert.deepEqual([from.address, from.port], [address, udp]);
    datagrams.close();

    const connection = connect(tcp!, address);
    const reply = once(connection, 'data');
    connection.write(serialise(makeRequest('OPTIONS', { via: via('TCP') })));
    assert.equal((parsed((await reply)[0]) as Response).status, 200);
    connection.destroy();
  }
});

test('a browser is served on its WebSocket, until we close it', async () => {
  const server = new WebSocketServer({ host: ADDRESS, port: 0 });
  const gone = Promise.withResolvers<void>();
  server.once('connection', socket => {
    socket.once('close', gone.resolve);
    const [remoteAddress, localAddress] = ['192.0.2.7', '192.0.2.1'];
    endpoint.acceptWebSocket(socket, {
      remoteAddress,
      remotePort: 40_000,
      localAddress,
      localPort: 8080,
      secure: false,
    });
  });
  await once(server, 'listening');
  const browser = new WebSocket(`ws://${ADDRESS}:${(server.address() as AddressInfo).port}`);
  await once(browser, 'open');
  const answer = once(browser, 'message');
  browser.send(serialise(makeRequest('OPTIONS', { via: 'SIP/2.0/WS x.invalid;branch=z9hG4bK1' })));
  const response = parsed((await answer)[0]);
  assert.equal(response.get('via'), 'SIP/2.0/WS x.invalid;branch=z9hG4bK1;received=192.0.2.7');
  assert.equal(endpoint.sizes.webSockets, 1);
  const goodbye = once(browser, 'close');
  endpoint.close();
  assert.equal((await goodbye)[0], 1001);
  await gone.promise;
  assert.equal(endpoint.sizes.webSockets, 0);
  server.close();
});

for (const transport of ['udp', 'tcp', 'tls'] as const) {
  test(`a ${transport} port that is taken is named with its key`, async () => {
    const ports = await endpoint.listen({ ...NOWHERE, udp: 0, tcp: 0, tls: { port: 0, pair } });
    const port = ports[transport]!;
    const second = create();
    const options = { ...NOWHERE, [transport]: transport === 'tls' ? { port, pair } : port };
    await assert.rejects(second.listen(options), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'LISTEN_FAILED');
      assert.match(error.message, new RegExp(`sip\\.${transport}: 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`));
      return true;
    });
    second.close();
  });
}
