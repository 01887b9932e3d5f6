import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Header, Response } from '../message/index.ts';
import { FakeFlow, makeInvite } from '../testing.ts';
import type { EndCause } from '../types.ts';
import { SessionBench } from './testing.ts';

const CAUSE: EndCause = { protocol: 'SIP', cause: 480, text: 'Off air' };
const BYE_REASON = 'SIP;cause=480;text="Off air"';

/** When a 2xx goes out again until the ACK: after T1, doubled up to T2, for 64·T1. */
const RETRANSMISSIONS = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];

describe('an INVITE', () => {
  test('tells who calls whom', () => {
    const from = '"Ann \\"B\\"" <sip:%61nn@example.org>;tag=ann';
    const headers: Header[] = [['user-agent', 'Phone/1']];
    const { session } = new SessionBench('tcp', makeInvite({ uri: 'sip:n%65ws@192.0.2.1', from, headers }));
    assert.deepEqual(session.from, { uri: 'sip:%61nn@example.org', user: 'ann', displayName: 'Ann "B"' });
    assert.deepEqual(
      [session.target, session.offer, session.userAgent, session.sipCallId, session.transport, session.id],
      ['news', 'offer', 'Phone/1', 'call-1', 'tcp', 'ours'],
    );
    assert.deepEqual(
      [session.remoteAddress, session.remotePort, session.localAddress],
      ['192.0.2.7', 5062, '192.0.2.1'],
    );
  });

  test('without a body has no offer, and without a user no target', () => {
    const { session } = new SessionBench('udp', makeInvite({ uri: 'sip:192.0.2.1', body: '' }));
    assert.deepEqual([session.offer, session.target], [null, '']);
  });

  test('is answered 180 and 200 with one tag, Contact, Record-Route, abilities and the answer', () => {
    const routes: Header[] = [
      ['record-route', '<sip:p1;lr>'],
      ['record-route', '<sip:p2;lr>'],
    ];
    const { session, flow } = new SessionBench('udp', makeInvite({ headers: routes }));
    session.ring();
    session.accept('answer');
    const [ringing, ok] = flow.take() as [Response, Response];
    for (const response of [ringing, ok]) {
      assert.equal(response.toTag, 'ours');
      assert.equal(response.get('contact'), '<sip:news@192.0.2.1>');
      assert.deepEqual(response.list('record-route'), ['<sip:p1;lr>', '<sip:p2;lr>']);
    }
    assert.deepEqual([ringing.status, ringing.body.length], [180, 0]);
    assert.deepEqual([ok.status, ok.body.toString()], [200, 'answer']);
    assert.deepEqual([ok.get('allow'), ok.get('content-type')], ['INVITE, BYE', 'application/sdp']);
  });

  test('is refused with what its user says', () => {
    const { session, flow, events, ...bench } = new SessionBench();
    session.reject({ status: 503, reason: 'Full', retryAfterSeconds: 30 });
    const response = flow.takeResponse();
    assert.deepEqual([response.status, response.reason, response.toTag], [503, 'Full', 'ours']);
    assert.equal(response.get('retry-after'), '30');
    assert.deepEqual([events, bench.ends], [[], []]);
  });

  test('is answered once, whatever its user says afterwards', () => {
    const bench = new SessionBench();
    const { session, flow } = bench;
    session.reject({ status: 486 });
    session.accept('answer');
    session.ring();
    session.reject({ status: 404 });
    assert.equal(flow.takeResponse().status, 486);
    assert.equal(bench.over, 1);
    bench.clock.advanceTo(100_000);
    assert.deepEqual([bench.events, bench.requests], [[], []]);
  });

  test('that is cancelled is answered 487', () => {
    const { session, flow, events, ...bench } = new SessionBench();
    session.ring();
    flow.take();
    session.cancel(bench.invite);
    session.cancel(bench.invite);
    session.accept('answer');
    assert.deepEqual([flow.takeResponse().status, events, bench.ends], [487, ['0 cancelled'], []]);
  });

  test('is cancelled in vain once it was answered', () => {
    const { session, flow, events, invite } = new SessionBench();
    session.accept('answer');
    session.cancel(invite);
    assert.deepEqual([flow.takeResponse().status, events], [200, []]);
  });

  test('is over at a BYE before its answer, which leaves it 487 (§15.1.2)', () => {
    const bench = new SessionBench();
    bench.session.ring();
    bench.flow.take();
    bench.receive('BYE', 2);
    bench.session.accept('answer');
    const answers = bench.flow.take().map(message => [(message as Response).status, message.cseq?.method]);
    assert.deepEqual(answers, [
      [200, 'BYE'],
      [487, 'INVITE'],
    ]);
    assert.deepEqual([bench.ends, bench.over], [[{ by: 'peer', cause: null }], 1]);
  });
});

describe('a 200 to an INVITE', () => {
  // §13.3.1.4: on every transport, since the one beyond a proxy may be another.
  for (const transport of ['udp', 'tcp'] as const) {
    test(`is sent again over ${transport} until the ACK`, () => {
      const bench = new SessionBench(transport);
      bench.session.accept('answer');
      bench.clock.advanceTo(3_600);
      bench.acknowledge();
      bench.clock.advanceTo(100_000);
      assert.deepEqual(bench.flow.timeline, ['0 200', '500 200', '1500 200', '3500 200']);
      // The one timer left is the session's.
      assert.deepEqual([bench.events, bench.retransmissions, bench.clock.pending], [['3600 acknowledged'], 3, 1]);
    });

    test(`that nobody acknowledges over ${transport} ends the call with a BYE after 64·T1`, () => {
      const bench = new SessionBench(transport);
      bench.session.accept('answer');
      bench.clock.advanceTo(100_000);
      assert.deepEqual(bench.flow.timeline, ['0 200', ...RETRANSMISSIONS.map(atMs => `${atMs} 200`)]);
      assert.deepEqual(bench.events, ['32000 sends BYE', '32000 ended']);
      assert.equal(bench.requests[0]?.get('reason'), 'SIP;cause=408;text="No ACK"');
      assert.deepEqual(bench.ends, [{ by: 'failure', reason: 'the answer was not acknowledged' }]);
      assert.deepEqual([bench.over, bench.clock.pending], [1, 0]);
    });
  }

  test('is not acknowledged by the ACK to something else', () => {
    const bench = new SessionBench();
    bench.session.accept('answer');
    bench.acknowledge(2);
    assert.deepEqual(bench.events, []);
    bench.clock.advanceTo(500);
    assert.deepEqual(bench.flow.timeline, ['0 200', '500 200']);
  });

  test('has its ACK show the way to the peer', () => {
    const bench = new SessionBench();
    bench.session.accept('answer');
    const flow = new FakeFlow(bench.clock);
    bench.acknowledge(1, flow);
    assert.equal(bench.session.dialog.flow, flow);
  });

  test('is acknowledged once, however many ACKs come', () => {
    const bench = new SessionBench();
    bench.session.accept('answer');
    bench.acknowledge();
    bench.acknowledge();
    assert.deepEqual(bench.events, ['0 acknowledged']);
  });

  test('stops at a BYE that comes before the ACK', () => {
    const bench = new SessionBench();
    bench.session.accept('answer');
    bench.clock.advanceTo(100);
    bench.receive('BYE', 2);
    bench.clock.advanceTo(100_000);
    assert.deepEqual(bench.flow.timeline, ['0 200', '100 200']);
    assert.deepEqual(bench.events, ['100 ended']);
  });
});

describe('an INVITE without an offer (RFC 3261 §13.2.1)', () => {
  const offered = () => {
    const bench = new SessionBench('udp', makeInvite({ body: '' }));
    bench.session.accept('our offer');
    return bench;
  };

  test('has ours in the 200, and the answer in the ACK', () => {
    const bench = offered();
    assert.equal(bench.flow.takeResponse().body.toString(), 'our offer');
    bench.acknowledge(1, bench.flow, 'their answer');
    assert.deepEqual(bench.events, ['0 answered their answer', '0 acknowledged']);
  });

  test('whose ACK has no answer says so', () => {
    const bench = offered();
    bench.acknowledge();
    assert.deepEqual(bench.events, ['0 answered null', '0 acknowledged']);
  });

  test('whose answer will not do is over before it began', () => {
    const bench = offered();
    bench.session.handlers!.answered = () => bench.session.hangUp(CAUSE);
    bench.acknowledge(1, bench.flow, 'nonsense');
    assert.deepEqual(bench.events, ['0 sends BYE', '0 ended']);
  });
});

describe('hanging up', () => {
  test('says BYE with the cause', () => {
    const bench = new SessionBench().running();
    bench.session.hangUp(CAUSE);
    bench.session.hangUp(CAUSE);
    assert.deepEqual(bench.events, ['0 sends BYE', '0 ended']);
    assert.deepEqual([bench.requests[0]?.get('reason'), bench.requests[0]?.get('cseq')], [BYE_REASON, '1 BYE']);
    assert.deepEqual([bench.ends, bench.over], [[{ by: 'us', cause: CAUSE }], 1]);
  });

  test('before the ACK waits for it (§15)', () => {
    const bench = new SessionBench();
    bench.session.accept('answer');
    bench.session.hangUp(CAUSE);
    bench.session.hangUp({ ...CAUSE, text: 'another' });
    bench.clock.advanceTo(700);
    assert.deepEqual(bench.events, []);
    bench.acknowledge();
    assert.deepEqual(bench.events, ['700 acknowledged', '700 sends BYE', '700 ended']);
    assert.equal(bench.requests[0]?.get('reason'), BYE_REASON);
  });

  test('before an ACK that never comes ends at 64·T1 with one BYE', () => {
    const bench = new SessionBench();
    bench.session.accept('answer');
    bench.session.hangUp(CAUSE);
    bench.clock.advanceTo(100_000);
    assert.deepEqual(bench.events, ['32000 sends BYE', '32000 ended']);
  });

  test('with a re-INVITE unanswered refuses that, and a late answer to it changes nothing', () => {
    const bench = new SessionBench().running();
    bench.receive('INVITE', 2);
    bench.session.hangUp(CAUSE);
    assert.equal(bench.flow.takeResponse().status, 487);
    bench.reinvite?.accept('late');
    bench.clock.advanceTo(100_000);
    assert.deepEqual(bench.events, ['0 sends BYE', '0 ended']);
    const sent = bench.flow.take().map(message => (message as Response).status);
    assert.ok(
      sent.every(status => status === 487),
      String(sent),
    );
  });
});

test('a BYE is answered, and its Reason told', () => {
  const bench = new SessionBench().running();
  bench.receive('BYE', 2, { headers: [['reason', 'X;cause=1, Q.850;cause=16;text="Bye, \\"all\\""']] });
  assert.equal(bench.flow.takeResponse().status, 200);
  assert.deepEqual(bench.ends, [{ by: 'peer', cause: { protocol: 'Q.850', cause: 16, text: 'Bye, "all"' } }]);
  bench.session.hangUp(CAUSE);
  assert.deepEqual([bench.requests, bench.over], [[], 1]);
});

test('OPTIONS in the dialog is answered with what we can do', () => {
  const bench = new SessionBench().running();
  bench.receive('OPTIONS', 2);
  const response = bench.flow.takeResponse();
  assert.deepEqual([response.status, response.get('allow'), bench.events], [200, 'INVITE, BYE', []]);
});

describe('a connection that closes', () => {
  const disconnected = (bench: SessionBench) => {
    bench.flow.close();
    bench.session.disconnected();
    return bench;
  };

  test('ends the call of a phone that does not come back within 64·T1', () => {
    const bench = disconnected(new SessionBench('tcp').running());
    bench.clock.advanceTo(31_999);
    assert.deepEqual(bench.ends, []);
    bench.clock.advanceTo(32_000);
    assert.deepEqual(bench.ends, [{ by: 'failure', reason: 'the connection was closed' }]);
    // It may be there after all, and have another connection opened to it.
    assert.deepEqual(bench.events, ['32000 sends BYE', '32000 ended']);
    assert.deepEqual([bench.over, bench.clock.pending], [1, 0]);
  });

  test('means nothing when a request comes on another one', () => {
    const bench = disconnected(new SessionBench('tcp').running());
    const flow = new FakeFlow(bench.clock, 'tcp');
    bench.receive('OPTIONS', 2, {}, flow);
    bench.clock.advanceTo(100_000);
    assert.deepEqual(bench.ends, []);
    bench.session.hangUp(CAUSE);
    assert.equal(bench.session.dialog.flow, flow);
  });

  for (const [name, bench] of [
    [
      'behind a proxy, which closes idle ones',
      new SessionBench('tcp', makeInvite({ headers: [['via', 'SIP/2.0/UDP 10.0.0.1']] })),
    ],
    ['of a browser, whose media tells that it is there', new SessionBench('ws')],
  ] as const) {
    test(`means nothing ${name}`, () => {
      disconnected(bench.running());
      bench.clock.advanceTo(100_000);
      assert.deepEqual(bench.ends, []);
    });
  }

  test('leaves no timer when the call ends first', () => {
    const bench = new SessionBench('tcp').running();
    disconnected(disconnected(bench)).session.hangUp(CAUSE);
    bench.clock.advanceTo(32_000);
    assert.deepEqual([bench.ends.length, bench.clock.pending], [1, 0]);
  });
});

test('a session that is abandoned refuses what is unanswered and tells its user once', () => {
  const bench = new SessionBench('tcp');
  bench.session.abandon('the server closes');
  bench.session.abandon('again');
  assert.equal(bench.flow.takeResponse().status, 487);
  assert.deepEqual([bench.ends, bench.over], [[{ by: 'failure', reason: 'the server closes' }], 1]);
});
