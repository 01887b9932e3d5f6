import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Header } from '../message/index.ts';
import { makeInvite } from '../testing.ts';
import { SessionBench } from './testing.ts';

describe('UPDATE (RFC 3311)', () => {
  test('with an offer is answered once, as a re-INVITE is, and wants no ACK', () => {
    const bench = new SessionBench('udp', makeInvite({ headers: [['supported', 'timer']] })).running();
    bench.receive('UPDATE', 2, { body: 'hold' });
    assert.equal(bench.reinvite?.offer, 'hold');
    bench.reinvite.accept('held');
    bench.reinvite.accept('twice');
    const response = bench.flow.takeResponse();
    assert.deepEqual(
      [response.status, response.body.toString(), response.get('content-type'), response.get('contact')],
      [200, 'held', 'application/sdp', '<sip:news@192.0.2.1>'],
    );
    bench.clock.advanceTo(100_000);
    assert.deepEqual([bench.flow.take(), bench.events], [[], []]);
  });

  test('with an offer that is refused leaves the call as it was', () => {
    const bench = new SessionBench().running();
    bench.receive('UPDATE', 2, { body: 'other' });
    bench.reinvite?.reject({ status: 488 });
    assert.deepEqual([bench.flow.takeResponse().status, bench.ends], [488, []]);
  });

  test('without an offer is answered at once, also before the call is', () => {
    const bench = new SessionBench();
    bench.receive('UPDATE', 2);
    assert.equal(bench.flow.takeResponse().status, 200);
    bench.session.accept('answer');
    assert.equal(bench.flow.takeResponse().status, 200);
    assert.equal(bench.reinvite, null);
  });

  for (const [name, prepare] of [
    ['before the call is answered', () => undefined],
    ['before the ACK', (bench: SessionBench) => bench.session.accept('answer')],
    ['while another offer is unanswered', (bench: SessionBench) => bench.running().receive('UPDATE', 2, { body: 'a' })],
  ] as const) {
    test(`with an offer ${name} is to come back in a moment (§5.2)`, () => {
      const bench = new SessionBench();
      prepare(bench);
      bench.flow.take();
      bench.reinvite = null;
      bench.receive('UPDATE', 5, { body: 'offer' });
      const response = bench.flow.takeResponse();
      assert.deepEqual([response.status, response.get('retry-after'), bench.reinvite], [500, '1', null]);
    });
  }

  test('unanswered at a BYE is answered 487', () => {
    const bench = new SessionBench().running();
    bench.receive('UPDATE', 2, { body: 'hold' });
    bench.session.hangUp({ protocol: 'SIP', cause: 480, text: 'Off air' });
    assert.equal(bench.flow.takeResponse().status, 487);
  });

  test('moves the target', () => {
    const bench = new SessionBench().running();
    const contact: Header = ['contact', '<sip:moved@198.51.100.1>'];
    bench.receive('UPDATE', 2, { headers: [contact] });
    bench.session.hangUp({ protocol: 'SIP', cause: 480, text: 'Off air' });
    assert.equal(bench.requests[0]?.uri, 'sip:moved@198.51.100.1');
  });
});
