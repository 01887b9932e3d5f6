import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SESSION_TIMER } from './dialog/index.ts';
import { SignallingEndpoint } from './endpoint.ts';
import { type Header, Request, respond, serialise } from './message/index.ts';
import { OutgoingCalls } from './outgoing-calls.ts';
import { FakeClock, FakeFlow, makeInvite, makeRequest } from './testing.ts';
import type { CallIdentity, CallRequest, IncomingCall, OutgoingCall } from './types.ts';

const CLOSED = { protocol: 'SIP', cause: 480, text: 'Off air' } as const;

let clock: FakeClock;
let endpoint: SignallingEndpoint;
let events: string[];
let incomings: IncomingCall[];

afterEach(() => endpoint.close());

beforeEach(() => {
  clock = new FakeClock();
  events = [];
  incomings = [];
  endpoint = new SignallingEndpoint({
    clock,
    log: createLogger({ level: 'silent' }),
    guests: true,
    isTrusted: address => address === '10.0.0.1',
    handlers: { invite: incoming => void incomings.push(incoming) },
  });
});

/** A phone or browser at its own address, where it has registered for bob. */
function registered(
  address: string,
  { transport = 'udp' as FakeFlow['transport'], contact = `sip:bob@${address}:5062`, headers = [] as Header[] } = {},
): FakeFlow {
  const flow = new FakeFlow(clock, transport, address);
  const request = makeRequest('REGISTER', {
    via: `SIP/2.0/${transport.toUpperCase()} ${address}:5062;branch=z9hG4bK-${address}`,
    from: '<sip:bob@example.org>;tag=bob',
    to: '<sip:bob@example.org>',
    callId: `register-${address}`,
    headers: [['contact', contact], ...headers],
  });
  endpoint.receive(flow, serialise(request));
  assert.equal(flow.takeResponse().status, 200);
  return flow;
}

const IDENTITY: CallIdentity = { uri: 'sip:clock@example.org', registration: null };

async function call(to = 'sip:bob@example.org', parts: Partial<CallRequest> = {}): Promise<OutgoingCall> {
  const made = endpoint.call({
    to,
    identity: IDENTITY,
    offer: async () => 'our offer',
    replaces: null,
    referredBy: null,
    handlers: {
      progress: status => events.push(`progress ${status}`),
      accepted: answer => events.push(`accepted ${answer}`),
      refused: ({ status }) => events.push(`refused ${status}`),
      answered: () => undefined,
      reinvite: () => undefined,
      ended: ({ by }) => events.push(`ended by ${by}`),
    },
    ...parts,
  });
  await new Promise(resolve => setImmediate(resolve));
  return made;
}

const methods = (flow: FakeFlow) => flow.take().map(each => (each instanceof Request ? each.method : each.status));

function answer(flow: FakeFlow, request: Request, status: number): void {
  const headers: Header[] = [
    ['contact', `<sip:bob@${flow.remoteAddress}:5062>`],
    ['content-type', 'application/sdp'],
  ];
  const body = Buffer.from(`answer of ${flow.remoteAddress}`);
  endpoint.receive(flow, serialise(respond(request, status, { toTag: flow.remoteAddress, headers, body })));
}

describe('calling who is registered here', () => {
  test('asks every phone at once over its own flow, and what is said in the call reaches it', async () => {
    const phones = ['192.0.2.11', '192.0.2.12'].map(address => registered(address));
    const made = await call();
    const invites = phones.map(phone => phone.takeRequest());
    assert.deepEqual(
      invites.map(({ uri }) => uri),
      ['sip:bob@192.0.2.11:5062', 'sip:bob@192.0.2.12:5062'],
    );
    assert.deepEqual(
      [invites[0]?.get('from')?.split(';')[0], invites[0]?.get('to'), invites[0]?.get('contact')],
      ['<sip:clock@example.org>', '<sip:bob@example.org>', '<sip:clock@192.0.2.1:5060;transport=udp>'],
    );
    answer(phones[0]!, invites[0]!, 180);
    answer(phones[1]!, invites[1]!, 200);
    assert.deepEqual([methods(phones[0]!), methods(phones[1]!)], [['CANCEL'], ['ACK']]);
    assert.deepEqual(events, ['progress 180', 'accepted answer of 192.0.2.12']);
    answer(phones[0]!, invites[0]!, 487);
    assert.equal(endpoint.sizes.dialogs, 1);
    const bye = makeRequest('BYE', {
      from: '<sip:bob@example.org>;tag=192.0.2.12',
      to: invites[1]!.get('from')!,
      callId: made.sipCallId,
    });
    endpoint.receive(phones[1]!, serialise(bye));
    assert.equal(phones[1]!.takeResponse().status, 200);
    assert.deepEqual([events.at(-1), endpoint.sizes.dialogs], ['ended by peer', 0]);
  });

  test('goes over to another phone of his, which takes its place (RFC 3891)', async () => {
    const phone = registered('192.0.2.11');
    const made = await call();
    const invite = phone.takeRequest();
    const replaces = `${made.sipCallId};to-tag=${invite.fromTag};from-tag=192.0.2.11`;
    const take = (callId: string) => {
      const other = new FakeFlow(clock, 'tcp', '192.0.2.12');
      const branch = `z9hG4bK-${callId}`;
      endpoint.receive(other, serialise(makeInvite({ callId, branch, headers: [['replaces', replaces]] })));
      return other;
    };
    assert.equal(take('early').takeResponse().status, 481);
    answer(phone, invite, 200);
    assert.deepEqual(methods(phone), ['ACK']);
    take('new');
    assert.equal(incomings[0]?.replaces, made.id);
    incomings[0]!.accept('our answer');
    assert.equal(phone.takeRequest().get('reason'), 'SIP;cause=200;text="Replaced"');
    assert.equal(events.at(-1), 'ended by us');
  });

  test('asks those that want it less when the others have refused', async () => {
    const last = registered('192.0.2.11', { contact: '<sip:bob@192.0.2.11:5062>;q=0.2' });
    const first = registered('192.0.2.12', { contact: '<sip:bob@192.0.2.12:5062>;q=0.9' });
    await call();
    assert.deepEqual(methods(last), []);
    answer(first, first.takeRequest(), 486);
    assert.deepEqual(methods(last), ['INVITE']);
  });

  test('refuses for who is not there', async () => {
    await call('sip:carl@example.org');
    assert.deepEqual(events, ['refused 480']);
  });

  test('refuses for a browser, which takes no plain RTP', async () => {
    const browser = registered('192.0.2.11', { transport: 'wss', contact: 'sip:x@x.invalid;transport=ws' });
    await call();
    assert.deepEqual([events, methods(browser)], [['refused 488'], []]);
  });

  // Or a guest could have us call whom he likes, with our address for his own.
  test('goes nowhere else, whatever a Contact or a Path says', async () => {
    registered('192.0.2.11', { contact: 'sip:bob@gateway.example.com' });
    registered('192.0.2.12', {
      headers: [
        ['path', '<sip:192.0.2.66;lr>'],
        ['supported', 'path'],
      ],
    });
    await call();
    assert.deepEqual(events, ['refused 480']);
    assert.equal(endpoint.messages.filter(({ direction }) => direction === 'out').length, 0);
  });

  test('over UDP, where an address may be forged, asks two, and each once until it answers', async () => {
    const phones = ['192.0.2.11', '192.0.2.12', '192.0.2.13'].map(address => registered(address));
    await call();
    clock.advance(40_000);
    assert.deepEqual(
      phones.map(phone => methods(phone)),
      [[], ['INVITE'], ['INVITE']],
    );
    assert.deepEqual(events, ['refused 480']);
  });

  test("ends when the phone's connection does", async () => {
    const phone = registered('192.0.2.11', { transport: 'tcp', contact: 'sip:bob@192.0.2.11:5062;transport=tcp' });
    await call();
    phone.close();
    endpoint.closed(phone);
    assert.deepEqual(events, ['refused 480']);
  });

  test('is over when the endpoint closes', async () => {
    registered('192.0.2.11');
    const made = await call();
    endpoint.close();
    made.hangUp(CLOSED);
    assert.deepEqual(events, ['ended by failure']);
  });

  test('names the call that it takes the place of, and who wants it', async () => {
    const phone = registered('192.0.2.11');
    const replaces = 'a@b;to-tag=1;from-tag=2';
    await call('sip:bob@example.org', { replaces, referredBy: '<sip:ann@example.org>' });
    const invite = phone.takeRequest();
    assert.deepEqual(
      ['replaces', 'require', 'referred-by'].map(name => invite.get(name)),
      [replaces, 'replaces', '<sip:ann@example.org>'],
    );
  });

  test('says why, when there is no offer to make', async () => {
    const phone = registered('192.0.2.11');
    await call('sip:bob@example.org', { offer: async () => ({ status: 503 }) });
    assert.deepEqual([events, methods(phone)], [['refused 503'], []]);
  });
});

describe('calling who registered through a proxy', () => {
  for (const [name, address, sent] of [
    ['of ours goes by its Path', '10.0.0.1', [['<sip:edge.example.org;lr>', 'sip:bob@10.1.1.1']]],
    ['of somebody else goes nowhere', '192.0.2.66', []],
  ] as const) {
    test(name, async () => {
      const flow = new FakeFlow(clock, 'tcp', address);
      const invites: Request[] = [];
      const calls = new OutgoingCalls({
        ports: {
          clock,
          capabilities: [],
          contact: () => '<sip:clock@192.0.2.1>',
          sessionTimer: SESSION_TIMER,
          random: () => 0.5,
          request: () => undefined,
          ended: () => undefined,
          onRetransmission: () => undefined,
          refer: () => undefined,
          via: () => 'SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1',
          invite: request => {
            invites.push(request);
            return () => undefined;
          },
          send: () => undefined,
          begun: () => undefined,
        },
        registrar: {
          find: uri => [
            { uri: 'sip:bob@10.1.1.1', path: ['<sip:edge.example.org;lr>'], flow: null, q: 1, instance: uri },
          ],
        },
        resolve: async () => [{ transport: 'tcp', address, port: 5060, serverName: 'edge.example.org' }],
        connect: async () => ({ flow }),
        isTrusted: each => each === '10.0.0.1',
        guests: true,
        token: () => 'token',
      });
      calls.call({
        to: 'sip:bob@example.org',
        identity: IDENTITY,
        offer: async () => 'our offer',
        replaces: null,
        referredBy: null,
        handlers: {
          progress: () => undefined,
          accepted: () => undefined,
          refused: () => undefined,
          answered: () => undefined,
          reinvite: () => undefined,
          ended: () => undefined,
        },
      });
      await new Promise(resolve => setImmediate(resolve));
      assert.deepEqual(
        invites.map(invite => [invite.get('route'), invite.uri]),
        sent,
      );
    });
  }
});

describe('calling by way of a platform', () => {
  const account = {
    registrar: { host: 'tv.example.com', port: null, transport: null },
    authorities: null,
    user: 'channel7',
    password: 'secret',
    channel: 'clock',
    expiresSeconds: 600,
  };
  const through = (flow: FakeFlow | null): CallIdentity => ({
    uri: 'sip:channel7@tv.example.com',
    registration: { account, flow },
  });

  test('goes over the connection on which it knows us, as its subscriber, with his password', async () => {
    const platform = new FakeFlow(clock, 'tls', '192.0.2.50');
    await call('sip:bob@tv.example.com', { identity: through(platform) });
    const invite = platform.takeRequest();
    assert.deepEqual(
      [invite.uri, invite.get('from')?.split(';')[0], invite.get('contact')],
      ['sip:bob@tv.example.com', '<sip:channel7@tv.example.com>', '<sip:clock@192.0.2.1:5060;transport=tls>'],
    );
    const headers: Header[] = [['proxy-authenticate', 'Digest realm="tv", nonce="n", qop="auth"']];
    endpoint.receive(platform, serialise(respond(invite, 407, { headers })));
    const [, again] = platform.take() as Request[];
    assert.match(again?.get('proxy-authorization') ?? '', /username="channel7", realm="tv"/);
    answer(platform, again!, 200);
    assert.deepEqual(events, ['accepted answer of 192.0.2.50']);
  });

  test('is over where it does not know us any more', async () => {
    await call('sip:bob@tv.example.com', { identity: through(null) });
    assert.deepEqual(events, ['refused 480']);
  });

  test('reaches its users, and who is registered here, and nobody else', () => {
    registered('192.0.2.11');
    const identity = through(new FakeFlow(clock));
    for (const [to, mayCall] of [
      ['sip:anybody@tv.example.com', true],
      ['sip:anybody@TV.example.com', true],
      ['sip:bob@example.org', true],
      ['sip:carl@example.org', false],
      ['sip:+19005550100@gateway.example.com', false],
      ['tel:+19005550100', false],
    ] as const) {
      assert.equal(endpoint.mayCall(to, identity), mayCall, to);
    }
    assert.equal(endpoint.mayCall('sip:anybody@tv.example.com', IDENTITY), false);
  });
});
