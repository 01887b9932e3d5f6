import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Authenticator } from '../authentication/index.ts';
import { type Header, type Request, respond } from '../message/index.ts';
import { FakeClock, FakeFlow, memoryCredentials, travelled } from '../testing.ts';
import type { Flow } from '../transport/index.ts';
import { type PlatformAccount, Registration, type RegistrationStatus } from './registration.ts';
import type { Target } from './targets.ts';

const ACCOUNT: PlatformAccount = {
  registrar: { host: 'tv.example', port: null },
  user: 'clock',
  password: 'secret',
  channel: 'clock',
  expiresSeconds: 600,
};

type Answer = { status: number; headers?: readonly Header[] } | null;

let clock: FakeClock;
let targets: Target[];
let answers: (request: Request, flow: Flow) => Answer;
let sent: { port: number; request: Request }[];
let changes: RegistrationStatus[];
let tokens: number;
let chance: number;

beforeEach(() => {
  clock = new FakeClock();
  targets = [{ address: '192.0.2.1', port: 5060 }];
  answers = () => ({ status: 200 });
  sent = [];
  changes = [];
  tokens = 0;
  chance = 0;
});

/** Starts it and waits until the look-up of its targets is done. */
async function started(account: Partial<PlatformAccount> = {}): Promise<Registration> {
  const registration = new Registration(
    { ...ACCOUNT, ...account },
    {
      clock,
      random: () => chance,
      token: () => `token${++tokens}`,
      resolve: async () => targets,
      flow: ({ address, port }) =>
        address.includes(':') ? null : Object.assign(new FakeFlow(clock), { remoteAddress: address, remotePort: port }),
      via: () => `SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK${sent.length}`,
      contact: (_flow, user) => `<sip:${user}@192.0.2.9:5060;transport=udp>`,
      request: (request, flow, answered) => {
        sent.push({ port: flow.remotePort, request: travelled(request) });
        const answer = answers(sent.at(-1)!.request, flow);
        answered(answer === null ? null : respond(request, answer.status, { headers: answer.headers }));
      },
      changed: status => changes.push(status),
    },
  );
  registration.start();
  await settled();
  return registration;
}

/** Look-ups answer in a later turn. */
const settled = () => new Promise(resolve => setImmediate(resolve));

async function advance(ms: number): Promise<void> {
  clock.advance(ms);
  await settled();
}

test('a REGISTER says who, where, and for how long', async () => {
  await started({ user: 'tv 101', registrar: { host: '192.0.2.1', port: 5080 } });
  const { request } = sent[0]!;
  assert.deepEqual([request.method, request.uri], ['REGISTER', 'sip:192.0.2.1:5080']);
  assert.equal(request.get('to'), '<sip:tv%20101@192.0.2.1>');
  assert.equal(request.get('contact'), '<sip:clock@192.0.2.9:5060;transport=udp>');
  assert.equal(request.get('expires'), '600');
});

describe('the time that is granted', () => {
  const contacts = '<sip:other@192.0.2.8>;expires=9, <sip:clock@192.0.2.9:5060;transport=udp>;expires=100';
  for (const [name, headers, seconds] of [
    ['for our contact', [['contact', contacts]], 100],
    ['for all', [['expires', '200']], 200],
    ['without a word is what was asked for', [], 600],
  ] as const) {
    test(`${name}: registers again between 0.7 and 0.9 of it`, async () => {
      answers = () => ({ status: 200, headers });
      await started();
      await advance(seconds * 700 - 1);
      assert.equal(sent.length, 1);
      chance = 1;
      await advance(1);
      assert.equal(sent.length, 2);
      await advance(seconds * 900 - 1);
      assert.equal(sent.length, 2);
      await advance(1);
      assert.equal(sent.length, 3);
      const [first, second] = sent.map(({ request }) => request);
      assert.equal(second!.callId, first!.callId);
      assert.equal(second!.cseq!.number, first!.cseq!.number + 1);
      assert.deepEqual(changes, [{ state: 'registered', reason: null }]);
    });
  }
});

describe('a platform that asks for a password', () => {
  const asking = (passwords: Record<string, string>) => {
    const credentials = memoryCredentials(passwords);
    const authenticator = new Authenticator({ key: Buffer.alloc(32, 1), clock, realm: 'tv.example', credentials });
    return (request: Request): Answer => {
      const outcome = authenticator.authenticate(request, '192.0.2.9');
      if (outcome.result === 'malformed') return { status: 400 };
      return outcome.result === 'accepted' ? { status: 200 } : { status: 401, headers: outcome.headers };
    };
  };

  test('gets it with the strongest algorithm', async () => {
    answers = asking({ clock: 'secret' });
    const registration = await started();
    assert.equal(registration.status.state, 'registered');
    assert.equal(sent.length, 2);
    assert.match(sent[1]!.request.get('authorization')!, /algorithm=SHA-256/);
  });

  test('takes its nonce again, and a stale one costs one more request', async () => {
    answers = asking({ clock: 'secret' });
    await started({ expiresSeconds: 100 });
    await advance(70_000);
    assert.equal(sent.length, 3);
    for (let refresh = 0; refresh < 4; refresh++) await advance(70_000);
    assert.equal(sent.length, 8);
    assert.deepEqual(changes, [{ state: 'registered', reason: null }]);
  });

  test('does not have a wrong password tried again and again', async () => {
    answers = asking({ clock: 'another' });
    const registration = await started();
    assert.deepEqual(registration.status, { state: 'failed', reason: 'user or password is wrong' });
    assert.equal(sent.length, 3);
  });
});

test('after failures it waits longer and longer, between half and all of it', async () => {
  answers = () => ({ status: 403 });
  await started();
  for (const pauseMs of [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]) {
    const before = sent.length;
    await advance(pauseMs / 2 - 1);
    assert.equal(sent.length, before);
    await advance(1);
    assert.equal(sent.length, before + 1);
  }
  assert.deepEqual(changes, [{ state: 'failed', reason: '403 Forbidden' }]);
  answers = () => ({ status: 200 });
  await advance(150_000);
  answers = () => ({ status: 403 });
  chance = 1;
  await advance(420_000);
  const before = sent.length;
  await advance(1_999);
  assert.equal(sent.length, before);
  await advance(1);
  assert.equal(sent.length, before + 1, 'a success does not make the pauses short again');
});

test('a target that does not answer, or has a fault, is passed over', async () => {
  targets = [5061, 5062, 5063].map(port => ({ address: '192.0.2.1', port }));
  answers = (_request, { remotePort }) => (remotePort === 5061 ? null : { status: remotePort === 5062 ? 503 : 200 });
  const registration = await started();
  assert.deepEqual(
    sent.map(({ port }) => port),
    [5061, 5062, 5063],
  );
  assert.equal(registration.status.state, 'registered');
});

test('says why when no target answers, and when there is none', async () => {
  answers = () => null;
  assert.deepEqual((await started()).status, { state: 'failed', reason: 'no answer' });
  targets = [{ address: '2001:db8::1', port: 5060 }];
  const reason = 'the registrar has no address that can be reached';
  assert.deepEqual((await started()).status, { state: 'failed', reason });
});

test('423 is obeyed when it asks for more', async () => {
  answers = request =>
    Number(request.get('expires')) < 900 ? { status: 423, headers: [['min-expires', '900']] } : { status: 200 };
  assert.equal((await started()).status.state, 'registered');
  assert.deepEqual(
    sent.map(({ request }) => request.get('expires')),
    ['600', '900'],
  );
  answers = () => ({ status: 423, headers: [['min-expires', '1']] });
  assert.equal((await started()).status.state, 'failed');
});

test('stopped, it takes the subscriber off the platform and sets no more timers', async () => {
  const registration = await started();
  registration.stop();
  assert.equal(sent.at(-1)!.request.get('expires'), '0');
  assert.equal(clock.pending, 0);
});

test('stopped before it was registered, it says nothing', async () => {
  answers = () => null;
  const registration = await started();
  const before = sent.length;
  registration.stop();
  assert.equal(sent.length, before);
  assert.equal(clock.pending, 0);
});
