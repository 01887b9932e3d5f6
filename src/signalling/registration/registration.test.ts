import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Authenticator } from '../authentication/index.ts';
import { type Header, type Request, respond } from '../message/index.ts';
import { FakeClock, FakeFlow, memoryCredentials, travelled } from '../testing.ts';
import type { Connection, Flow, Target } from '../transport/index.ts';
import { type PlatformAccount, Registration, type RegistrationStatus } from './registration.ts';

const ACCOUNT: PlatformAccount = {
  registrar: { host: 'tv.example', port: null, transport: null },
  authorities: null,
  user: 'clock',
  password: 'secret',
  channel: 'clock',
  expiresSeconds: 600,
};

/** `silence` is none, `loss` a connection that closes before it. */
type Answer = { status: number; headers?: readonly Header[] } | 'silence' | 'loss';

const target = (port: number, transport: Target['transport'] = 'udp'): Target => ({
  transport,
  address: '192.0.2.1',
  port,
  serverName: 'tv.example',
});

let clock: FakeClock;
let targets: Target[];
let answers: (request: Request, flow: Flow) => Answer;
let connect: (target: Target) => Connection | Promise<Connection>;
let sent: { port: number; request: Request; flow: FakeFlow }[];
let kept: Flow[];
let changes: RegistrationStatus[];
let tokens: number;
let chance: number;

beforeEach(() => {
  clock = new FakeClock();
  targets = [target(5060)];
  connect = way;
  kept = [];
  answers = () => ({ status: 200 });
  sent = [];
  changes = [];
  tokens = 0;
  chance = 0;
});

/** A new way to a target. */
function way({ transport, address, port }: Target): { flow: FakeFlow } {
  const flow = Object.assign(new FakeFlow(clock, transport, address), { remotePort: port });
  return { flow: Object.assign(flow, { keepAlive: () => kept.push(flow) }) };
}

/** Starts it and waits until the look-up of its targets is done. */
async function started(account: Partial<PlatformAccount> = {}): Promise<Registration> {
  const registration = new Registration(
    { ...ACCOUNT, ...account },
    {
      clock,
      random: () => chance,
      token: () => `token${++tokens}`,
      resolve: async () => targets,
      connect: async each => connect(each),
      via: () => `SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK${sent.length}`,
      contact: (flow, user) => `<sip:${user}@192.0.2.9:${flow.localPort};transport=${flow.transport}>`,
      request: (request, flow, answered) => {
        sent.push({ port: flow.remotePort, request: travelled(request), flow: flow as FakeFlow });
        const answer = answers(sent.at(-1)!.request, flow);
        if (answer === 'loss') return lose(registration, flow);
        answered(answer === 'silence' ? null : respond(request, answer.status, { headers: answer.headers }));
      },
      changed: status => changes.push(status),
    },
  );
  registration.start();
  await settled();
  return registration;
}

/** Its connection closes. */
function lose(registration: Registration, flow: Flow): void {
  flow.close();
  registration.disconnected(flow);
}

/** Look-ups answer in a later turn. */
const settled = () => new Promise(resolve => setImmediate(resolve));

async function advance(ms: number): Promise<void> {
  clock.advance(ms);
  await settled();
}

test('a REGISTER says who, where, and for how long', async () => {
  await started({ user: 'tv 101', registrar: { host: '192.0.2.1', port: 5080, transport: null } });
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
  targets = [target(5060, 'tls'), target(5061, 'tcp'), target(5062, 'tcp'), target(5063), target(5064, 'tcp')];
  connect = each => (each.transport === 'tls' ? { fault: 'certificate has expired' } : way(each));
  const statuses: Record<number, Answer> = { 5061: 'loss', 5062: 'silence', 5063: { status: 503 } };
  answers = (_request, { remotePort }) => statuses[remotePort] ?? { status: 200 };
  const registration = await started();
  assert.deepEqual(
    sent.map(({ port }) => port),
    [5061, 5062, 5063, 5064],
  );
  assert.equal(registration.status.state, 'registered');
});

test('says why when no target answers, and when there is none', async () => {
  answers = () => 'silence';
  assert.deepEqual((await started()).status, { state: 'failed', reason: 'no answer' });
  connect = () => ({ fault: 'certificate has expired' });
  assert.deepEqual((await started()).status, { state: 'failed', reason: 'certificate has expired' });
  targets = [];
  assert.deepEqual((await started()).status, { state: 'failed', reason: 'the registrar has no address' });
});

describe('a connection', () => {
  beforeEach(() => {
    targets = [target(5060, 'tcp')];
  });

  test('is kept open once it is registered over', async () => {
    answers = () => ({ status: 403 });
    await started();
    assert.deepEqual(kept, []);
    answers = () => ({ status: 200 });
    await advance(2_000);
    assert.deepEqual(kept, [sent.at(-1)!.flow]);
  });

  test('that closes is replaced by another one, and its Contact with it', async () => {
    let localPort = 40_000;
    connect = each => ({ flow: Object.assign(way(each).flow, { localPort: ++localPort }) });
    const registration = await started();
    lose(registration, sent[0]!.flow);
    assert.deepEqual(registration.status, { state: 'failed', reason: 'the connection was closed' });
    await advance(999);
    assert.equal(sent.length, 1);
    await advance(1);
    assert.equal(registration.status.state, 'registered');
    assert.deepEqual(sent[1]!.request.list('contact'), [
      '<sip:clock@192.0.2.9:40002;transport=tcp>',
      '<sip:clock@192.0.2.9:40001;transport=tcp>;expires=0',
    ]);
    assert.equal(clock.pending, 1);
  });

  test('that closes is nothing to those who have another one', async () => {
    const registration = await started();
    lose(registration, new FakeFlow(clock, 'tcp'));
    assert.equal(registration.status.state, 'registered');
    registration.stop();
    lose(registration, sent[0]!.flow);
    assert.equal(clock.pending, 0);
  });

  test('that closes right after the answer is no way to be called', async () => {
    answers = (_request, flow) => {
      flow.close();
      return { status: 200 };
    };
    assert.deepEqual((await started()).status, { state: 'failed', reason: 'the connection was closed' });
  });

  test('on which nobody answers is closed, so that the next attempt has a new one', async () => {
    answers = () => 'silence';
    await started();
    assert.equal(sent[0]!.flow.closed, true);
  });

  test('that closes while we register again over it takes us to the next target', async () => {
    targets = [target(5060, 'tcp'), target(5061, 'tcp')];
    const registration = await started();
    answers = (_request, { remotePort }) => (remotePort === 5060 ? 'loss' : { status: 200 });
    await advance(420_000);
    assert.deepEqual(
      sent.map(({ port }) => port),
      [5060, 5060, 5061],
    );
    assert.deepEqual([registration.status.state, clock.pending], ['registered', 1]);
  });
});

test('stopped while a connection is opened, it says nothing', async () => {
  const { promise, resolve: opened } = Promise.withResolvers<Connection>();
  connect = () => promise;
  const registration = await started();
  registration.stop();
  opened(way(target(5060)));
  await settled();
  assert.deepEqual([sent, clock.pending], [[], 0]);
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
  answers = () => 'silence';
  const registration = await started();
  const before = sent.length;
  registration.stop();
  assert.equal(sent.length, before);
  assert.equal(clock.pending, 0);
});
