import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint, type SignallingOptions } from './endpoint.ts';
import { type Header, Request, type Response, respond, serialise } from './message/index.ts';
import {
  authorization,
  FakeClock,
  FakeFlow,
  type LoginParts,
  makeInvite,
  makeRequest,
  memoryCredentials,
  type RequestParts,
} from './testing.ts';
import type { CallEnd, IncomingCall, Rejection } from './types.ts';

/** Enough for any ban to end. */
const HOUR_MS = 3_600_000;

let clock: FakeClock;
let flow: FakeFlow;
let endpoint: SignallingEndpoint;
let calls: IncomingCall[];
let ends: CallEnd[];
/** How often an account was looked up. */
let lookups: number;
let branches: number;

function create(options: Partial<SignallingOptions> = {}): void {
  clock = new FakeClock();
  flow = new FakeFlow(clock);
  calls = [];
  ends = [];
  lookups = 0;
  branches = 0;
  const accounts = memoryCredentials({ ann: 'secret' });
  const credentials: typeof accounts = {
    ha1: (...args) => {
      lookups++;
      return accounts.ha1(...args);
    },
  };
  const handlers = {
    cancelled: () => undefined,
    acknowledged: () => undefined,
    answered: () => undefined,
    reinvite: ({ reject }: { reject(rejection: Rejection): void }) => reject({ status: 488 }),
    ended: (end: CallEnd) => ends.push(end),
  };
  endpoint = new SignallingEndpoint({
    clock,
    log: createLogger({ level: 'silent' }),
    guests: true,
    authentication: { realm: 'example.org', credentials },
    handlers: {
      invite: call => {
        if (call.target !== 'news') return call.reject({ status: 404 });
        calls.push(call);
        call.handlers = handlers;
        call.accept('answer');
      },
    },
    ...options,
  });
}

beforeEach(() => create());

function exchange(request: Request, over = flow): Response[] {
  endpoint.receive(over, serialise(request));
  return over.take() as Response[];
}

const stranger = (address: string, transport: 'udp' | 'tcp' = 'udp') => new FakeFlow(clock, transport, address);
const newBranch = () => `z9hG4bK-${branches++}`;
const option = () => makeRequest('OPTIONS', { branch: newBranch() });
const register = (headers: readonly Header[] = [], sequence = 1) =>
  makeRequest('REGISTER', { to: '<sip:ann@example.org>', branch: newBranch(), headers, sequence });

/** A REGISTER with credentials for the last challenge, or for a new one. */
function guess(parts: LoginParts, over = flow, challenge = exchange(register(), over)[0]): Response | undefined {
  const value = challenge?.get('www-authenticate');
  if (value === null || value === undefined) return undefined;
  return exchange(register([['authorization', authorization(value, parts)]]), over)[0];
}

/** A call that runs; its To is that of the dialog. */
function running(over = flow): string {
  exchange(makeInvite({ branch: newBranch() }), over);
  calls.at(-1)!.accept('answer');
  const callee = (calls.at(-1) as IncomingCall).id;
  const to = `<sip:news@192.0.2.1>;tag=${callee}`;
  assert.deepEqual(exchange(makeRequest('ACK', { to, branch: newBranch() }), over), []);
  return to;
}

/** A call of somebody who is not there; the ACK may have another tag than our answer. */
function probe(target: string, { over = flow, acknowledge = true } = {}): Response | undefined {
  const parts: RequestParts = { uri: `sip:${target}@192.0.2.1`, branch: newBranch(), callId: `probe-${target}` };
  const refused = exchange(makeInvite(parts), over).at(-1);
  if (acknowledge && refused !== undefined) {
    exchange(makeRequest('ACK', { ...parts, headers: [], to: refused.get('to')! }), over);
  }
  return refused;
}

describe('brute force of a REGISTER', () => {
  beforeEach(() => create({ guests: false }));

  test('is not answered after twenty wrong passwords, even when the next one is right', () => {
    for (let n = 0; n < 20; n++) assert.equal(guess({ password: `guess ${n}` })?.status, 401);
    assert.equal(guess({ password: 'secret' }), undefined);
    assert.deepEqual([endpoint.sizes.bans, endpoint.sizes.registrations, flow.take()], [1, 0, []]);
    // Others are served.
    assert.equal(guess({ password: 'secret' }, stranger('192.0.2.8'))?.status, 200);
    clock.advance(30_000);
    assert.equal(guess({ password: 'secret' })?.status, 200);
  });

  test('tries about two hundred passwords an hour, however patient', () => {
    let tried = 0;
    for (; clock.nowMs() < HOUR_MS; clock.advance(1_000)) {
      const before = lookups;
      guess({ password: `guess ${tried}` });
      tried += lookups - before;
    }
    assert.ok(tried >= 100 && tried <= 220, `${tried} were tried`);
  });

  test('with one nonce and rising counts is the same', () => {
    const [challenge] = exchange(register());
    for (let count = 1; count <= 20; count++) guess({ password: 'guess', count }, flow, challenge);
    assert.equal(guess({ password: 'secret' }), undefined);
  });

  test('of an unknown user is the same', () => {
    for (let n = 0; n < 20; n++) guess({ user: `user ${n}`, password: 'guess' });
    assert.equal(guess({ password: 'secret' }), undefined);
  });

  test("in somebody else's name does not lock him out", () => {
    const [challenge] = exchange(register());
    const victim = stranger('192.0.2.8');
    for (let n = 1; n <= 100; n++) {
      const answer = guess({ password: `guess ${n}`, count: n }, victim, challenge);
      assert.match(answer?.get('www-authenticate') ?? '', /stale=true$/);
    }
    assert.equal(guess({ password: 'secret' }, victim)?.status, 200);
    assert.equal(lookups, 1);
  });
});

describe('a replay of credentials', () => {
  beforeEach(() => create({ guests: false }));

  test('registers nobody', () => {
    const [challenge] = exchange(register());
    const value = authorization(challenge!.get('www-authenticate')!, { password: 'secret' });
    assert.equal(exchange(register([['authorization', value]]))[0]?.status, 200);
    const contact: Header = ['contact', '<sip:thief@203.0.113.9>'];
    for (const over of [flow, stranger('203.0.113.9'), stranger('203.0.113.9', 'tcp')]) {
      const [again] = exchange(register([['authorization', value], contact], 2), over);
      assert.equal(again?.status, 401);
      assert.match(again.get('www-authenticate')!, /stale=true$/);
    }
    assert.equal(endpoint.sizes.registrations, 0);
  });

  test('calls nobody', () => {
    const [challenge] = exchange(makeInvite());
    const headers: Header[] = [
      ['authorization', authorization(challenge!.get('www-authenticate')!, { method: 'INVITE', password: 'secret' })],
    ];
    assert.equal(exchange(makeInvite({ headers, branch: newBranch() }))[0]?.status, 200);
    assert.equal(exchange(makeInvite({ headers, branch: newBranch(), callId: 'call-2' }))[0]?.status, 401);
    // Nor are the credentials of one request good for another.
    const uri = 'sip:film@192.0.2.1';
    assert.equal(exchange(makeInvite({ headers, branch: newBranch(), callId: 'call-3', uri }))[0]?.status, 400);
    assert.equal(calls.length, 1);
  });
});

test('enumeration of users: an unknown one and a wrong password have the same answer, for the same work', () => {
  create({ guests: false });
  const answers = ['ann', 'nobody', ''].map(user => {
    const response = guess({ user, password: 'guess' })!;
    return serialise(response)
      .toString()
      .replaceAll(/nonce="[^"]+"|tag=\w{24}|branch=\S+/g, '');
  });
  assert.deepEqual(new Set(answers).size, 1);
  assert.match(answers[0]!, /^SIP\/2\.0 401 /);
  assert.equal(lookups, 3);
});

describe('a scanner', () => {
  test('that calls one user after the other is not answered after twenty, but its running call goes on', () => {
    const to = running();
    for (let n = 0; n < 20; n++) assert.equal(probe(`user${n}`)?.status, 404);
    assert.equal(probe('user20'), undefined);
    for (const request of [option(), register(), makeInvite({ branch: newBranch(), callId: 'call-2' })]) {
      assert.deepEqual(exchange(request), []);
    }
    assert.equal(exchange(makeRequest('BYE', { to, sequence: 2, branch: newBranch() }))[0]?.status, 200);
    clock.advance(30_000);
    flow.take();
    assert.equal(exchange(option())[0]?.status, 200);
  });

  test("that calls in somebody else's name does not lock him out", () => {
    const victim = stranger('192.0.2.8');
    for (let n = 0; n < 100; n++) probe(`user${n}`, { over: victim, acknowledge: false });
    assert.equal(endpoint.sizes.bans, 0);
    assert.equal(exchange(option(), victim)[0]?.status, 200);
  });

  test('is told nothing about who serves it', () => {
    const answers = [option(), register(), makeInvite({ branch: newBranch() }), makeRequest('PUBLISH')].flatMap(
      request => exchange(request),
    );
    for (const { headers } of answers) {
      assert.ok(headers.every(([name]) => name !== 'server' && name !== 'user-agent'));
    }
  });
});

describe('a flood', () => {
  test('of half-open INVITEs is bounded, and is forgotten when their time is over', () => {
    create({ transactionLimits: { open: 1_000 } });
    const proxy = stranger('127.0.0.1', 'tcp');
    const invite = (n: number) =>
      makeInvite({ branch: newBranch(), callId: `flood-${n}`, uri: 'sip:nobody@192.0.2.1' });
    const statuses = new Map<number, number>();
    for (let n = 0; n < 3_000; n++) {
      const status = exchange(invite(n), proxy).at(-1)!.status;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    assert.deepEqual(
      [...statuses],
      [
        [404, 1_000],
        [503, 2_000],
      ],
    );
    assert.deepEqual([endpoint.sizes.serverTransactions, endpoint.sizes.dialogs], [1_000, 0]);
    clock.advance(32_000);
    assert.deepEqual([endpoint.sizes.serverTransactions, clock.pending], [0, 0]);
  });

  test('of answered INVITEs without an ACK ends by itself', () => {
    for (let n = 0; n < 200; n++) exchange(makeInvite({ branch: newBranch(), callId: `flood-${n}` }));
    assert.equal(endpoint.sizes.dialogs, 200);
    clock.advance(64_000);
    const { serverTransactions, clientTransactions, dialogs } = endpoint.sizes;
    assert.deepEqual([serverTransactions, clientTransactions, dialogs, clock.pending], [0, 0, 0, 0]);
    assert.equal(ends.length, 200);
  });

  test('from one source leaves the others served', () => {
    for (let n = 0; n < 2_000; n++) exchange(option());
    assert.deepEqual(exchange(option()), []);
    assert.equal(exchange(option(), stranger('192.0.2.8'))[0]?.status, 200);
    assert.ok(endpoint.sizes.serverTransactions < 1_100);
    // The one on a connection is told to come back, without state.
    const connection = stranger('192.0.2.7', 'tcp');
    const answers = Array.from({ length: 1_001 }, () => exchange(option(), connection)[0]);
    assert.deepEqual([answers.at(-2)?.status, answers.at(-1)?.status], [200, 503]);
    assert.equal(answers.at(-1)?.get('retry-after'), '10');
  });

  test('inside a call is bounded, and leaves the call as it was', () => {
    const to = running();
    const ask = (n: number) => exchange(makeRequest('OPTIONS', { to, sequence: n, branch: newBranch() }));
    for (let n = 2; n < 2_000; n++) ask(n);
    assert.deepEqual(ask(2_000), []);
    assert.ok(endpoint.sizes.serverTransactions < 1_100);
    clock.advance(1_000);
    assert.equal(exchange(makeRequest('BYE', { to, sequence: 2_001, branch: newBranch() })).at(-1)?.status, 200);
  });

  test('of challenges leaves nothing behind', () => {
    create({ guests: false });
    const proxy = stranger('127.0.0.1');
    for (let n = 0; n < 1_000; n++) assert.equal(exchange(register(), proxy)[0]?.status, 401);
    assert.deepEqual([endpoint.sizes.serverTransactions, clock.pending], [0, 0]);
  });

  test('with tags or as CANCELs of nothing is no way around the limit', () => {
    const evasions = [
      () => makeRequest('BYE', { branch: newBranch(), to: '<sip:news@192.0.2.1>;tag=guessed' }),
      () => makeRequest('CANCEL', { branch: newBranch() }),
    ];
    for (let n = 0; n < 1_000; n++) exchange(evasions[n % 2]!());
    for (const evade of evasions) assert.deepEqual(exchange(evade()), []);
    // Nor is noise that looks like a request.
    endpoint.receive(flow, Buffer.from(serialise(option()).toString().replace('CSeq: 1 OPTIONS', 'CSeq: 1 BYE')));
    assert.deepEqual(flow.take(), []);
  });
});

describe('amplification', () => {
  /** As short as a request can be. */
  const shortest = (method: string) =>
    [
      `${method} sip:a SIP/2.0`,
      `v:SIP/2.0/UDP a;branch=z9hG4bK${branches++}`,
      'f:<sip:a>;tag=1',
      't:<sip:a>',
      'i:1',
      `CSeq:1 ${method}`,
      'Max-Forwards:1',
      'l:0',
      '',
      '',
    ].join('\r\n');

  for (const [method, guests] of [
    ['OPTIONS', true],
    ['REGISTER', true],
    ['REGISTER', false],
    ['INVITE', false],
    ['PUBLISH', true],
  ] as const) {
    test(`by ${method} is small: ${guests ? 'guests' : 'no guests'}`, () => {
      create({ guests });
      const request = Buffer.from(shortest(method));
      endpoint.receive(flow, request);
      const bytes = flow.take().reduce((sum, response) => sum + serialise(response).length, 0);
      assert.ok(bytes > 0 && bytes <= 4 * request.length, `${request.length} bytes are answered with ${bytes}`);
      clock.advance(HOUR_MS);
      assert.deepEqual(flow.take(), []);
    });
  }

  test('by OPTIONS in the name of a victim is less than what it costs', () => {
    let [sent, reflected] = [0, 0];
    for (; clock.nowMs() < 3_000; clock.advance(1)) {
      for (let n = 0; n < 3; n++) {
        const request = Buffer.from(shortest('OPTIONS'));
        sent += request.length;
        endpoint.receive(flow, request);
        for (const response of flow.take()) reflected += serialise(response).length;
      }
    }
    assert.ok(reflected < sent, `${sent} bytes were sent, ${reflected} reflected`);
  });
});

describe('a loop', () => {
  /** Hands everything that we send back to us until nothing more comes; tells how many messages that were. */
  function reflect(over: FakeFlow): number {
    let count = 0;
    for (let messages = over.take(); messages.length > 0; messages = over.take()) {
      count += messages.length;
      assert.ok(count < 100, 'goes on for ever');
      for (const message of messages) endpoint.receive(over, serialise(message));
    }
    return count;
  }

  test('by a Via that names us ends with our answer', () => {
    const ourselves = stranger('192.0.2.1');
    const via = `SIP/2.0/UDP 192.0.2.1:5060;branch=${newBranch()}`;
    for (const method of ['OPTIONS', 'REGISTER', 'PUBLISH', 'BYE']) {
      endpoint.receive(ourselves, serialise(makeRequest(method, { via })));
      assert.equal(reflect(ourselves), 1);
    }
  });

  test('by a Contact that names us does not reach us: our BYE goes where the call came from', () => {
    const to = running();
    exchange(makeInvite({ to, sequence: 2, branch: newBranch(), headers: [['contact', '<sip:news@192.0.2.1:5060>']] }));
    calls[0]!.hangUp({ protocol: 'SIP', cause: 480, text: 'Off air' });
    const bye = flow.take().find(message => message instanceof Request)!;
    assert.equal(bye instanceof Request && bye.method, 'BYE');
    // And if it came back, it would be nobody's.
    endpoint.receive(flow, serialise(bye));
    assert.ok(reflect(flow) <= 3);
  });
});

test('a hijack of a call from another flow needs its tags', () => {
  const to = running();
  const thief = stranger('203.0.113.9');
  const wrong = to.slice(0, -1) + (to.endsWith('0') ? '1' : '0');
  for (const method of ['BYE', 'INVITE', 'OPTIONS']) {
    const make = method === 'INVITE' ? makeInvite : (parts: RequestParts) => makeRequest(method, parts);
    assert.equal(exchange(make({ to: wrong, sequence: 2, branch: newBranch() }), thief).at(-1)?.status, 481);
    // Whoever saw the tags but not the last CSeq fails as well, and moves nothing.
    assert.equal(exchange(make({ to, sequence: 1, branch: newBranch() }), thief).at(-1)?.status, 500);
  }
  assert.deepEqual(ends, []);
  calls[0]!.hangUp({ protocol: 'SIP', cause: 480, text: 'Off air' });
  assert.deepEqual(thief.take(), []);
  const bye = flow.takeRequest();
  assert.equal(bye.method, 'BYE');
  endpoint.receive(flow, serialise(respond(bye, 200)));
});
