import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint } from './endpoint.ts';
import { type Request, respond, serialise } from './message/index.ts';
import { FakeClock, FakeFlow, makeInvite, makeRequest } from './testing.ts';
import { Trace } from './trace/index.ts';
import type { IncomingCall, OutgoingCallHandlers } from './types.ts';

/** A flow that tells what is sent over it, as the real ones do. */
class TellingFlow extends FakeFlow {
  override send(bytes: Buffer): boolean {
    const sent = super.send(bytes);
    if (sent) endpoint.sent(this, bytes);
    return sent;
  }
}

const SILENT: OutgoingCallHandlers = {
  progress: () => undefined,
  accepted: () => undefined,
  refused: () => undefined,
  answered: () => undefined,
  reinvite: () => undefined,
  ended: () => undefined,
};
/** For how long a call that ended is remembered; longer than any transaction, shorter than the session timer. */
const LATER_MS = 100_000;

let clock: FakeClock;
let flow: TellingFlow;
let trace: Trace;
let endpoint: SignallingEndpoint;
let calls: IncomingCall[];

beforeEach(() => {
  clock = new FakeClock();
  flow = new TellingFlow(clock);
  calls = [];
  trace = new Trace({ clock, nowUnixMs: () => clock.nowMs(), redact: text => text, limits: { endedMs: LATER_MS } });
  endpoint = new SignallingEndpoint({
    clock,
    log: createLogger({ level: 'silent' }),
    guests: true,
    handlers: { invite: call => void calls.push(call) },
    trace,
  });
});

const receive = (message: Request) => endpoint.receive(flow, serialise(message));

/** What each message of a call is: `in INVITE`, `out 200`. */
const ladder = (id: string) =>
  trace.find(id)?.messages.map(({ direction, startLine }) => {
    const [first, second] = startLine.split(' ');
    return `${direction} ${first === 'SIP/2.0' ? second : first}`;
  }) ?? null;

describe('the endpoint traces', () => {
  test('a call that comes in, from its INVITE to the answer to its BYE, until its time is over', () => {
    receive(makeInvite());
    const { id } = calls[0]!;
    calls[0]!.accept('answer');
    const to = `<sip:news@192.0.2.1>;tag=${id}`;
    receive(makeRequest('ACK', { to, branch: 'z9hG4bK-ack' }));
    const live = ['in INVITE', 'out 200', 'in ACK'];
    assert.deepEqual(ladder(id), live);
    clock.advance(1);
    receive(makeRequest('BYE', { to, sequence: 2 }));
    assert.deepEqual(ladder(id), [...live, 'in BYE', 'out 200']);
    clock.advance(LATER_MS);
    assert.equal(ladder(id), null);
  });

  test('a call that is refused', () => {
    receive(makeInvite());
    calls[0]!.reject({ status: 404 });
    assert.deepEqual(ladder(calls[0]!.id), ['in INVITE', 'out 404']);
    clock.advance(LATER_MS);
    assert.equal(ladder(calls[0]!.id), null);
  });

  test('nothing of a request that is no call', () => {
    receive(makeRequest('OPTIONS'));
    receive(makeRequest('REGISTER', { headers: [['contact', '<sip:ann@192.0.2.7>']] }));
    assert.equal(trace.bytes, 0);
  });

  test('a call of our own, also after it was answered, until its time is over', async () => {
    receive(
      makeRequest('REGISTER', { to: '<sip:bob@example.org>', headers: [['contact', '<sip:bob@192.0.2.7:5062>']] }),
    );
    flow.take();
    const identity = { uri: 'sip:clock@example.org', registration: null };
    const request = {
      to: 'sip:bob@example.org',
      identity,
      offer: async () => 'offer',
      replaces: null,
      referredBy: null,
    };
    const { id } = endpoint.call({ ...request, handlers: SILENT });
    await new Promise(resolve => setImmediate(resolve));
    const invite = flow.takeRequest();
    const answer = respond(invite, 200, { toTag: 'bob', headers: [['contact', '<sip:bob@192.0.2.7:5062>']] });
    endpoint.receive(flow, serialise(answer));
    const live = ['out INVITE', 'in 200', 'out ACK'];
    assert.deepEqual(ladder(id), live);
    clock.advance(LATER_MS);
    assert.deepEqual(ladder(id)?.slice(0, 3), live);
    const bye = { from: '<sip:bob@example.org>;tag=bob', to: invite.get('from')!, callId: invite.callId };
    receive(makeRequest('BYE', bye));
    assert.deepEqual(ladder(id)?.slice(-2), ['in BYE', 'out 200']);
    clock.advance(LATER_MS);
    assert.equal(ladder(id), null);
  });

  test('a call of our own that reaches nobody, as one without messages', async () => {
    const identity = { uri: 'sip:clock@example.org', registration: null };
    const request = {
      to: 'sip:bob@example.org',
      identity,
      offer: async () => 'offer',
      replaces: null,
      referredBy: null,
    };
    const { id } = endpoint.call({ ...request, handlers: SILENT });
    await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual(ladder(id), []);
    clock.advance(LATER_MS);
    assert.equal(ladder(id), null);
  });
});
