import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createLogger } from '../../observe/index.ts';
import { SignallingEndpoint } from '../endpoint.ts';
import { type Header, Request, type Response, respond, serialise } from '../message/index.ts';
import { FakeClock, FakeFlow, makeInvite, makeRequest } from '../testing.ts';
import type { IncomingCall, Referral } from '../types.ts';

const REFER_TO: Header = ['refer-to', '<sip:bob@example.org>'];

let clock: FakeClock;
let flow: FakeFlow;
let endpoint: SignallingEndpoint;
let call: IncomingCall;
let referral: Referral | null;
let to: string;
let sequence: number;

beforeEach(() => {
  clock = new FakeClock();
  flow = new FakeFlow(clock);
  referral = null;
  sequence = 1;
  endpoint = new SignallingEndpoint({
    clock,
    log: createLogger({ level: 'silent' }),
    guests: true,
    handlers: {
      invite: incoming => {
        call = incoming;
        call.handlers = {
          cancelled: () => undefined,
          answered: () => undefined,
          acknowledged: () => undefined,
          reinvite: () => undefined,
          referred: wish => {
            referral = wish;
          },
          ended: () => undefined,
        };
      },
    },
  });
  endpoint.receive(flow, serialise(makeInvite()));
});

afterEach(() => endpoint.close());

/** The call is answered and acknowledged. */
function answered(): void {
  call.accept('answer');
  to = (flow.take().at(-1) as Response).get('to')!;
  endpoint.receive(flow, serialise(makeRequest('ACK', { to })));
}

/** A request in the call, and what comes back at once. */
function ask(method: string, headers: readonly Header[] = []): (Request | Response)[] {
  sequence++;
  endpoint.receive(flow, serialise(makeRequest(method, { to, sequence, headers, branch: `z9hG4bK-${sequence}` })));
  return flow.take();
}

const statusOf = ([response]: readonly (Request | Response)[]) => (response as Response).status;

/** The NOTIFYs among these, each answered 200: `active SIP/2.0 100 Trying`. */
function told(messages = flow.take(), status = 200): string[] {
  return messages.flatMap(message => {
    if (!(message instanceof Request) || message.method !== 'NOTIFY') return [];
    endpoint.receive(flow, serialise(respond(message, status)));
    assert.equal(message.get('content-type'), 'message/sipfrag;version=2.0');
    const state = message.get('subscription-state')!.replace(/;expires=\d+/, '');
    return [`${message.get('event')}: ${state}: ${message.body.toString().trim()}`];
  });
}

describe('a REFER in a call (RFC 3515)', () => {
  beforeEach(() => answered());

  test('is a wish of our user to judge; what becomes of it is told until it is final', () => {
    assert.deepEqual(ask('REFER', [REFER_TO, ['referred-by', '<sip:ann@example.org>']]), []);
    assert.deepEqual(
      [referral?.to, referral?.replaces, referral?.referredBy],
      ['sip:bob@example.org', null, '<sip:ann@example.org>'],
    );
    referral!.accept();
    const [accepted, ...rest] = flow.take();
    assert.equal((accepted as Response).status, 202);
    assert.deepEqual(told(rest), ['refer: active: SIP/2.0 100 Trying']);
    clock.advance(2_000);
    referral!.report(180, 'Ringing');
    assert.deepEqual(told(), ['refer: active: SIP/2.0 180 Ringing']);
    clock.advance(100);
    referral!.report(200, 'OK');
    referral!.report(487, 'late');
    assert.deepEqual(told(), ['refer: terminated;reason=noresource: SIP/2.0 200 OK']);
    clock.advance(400_000);
    assert.deepEqual(told(), []);
  });

  test('is told of though the call is over', () => {
    ask('REFER', [REFER_TO]);
    referral!.accept();
    told();
    assert.equal(statusOf(ask('BYE')), 200);
    referral!.report(200, 'OK');
    assert.deepEqual(told(), ['refer: terminated;reason=noresource: SIP/2.0 200 OK']);
  });

  test('is told of no more to whoever refuses to hear it', () => {
    ask('REFER', [REFER_TO]);
    referral!.accept();
    told(flow.take(), 481);
    clock.advance(2_000);
    referral!.report(180, 'Ringing');
    referral!.report(200, 'OK');
    assert.deepEqual(told(), []);
  });

  test('is not told of to who does not want to hear of it (RFC 4488)', () => {
    ask('REFER', [REFER_TO, ['refer-sub', 'false']]);
    referral!.accept();
    const response = flow.takeResponse();
    assert.deepEqual([response.status, response.get('refer-sub')], [202, 'false']);
    referral!.report(200, 'OK');
    assert.deepEqual(flow.take(), []);
  });

  test('may be listened to for longer, or no more', () => {
    ask('REFER', [REFER_TO]);
    referral!.accept();
    told();
    assert.equal(statusOf(ask('SUBSCRIBE', [['event', 'presence']])), 481);
    const [granted, ...rest] = ask('SUBSCRIBE', [
      ['event', 'refer'],
      ['expires', '0'],
    ]);
    assert.equal((granted as Response).status, 200);
    assert.deepEqual(told(rest), ['refer: terminated;reason=timeout: SIP/2.0 100 Trying']);
  });

  test('is one at a time; the next one has a name of its own', () => {
    ask('REFER', [REFER_TO]);
    assert.equal(statusOf(ask('REFER', [REFER_TO])), 491);
    referral!.accept();
    told();
    referral!.report(486, 'Busy\r\nHere');
    assert.deepEqual(told(), ['refer: terminated;reason=noresource: SIP/2.0 486 Busy Here']);
    ask('REFER', [REFER_TO]);
    referral!.accept();
    assert.deepEqual(told(), ['refer;id=4: active: SIP/2.0 100 Trying']);
  });

  test('is refused as our user says, and then another one may come', () => {
    ask('REFER', [REFER_TO]);
    referral!.reject({ status: 503, retryAfterSeconds: 30 });
    const response = flow.takeResponse();
    assert.deepEqual([response.status, response.get('retry-after')], [503, '30']);
    referral!.report(200, 'OK');
    ask('REFER', [REFER_TO]);
    referral!.reject({ status: 403 });
    assert.equal(flow.takeResponse().status, 403);
  });

  test('that is malformed is refused, and our user does not hear of it', () => {
    assert.equal(statusOf(ask('REFER')), 400);
    assert.equal(statusOf(ask('REFER', [['refer-to', '<tel:+15550100>']])), 416);
    assert.equal(referral, null);
  });

  test('is refused where our user wants none', () => {
    delete call.handlers!.referred;
    assert.equal(statusOf(ask('REFER', [REFER_TO])), 403);
  });

  test('leaves nothing when the endpoint closes', () => {
    ask('REFER', [REFER_TO]);
    referral!.accept();
    endpoint.close();
    clock.advance(400_000);
    referral!.report(200, 'OK');
    assert.equal(clock.pending, 0);
  });
});

test('a REFER before the answer is refused', () => {
  const { id } = call;
  to = `<sip:news@192.0.2.1>;tag=${id}`;
  assert.equal(statusOf(ask('REFER', [REFER_TO]).slice(-1)), 403);
});

test('a REFER outside a call is refused: nobody may have us call somebody', () => {
  const stranger = new FakeFlow(clock, 'udp', '192.0.2.99');
  endpoint.receive(stranger, serialise(makeRequest('REFER', { callId: 'other', headers: [REFER_TO] })));
  assert.equal(stranger.takeResponse().status, 403);
});
