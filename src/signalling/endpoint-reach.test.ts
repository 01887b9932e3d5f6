import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint } from './endpoint.ts';
import { type Header, Request, type Response, respond, serialise } from './message/index.ts';
import type { Resolver } from './resolution/index.ts';
import { FakeClock, FakeFlow, makeRequest, parsed } from './testing.ts';
import type { CallEnd, IncomingCall, SipTransport } from './types.ts';

const ADDRESS = '127.0.0.1';
const CAUSE = { protocol: 'SIP', cause: 480, text: 'Off air' } as const;

let clock: FakeClock;
let endpoint: SignallingEndpoint;
let call: IncomingCall;
let ends: CallEnd[];
/** Where the peer listens. */
let server: Server;
let port: number;
let listeners: Socket[];
/** Address of a proxy of ours. */
let trusted: string | null;

const resolver: Resolver = {
  resolveNaptr: async () => [
    { flags: 's', service: 'SIP+D2T', replacement: '_sip._tcp.phone.example', order: 1, preference: 1 },
  ],
  // Nobody is at the first one.
  resolveSrv: async () => [
    { name: 'a.phone.example', port: 1, priority: 1, weight: 0 },
    { name: 'b.phone.example', port, priority: 2, weight: 0 },
  ],
  lookup: async () => [{ address: ADDRESS }],
};

beforeEach(async () => {
  clock = new FakeClock();
  ends = [];
  listeners = [];
  trusted = null;
  endpoint = new SignallingEndpoint({
    clock,
    log: createLogger({ level: 'silent' }),
    guests: true,
    resolver,
    isTrusted: address => address === trusted,
    handlers: {
      invite: incoming => {
        call = incoming;
        call.handlers = {
          cancelled: () => undefined,
          answered: () => undefined,
          acknowledged: () => undefined,
          reinvite: ({ reject }) => reject({ status: 488 }),
          ended: end => ends.push(end),
        };
        call.accept('answer');
      },
    },
  });
  server = createServer(socket => listeners.push(socket)).listen(0, ADDRESS);
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  endpoint.close();
  server.close();
  for (const socket of listeners) socket.destroy();
});

/** To a peer that sees each request. */
class AnsweringFlow extends FakeFlow {
  readonly #answer: (request: Request) => void;

  constructor(clock: FakeClock, transport: FakeFlow['transport'], answer: (request: Request) => void) {
    super(clock, transport);
    this.#answer = answer;
  }

  override send(bytes: Buffer): boolean {
    const message = parsed(bytes);
    if (message instanceof Request) queueMicrotask(() => this.#answer(message));
    return super.send(bytes);
  }
}

/** A flow of whoever is at the peer's address. */
const from = (transport: SipTransport) => new FakeFlow(clock, transport, ADDRESS);

/** A call on this flow of a phone that closes it at once. */
function callAndLeave(flow: FakeFlow, contact: string, headers: readonly Header[] = []): void {
  const given: Header[] = [['contact', `<${contact}>`], ['content-type', 'application/sdp'], ...headers];
  endpoint.receive(flow, serialise(makeRequest('INVITE', { headers: given, body: 'offer' })));
  const ok = flow.take().at(-1) as Response;
  endpoint.receive(flow, serialise(makeRequest('ACK', { to: ok.get('to')!, branch: 'z9hG4bK-ack' })));
  flow.close();
  endpoint.closed(flow);
}

/** The next request that the peer gets where it listens; it answers 200. */
async function requestAtPeer(): Promise<Request> {
  const [socket] = listeners.length > 0 ? listeners : ((await once(server, 'connection')) as [Socket]);
  const request = parsed((await once(socket!, 'data'))[0]);
  assert.ok(request instanceof Request);
  socket!.write(serialise(respond(request, 200)));
  return request;
}

describe('a BYE to a phone whose connection is gone', () => {
  beforeEach(() => endpoint.listen({ addresses: [ADDRESS], udp: null, tcp: 0, tls: null }));

  for (const [name, contact, headers] of [
    ['its Contact', () => `sip:ann@${ADDRESS}:${port};transport=tcp`, () => []],
    [
      'the first proxy, which asked to stay on the way',
      () => 'sip:ann@192.0.2.7;transport=tcp',
      () => [
        ['record-route', `<sip:${ADDRESS}:${port};transport=tcp;lr>`],
        ['record-route', '<sip:192.0.2.8;transport=tcp;lr>'],
      ],
    ],
    ['the second server of its domain, since nobody is at the first', () => 'sip:ann@phone.example', () => []],
  ] as const satisfies [string, () => string, () => Header[]][]) {
    test(`goes to ${name}, over a new connection`, async () => {
      callAndLeave(from('tcp'), contact(), headers());
      const arrived = requestAtPeer();
      call.hangUp(CAUSE);
      const bye = await arrived;
      assert.deepEqual([bye.method, bye.uri, bye.via?.transport], ['BYE', contact(), 'TCP']);
      await endpoint.settle(60_000);
      assert.equal(endpoint.sizes.dialogs, 0);
    });
  }

  /** Registers the device of the GRUU with which it is answered. */
  function register(flow: FakeFlow, callId: string): string {
    const headers: Header[] = [
      ['supported', 'gruu, outbound'],
      ['contact', '<sip:ann@192.0.2.7>;reg-id=1;+sip.instance="<urn:uuid:1>"'],
    ];
    const parts = { to: '<sip:ann@tv.example>', branch: `z9hG4bK-${callId}`, callId, headers };
    endpoint.receive(flow, serialise(makeRequest('REGISTER', parts)));
    return /pub-gruu="([^"]*)"/.exec(flow.takeResponse().get('contact')!)![1]!;
  }

  for (const [before, after, arrives] of [
    ['tcp', 'tcp', true],
    ['tls', 'wss', true],
    ['tls', 'tcp', false],
  ] as const) {
    test(`${arrives ? 'goes' : 'does not go'} over the ${after} with which it registered anew, to a GRUU over ${before}`, async () => {
      server.close();
      await once(server, 'close');
      const flow = new FakeFlow(clock, before);
      callAndLeave(flow, register(flow, 'first'));
      const methods: string[] = [];
      const another = new AnsweringFlow(clock, after, request => {
        methods.push(request.method);
        endpoint.receive(another, serialise(respond(request, 200)));
      });
      register(another, 'second');
      call.hangUp(CAUSE);
      await endpoint.settle(60_000);
      assert.deepEqual([methods, ends.length], [arrives ? ['BYE'] : [], 1]);
    });
  }

  test('is lost where nobody listens, and the call is over', async () => {
    server.close();
    await once(server, 'close');
    callAndLeave(from('tcp'), `sip:ann@${ADDRESS}:${port};transport=tcp`);
    call.hangUp(CAUSE);
    await endpoint.settle(60_000);
    assert.deepEqual([ends.length, endpoint.sizes.clientTransactions, endpoint.sizes.dialogs], [1, 0, 0]);
  });

  test('goes to a proxy of ours, though the call came from another one', async () => {
    trusted = ADDRESS;
    const headers: Header[] = [['record-route', `<sip:${ADDRESS}:${port};transport=tcp;lr>`]];
    callAndLeave(new FakeFlow(clock, 'tcp', '192.0.2.8'), 'sip:ann@192.0.2.7;transport=tcp', headers);
    const arrived = requestAtPeer();
    call.hangUp(CAUSE);
    assert.equal((await arrived).method, 'BYE');
  });

  test('attack: a Contact at somebody else opens no connection there', async () => {
    callAndLeave(new FakeFlow(clock, 'tcp', '192.0.2.66'), `sip:ann@${ADDRESS}:${port};transport=tcp`);
    call.hangUp(CAUSE);
    await endpoint.settle(60_000);
    assert.deepEqual([ends.length, listeners], [1, []]);
  });

  for (const transport of ['ws', 'wss'] as const) {
    test(`is lost over ${transport}: a browser can't be called`, async () => {
      callAndLeave(from(transport), `sip:ann@${ADDRESS}:${port};transport=tcp`);
      call.hangUp(CAUSE);
      await endpoint.settle(60_000);
      assert.deepEqual([ends.length, listeners], [1, []]);
    });
  }

  test('does not go in the clear where the call came over TLS', async () => {
    const hello = once(server, 'connection').then(([socket]) => once(socket as Socket, 'data'));
    callAndLeave(from('tls'), `sip:ann@${ADDRESS}:${port}`);
    call.hangUp(CAUSE);
    // RFC 8446 §5.1: a handshake record.
    assert.equal(((await hello)[0] as Buffer)[0], 22);
  });
});

test('what follows in the dialog goes the new way as well', async () => {
  await endpoint.listen({ addresses: [ADDRESS], udp: null, tcp: 0, tls: null });
  const timer: Header[] = [
    ['allow', 'INVITE, UPDATE'],
    ['supported', 'timer'],
    ['session-expires', '90;refresher=uas'],
  ];
  // Through a proxy, which need not come back.
  callAndLeave(from('tcp'), `sip:ann@${ADDRESS}:${port};transport=tcp`, [['via', 'SIP/2.0/TCP 192.0.2.8'], ...timer]);
  const refreshed = requestAtPeer();
  clock.advance(45_000);
  assert.equal((await refreshed).method, 'UPDATE');
  await endpoint.settle(60_000);
  const arrived = requestAtPeer();
  call.hangUp(CAUSE);
  assert.equal((await arrived).method, 'BYE');
  assert.equal(listeners.length, 1);
});
