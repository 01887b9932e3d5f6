import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint } from './endpoint.ts';
import { type Header, type Request, type Response, serialise } from './message/index.ts';
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
import type { IncomingCall } from './types.ts';

let clock: FakeClock;
let flow: FakeFlow;
let endpoint: SignallingEndpoint;
let calls: IncomingCall[];

function create(options: { guests: boolean; accounts: boolean }): SignallingEndpoint {
  clock = new FakeClock();
  flow = new FakeFlow(clock);
  calls = [];
  const credentials = memoryCredentials({ ann: 'secret' });
  return new SignallingEndpoint({
    clock,
    log: createLogger({ level: 'silent' }),
    guests: options.guests,
    authentication: options.accounts ? { realm: 'example.org', credentials } : null,
    handlers: { invite: call => calls.push(call) },
  });
}

function exchange(request: Request): Response[] {
  endpoint.receive(flow, serialise(request));
  return flow.take() as Response[];
}

const make = (method: string, parts: RequestParts = {}): Request =>
  method === 'INVITE' ? makeInvite(parts) : makeRequest(method, { ...parts, to: parts.to ?? '<sip:ann@example.org>' });

/** Asks, and asks again with the credentials that the answer wants. */
function login(method: string, parts: RequestParts = {}, credentials: LoginParts = {}): Response[] {
  const [challenge] = exchange(make(method, { branch: 'z9hG4bK-first', ...parts }));
  assert.equal(challenge?.status, 401);
  const value = authorization(challenge.get('www-authenticate')!, { method, password: 'secret', ...credentials });
  const headers: Header[] = [...(parts.headers ?? []), ['authorization', value]];
  return exchange(make(method, { ...parts, headers, branch: 'z9hG4bK-second', sequence: 2 }));
}

const states = () => [endpoint.sizes.serverTransactions, endpoint.sizes.dialogs, clock.pending];

describe('where only subscribers are let in', () => {
  beforeEach(() => {
    endpoint = create({ guests: false, accounts: true });
  });

  for (const method of ['INVITE', 'REGISTER', 'MESSAGE', 'SUBSCRIBE']) {
    test(`a stranger's ${method} is asked for credentials, and leaves no state`, () => {
      const request = make(method);
      const [first, ...more] = exchange(request);
      assert.deepEqual([first?.status, more.length], [401, 0]);
      const challenges = first!.headers.filter(([name]) => name === 'www-authenticate').map(([, value]) => value);
      assert.deepEqual(
        challenges.map(value => /algorithm=([\w-]+)/.exec(value)?.[1]),
        ['SHA-256', 'MD5'],
      );
      assert.deepEqual([...states(), calls.length], [0, 0, 0, 0]);
      // §8.2.7: the request that comes again gets the same tag; another gets another.
      assert.equal(exchange(request)[0]?.get('to'), first!.get('to'));
      assert.notEqual(exchange(make(method, { branch: 'z9hG4bK-other' }))[0]?.toTag, first!.toTag);
      // The 401 is not sent again by itself, and its ACK is nobody's.
      assert.deepEqual(exchange(makeRequest('ACK', { branch: 'z9hG4bK-invite', to: first!.get('to')! })), []);
      clock.advance(40_000);
      assert.deepEqual(flow.take(), []);
    });
  }

  for (const [method, status] of [
    ['OPTIONS', 200],
    ['BYE', 481],
    ['PUBLISH', 405],
    ['CANCEL', 481],
  ] as const) {
    test(`${method} needs no credentials: ${status}`, () => assert.equal(exchange(make(method))[0]?.status, status));
  }

  test('a subscriber calls, and hangs up without another proof', () => {
    assert.deepEqual([login('INVITE'), calls.length, calls[0]?.subscriber], [[], 1, 'ann']);
    calls[0]!.accept('answer');
    const to = flow.takeResponse().get('to')!;
    exchange(makeRequest('ACK', { to, sequence: 2, branch: 'z9hG4bK-ack' }));
    assert.equal(exchange(makeRequest('BYE', { to, sequence: 3 }))[0]?.status, 200);
    assert.equal(endpoint.sizes.dialogs, 0);
  });

  test('a subscriber whose INVITE comes again is asked nothing: it is one call', () => {
    const [challenge] = exchange(makeInvite());
    const value = authorization(challenge!.get('www-authenticate')!, { method: 'INVITE', password: 'secret' });
    const invite = makeInvite({ branch: 'z9hG4bK-second', sequence: 2, headers: [['authorization', value]] });
    assert.deepEqual([...exchange(invite), ...exchange(invite), calls.length], [1]);
  });

  test('a subscriber cancels a call without another proof', () => {
    login('INVITE');
    const cancel = makeRequest('CANCEL', { branch: 'z9hG4bK-second', sequence: 2 });
    assert.deepEqual(
      exchange(cancel).map(({ status }) => status),
      [200, 487],
    );
  });

  test('a subscriber registers the own address, with either algorithm', () => {
    const headers: Header[] = [['contact', '<sip:ann@192.0.2.7:5062>;expires=60']];
    for (const algorithm of ['SHA-256', 'MD5'] as const) {
      const [response] = login('REGISTER', { headers, callId: algorithm }, { algorithm });
      assert.deepEqual([response?.status, response?.list('contact').length], [200, 1]);
      clock.advance(40_000);
    }
  });

  test("a subscriber may not register somebody else's address: 403", () => {
    const headers: Header[] = [['contact', '<sip:ann@192.0.2.7:5062>']];
    const [response] = login('REGISTER', { to: '<sip:bob@example.org>', headers });
    assert.deepEqual([response?.status, endpoint.sizes.registrations], [403, 0]);
  });

  test('credentials that are malformed are told so: 400', () => {
    const [response] = exchange(makeInvite({ headers: [['authorization', 'Digest realm="example.org"']] }));
    assert.deepEqual([response?.status, response?.reason, ...states()], [400, 'Bad Authorization', 0, 0, 0]);
  });
});

test('where there are neither guests nor accounts, nobody calls or registers: 403', () => {
  endpoint = create({ guests: false, accounts: false });
  const answers = ['INVITE', 'REGISTER', 'MESSAGE'].map(method => exchange(make(method))[0]);
  assert.deepEqual(
    answers.map(answer => [answer?.status, answer?.reason]),
    [
      [403, 'Only subscribers may watch'],
      [403, 'Only subscribers may register'],
      [403, 'Only subscribers may write'],
    ],
  );
  assert.deepEqual([...states(), calls.length], [0, 0, 0, 0]);
});

test('guests are let in where they are welcome, whatever credentials they offer', () => {
  endpoint = create({ guests: true, accounts: true });
  const headers: Header[] = [['authorization', 'Digest realm="example.org"']];
  assert.deepEqual([exchange(makeInvite({ headers })), calls.length], [[], 1]);
  assert.equal(exchange(makeRequest('REGISTER', { headers }))[0]?.status, 200);
});
