import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint } from './endpoint.ts';
import { type Header, type Request, type Response, serialise } from './message/index.ts';
import {
  authorization,
  FakeClock,
  FakeFlow,
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
let ended: string[];

function create(guests: boolean): void {
  clock = new FakeClock();
  flow = new FakeFlow(clock, 'tcp');
  calls = [];
  ended = [];
  endpoint = new SignallingEndpoint({
    clock,
    log: createLogger({ level: 'silent' }),
    guests,
    authentication: { realm: 'tv', credentials: memoryCredentials({ ann: 'secret', bob: 'secret' }) },
    handlers: {
      invite: call => {
        calls.push(call);
        call.handlers = {
          cancelled: () => undefined,
          answered: () => undefined,
          acknowledged: () => undefined,
          reinvite: ({ reject }) => reject({ status: 488 }),
          ended: end => ended.push(`${call.sipCallId} ${JSON.stringify(end)}`),
        };
      },
      look: () => ({ name: 'news', isOpen: true, title: 'News', viewers: calls.length, calls }),
    },
  });
}

beforeEach(() => create(true));

function exchange(request: Request, over = flow): Response[] {
  endpoint.receive(over, serialise(request));
  return over.take() as Response[];
}

/** An INVITE; with the user's password where one is asked for. Gives the refusal, if it is one. */
function invite(parts: RequestParts & { user?: string }, over = flow): Response | undefined {
  const branch = (step: string) => `z9hG4bK-${parts.callId}-${step}`;
  const [first] = exchange(makeInvite({ ...parts, branch: branch('first') }), over);
  if (first?.status !== 401) return first;
  const challenge = first.get('www-authenticate')!;
  const value = authorization(challenge, { method: 'INVITE', user: parts.user!, password: 'secret' });
  const headers: Header[] = [...(parts.headers ?? []), ['authorization', value]];
  return exchange(makeInvite({ ...parts, headers, sequence: 2, branch: branch('second') }), over)[0];
}

/** A call that is watched; gives the Replaces that takes it over. */
function watched(parts: { user?: string } = {}): string {
  const sequence = parts.user === undefined ? 1 : 2;
  assert.equal(invite({ ...parts, callId: 'old@phone' }), undefined);
  calls[0]!.accept('answer');
  const to = flow.takeResponse().get('to')!;
  exchange(makeRequest('ACK', { callId: 'old@phone', to, sequence, branch: 'z9hG4bK-ack' }));
  return `old@phone;to-tag=${calls[0]!.localTag};from-tag=ann`;
}

const taking = (replaces: string, user?: string, over = new FakeFlow(clock, 'tcp', '192.0.2.8')) =>
  invite({ ...(user !== undefined && { user }), callId: 'new', headers: [['replaces', replaces]] }, over);

describe('an INVITE with Replaces', () => {
  test('takes the place of a call, which ends once it is answered', () => {
    const replaces = watched();
    const other = new FakeFlow(clock, 'tcp', '192.0.2.8');
    const headers: Header[] = [
      ['require', 'replaces'],
      ['replaces', replaces],
    ];
    assert.equal(invite({ callId: 'new', uri: 'sip:somebody@192.0.2.1', headers }, other), undefined);
    assert.equal(calls[1]?.replaces, calls[0]?.id);
    assert.deepEqual([flow.take(), ended], [[], []]);
    calls[1]!.accept('answer');
    assert.equal(other.takeResponse().status, 200);
    const bye = flow.takeRequest();
    assert.deepEqual([bye.method, bye.get('reason')], ['BYE', 'SIP;cause=200;text="Replaced"']);
    assert.deepEqual(ended, ['old@phone {"by":"us","cause":{"protocol":"SIP","cause":200,"text":"Replaced"}}']);
  });

  test('leaves the call when it is refused, or cancelled', () => {
    const replaces = watched();
    taking(replaces);
    calls[1]!.reject({ status: 488 });
    calls[1]!.accept('too late');
    assert.deepEqual([flow.take(), ended], [[], []]);
  });

  test('says BYE to a call whose ACK is on its way once it is here', () => {
    invite({ callId: 'old@phone' });
    calls[0]!.accept('answer');
    const to = flow.takeResponse().get('to')!;
    taking(`old@phone;to-tag=${calls[0]!.localTag};from-tag=ann`);
    calls[1]!.accept('answer');
    assert.deepEqual(flow.take(), []);
    const [bye] = exchange(makeRequest('ACK', { callId: 'old@phone', to, branch: 'z9hG4bK-ack' }));
    assert.equal((bye as unknown as Request).method, 'BYE');
  });

  for (const [name, change, status] of [
    ['whose tag of ours is another', (replaces: string) => replaces.replace('to-tag=', 'to-tag=x'), 481],
    ['whose tag of the caller is another', (replaces: string) => `${replaces}x`, 481],
    [
      'whose tags are exchanged',
      (r: string) => r.replace('to-tag', 'x').replace('from-tag', 'to-tag').replace('x', 'from-tag'),
      481,
    ],
    ['of another Call-ID', (replaces: string) => `x${replaces}`, 481],
    ['that wants an early call, and this one is answered', (replaces: string) => `${replaces};early-only`, 486],
    ['without a tag', (replaces: string) => replaces.replace(/;from-tag.*/, ''), 400],
    ['without a Call-ID', (replaces: string) => replaces.replace('old@phone', ''), 400],
    ['of two calls', (replaces: string) => `${replaces}, ${replaces}`, 400],
  ] as const) {
    test(`${name} is refused: ${status}`, () => {
      const refusal = taking(change(watched()));
      assert.deepEqual([refusal?.status, calls.length, ended], [status, 1, []]);
      assert.ok(refusal?.toTag);
    });
  }

  test('of two headers is refused: 400', () => {
    const replaces = watched();
    const headers: Header[] = [
      ['replaces', replaces],
      ['replaces', replaces],
    ];
    assert.equal(invite({ callId: 'new', headers }, new FakeFlow(clock, 'tcp', '192.0.2.8'))?.status, 400);
  });

  test('of a call that is not answered is refused: 481', () => {
    invite({ callId: 'old' });
    assert.equal(taking(`old;to-tag=${calls[0]!.localTag};from-tag=ann`)?.status, 481);
  });

  test('of a call that is over is refused: 481', () => {
    const replaces = watched();
    calls[0]!.hangUp({ protocol: 'SIP', cause: 480, text: 'Off air' });
    assert.equal(taking(replaces)?.status, 481);
  });

  test('of a dialog that is no call is refused: 481', () => {
    const headers: Header[] = [['event', 'presence']];
    const [ok] = exchange(makeRequest('SUBSCRIBE', { callId: 'watch', headers }));
    assert.equal(taking(`watch;to-tag=${ok!.toTag};from-tag=ann`)?.status, 481);
  });

  test('finds the call of a phone that is too old to have a tag', () => {
    assert.equal(invite({ callId: 'old', from: '<sip:ann@example.org>' }), undefined);
    calls[0]!.accept('answer');
    assert.equal(taking(`old;to-tag=${calls[0]!.localTag};from-tag=0`), undefined);
  });
});

describe('a subscriber', () => {
  beforeEach(() => create(false));

  test('takes over his own call', () => {
    assert.equal(taking(watched({ user: 'ann' }), 'ann'), undefined);
    calls[1]!.accept('answer');
    assert.equal(ended.length, 1);
  });

  test('finds in the lamp of his other phone all that it needs for that', () => {
    watched({ user: 'ann' });
    const phone = new FakeFlow(clock, 'tcp', '192.0.2.8');
    const subscribe = (callId: string, sequence: number, headers: Header[] = []) => {
      const own: Header[] = [['event', 'dialog'], ...headers];
      const branch = `z9hG4bK-${callId}-${sequence}`;
      return exchange(makeRequest('SUBSCRIBE', { callId, branch, sequence, headers: own }), phone);
    };
    const lampOf = (user: string) => {
      const challenge = subscribe(user, 1)[0]!.get('www-authenticate')!;
      const value = authorization(challenge, { method: 'SUBSCRIBE', user, password: 'secret' });
      return subscribe(user, 2, [['authorization', value]])[1]!.body.toString();
    };
    const lamp = lampOf('ann');
    const [callId, to, from] = ['call-id', 'local-tag', 'remote-tag'].map(
      name => new RegExp(` ${name}="([^"]*)"`).exec(lamp)![1],
    );
    assert.equal(taking(`${callId};to-tag=${to};from-tag=${from}`, 'ann', phone), undefined);
    assert.equal(calls[1]?.replaces, calls[0]?.id);
    assert.doesNotMatch(lampOf('bob'), /call-id|tag|identity/);
  });

  test("does not take over another's, whose tags he knows", () => {
    assert.equal(taking(watched({ user: 'ann' }), 'bob')?.status, 403);
    assert.deepEqual([calls.length, ended], [1, []]);
  });
});
