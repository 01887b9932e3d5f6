import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Header, Response } from '../message/index.ts';
import { makeInvite, type RequestParts } from '../testing.ts';
import { SessionBench } from './testing.ts';

const REQUIRED: Header = ['require', '100rel'];
/** Half of 2^31 − 1, as the bench's random number wants it. */
const RSEQ = '1073741824';

/** A call that nobody has answered for a while. */
function ringing(invite: RequestParts = { headers: [REQUIRED] }, transport: 'udp' | 'tcp' = 'udp'): SessionBench {
  const bench = new SessionBench(transport, makeInvite(invite));
  bench.clock.advanceTo(200);
  return bench;
}

function prack(bench: SessionBench, rack: string, sequence = 2, parts: RequestParts = {}): number {
  bench.flow.take();
  bench.receive('PRACK', sequence, { headers: [['rack', rack]], ...parts });
  return bench.flow.takeResponse().status;
}

describe('ringing', () => {
  test('is told just before the transaction would say 100, once', () => {
    const bench = ringing({});
    bench.session.ring();
    assert.deepEqual(bench.flow.timeline, ['190 180']);
    assert.equal(bench.flow.takeResponse().get('rseq'), null);
  });

  test('is not told of a call that is answered sooner', () => {
    const bench = new SessionBench();
    bench.session.accept('answer');
    bench.acknowledge();
    bench.clock.advanceTo(10_000);
    assert.deepEqual(bench.flow.timeline, ['0 200']);
  });

  for (const [name, headers] of [
    ['requires', [REQUIRED]],
    ['supports', [['supported', 'timer, 100REL'] as const]],
  ] as const) {
    test(`is told reliably to who ${name} it (RFC 3262)`, () => {
      const response = ringing({ headers }).flow.takeResponse();
      assert.deepEqual([response.status, response.get('require'), response.get('rseq')], [180, '100rel', RSEQ]);
    });
  }

  test('without an offer in the INVITE is told as it may be: such a response would have to have ours', () => {
    assert.deepEqual(ringing({ headers: [REQUIRED], body: '' }).flow.timeline, ['200 100']);
    const supported = ringing({ headers: [['supported', '100rel']], body: '' });
    assert.equal(supported.flow.takeResponse().get('rseq'), null);
  });
});

for (const transport of ['udp', 'tcp'] as const) {
  describe(`a reliable 180 over ${transport}`, () => {
    test('comes again until its PRACK', () => {
      const bench = ringing(undefined, transport);
      bench.clock.advanceTo(1_000);
      assert.deepEqual(bench.flow.timeline, ['190 180', '690 180']);
      assert.equal(prack(bench, `${RSEQ} 1 INVITE`), 200);
      bench.clock.advanceTo(30_000);
      assert.deepEqual([bench.flow.timeline.length, bench.retransmissions], [3, 1]);
      bench.session.accept('answer');
      assert.equal(bench.flow.takeResponse().status, 200);
    });

    test('without a PRACK ends the call after 64·T1: 504', () => {
      const bench = ringing(undefined, transport);
      bench.clock.advanceTo(32_190);
      const tries = [190, 690, 1_690, 3_690, 7_690, 15_690, 31_690].map(atMs => `${atMs} 180`);
      assert.deepEqual(bench.flow.timeline, [...tries, '32190 504']);
      assert.deepEqual(bench.ends, [{ by: 'failure', reason: 'the ringing was not acknowledged' }]);
    });
  });
}

describe('a PRACK', () => {
  for (const [name, rack] of [
    ['another response', '7 1 INVITE'],
    ['another INVITE', `${RSEQ} 2 INVITE`],
    ['another method', `${RSEQ} 1 UPDATE`],
    ['nothing', ''],
  ] as const) {
    test(`that names ${name} is answered 481`, () => {
      assert.equal(prack(ringing(), rack), 481);
    });
  }

  test('is answered 481 when it comes again as a new request, or when nothing was to be acknowledged', () => {
    const bench = ringing();
    assert.deepEqual([prack(bench, `${RSEQ} 1 INVITE`, 2), prack(bench, `${RSEQ} 1 INVITE`, 3)], [200, 481]);
    assert.equal(prack(ringing({}), `${RSEQ} 1 INVITE`), 481);
  });

  test('with an offer has to wait for the answer to the first', () => {
    const bench = ringing();
    const headers: Header[] = [
      ['rack', `${RSEQ} 1 INVITE`],
      ['content-type', 'application/sdp'],
    ];
    assert.equal(prack(bench, '', 2, { headers, body: 'offer' }), 500);
  });

  test('may come after the answer, which stops the ringing', () => {
    const bench = ringing();
    bench.session.accept('answer');
    bench.acknowledge();
    bench.clock.advanceTo(10_000);
    assert.deepEqual(bench.flow.timeline, ['190 180', '200 200']);
    assert.equal(prack(bench, `${RSEQ} 1 INVITE`), 200);
  });

  test('is no longer waited for after a CANCEL', () => {
    const bench = ringing();
    bench.session.cancel(bench.invite);
    bench.flow.take();
    bench.clock.advanceTo(20_000);
    const sent = bench.flow.take().map(message => (message as Response).status);
    assert.ok(
      sent.every(status => status === 487),
      String(sent),
    );
  });
});
