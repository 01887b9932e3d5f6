import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint, type SignallingOptions } from './endpoint.ts';
import { type Header, type Response, respond, serialise } from './message/index.ts';
import { FakeClock, FakeFlow, makeInvite, makeRequest } from './testing.ts';
import type { CallEnd } from './types.ts';

let clock: FakeClock;
let endpoint: SignallingEndpoint;
let ends: CallEnd[];

function newEndpoint(options: Partial<SignallingOptions> = {}): SignallingEndpoint {
  return new SignallingEndpoint({
    clock,
    log: createLogger({ level: 'silent' }),
    guests: true,
    handlers: {
      invite: call => {
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
    ...options,
  });
}

beforeEach(() => {
  clock = new FakeClock();
  ends = [];
  endpoint = newEndpoint();
});

/** A call that was accepted and acknowledged; gives the 200. */
function call(flow: FakeFlow, headers: readonly Header[] = []): Response {
  endpoint.receive(flow, serialise(makeInvite({ headers })));
  const ok = flow.take().at(-1) as Response;
  endpoint.receive(flow, serialise(makeRequest('ACK', { to: ok.get('to')!, branch: 'z9hG4bK-ack' })));
  return ok;
}

describe('a refresh of ours (RFC 4028)', () => {
  const timer: Header[] = [
    ['supported', 'timer'],
    ['session-expires', '90;refresher=uas'],
  ];

  test('as a re-INVITE has an ACK for each 200, which goes where the 200 says', () => {
    const flow = new FakeFlow(clock);
    call(flow, timer);
    clock.advance(45_000);
    const invite = flow.takeRequest();
    assert.deepEqual([invite.method, invite.body.toString()], ['INVITE', 'answer']);
    const ok = respond(invite, 200, { headers: [['contact', '<sip:moved@192.0.2.7:5062>']] });
    for (let times = 0; times < 2; times++) {
      endpoint.receive(flow, serialise(respond(invite, 180)));
      endpoint.receive(flow, serialise(ok));
      const ack = flow.takeRequest();
      assert.deepEqual([ack.method, ack.get('cseq'), ack.uri], ['ACK', '1 ACK', 'sip:moved@192.0.2.7:5062']);
      assert.notEqual(ack.get('via'), invite.get('via'));
    }
    clock.advance(40_000);
    assert.deepEqual([ends, endpoint.sizes.clientTransactions], [[], 0]);
  });

  for (const transport of ['udp', 'tcp'] as const) {
    test(`that nobody answers over ${transport} ends the call after 64·T1`, () => {
      const flow = new FakeFlow(clock, transport);
      call(flow, [['allow', 'INVITE, UPDATE']]);
      clock.advance(300_000);
      assert.ok(flow.timeline.at(-1)?.endsWith('UPDATE'));
      clock.advance(31_999);
      assert.deepEqual(ends, []);
      clock.advance(1);
      assert.deepEqual(ends, [{ by: 'failure', reason: 'the caller no longer answers' }]);
      assert.ok(flow.timeline.at(-1)?.endsWith('BYE'));
      clock.advance(100_000);
      const { clientTransactions, serverTransactions, dialogs } = endpoint.sizes;
      assert.deepEqual([clientTransactions, serverTransactions, dialogs, clock.pending], [0, 0, 0, 0]);
    });
  }

  test('has the intervals that the endpoint was made with', () => {
    endpoint = newEndpoint({ sessionTimer: { intervalSeconds: 20, minimumSeconds: 10 } });
    assert.equal(call(new FakeFlow(clock)).get('session-expires'), '20;refresher=uas');
  });
});
