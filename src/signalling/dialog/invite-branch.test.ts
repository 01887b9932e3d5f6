import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Header, respond } from '../message/index.ts';
import { CallBench, type CallParts } from './testing-client.ts';

const CAUSE = { protocol: 'SIP', cause: 480, text: 'Off air' } as const;
const ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"';
const OK = { body: 'their answer' };

const started = (parts: CallParts = {}) => new CallBench(parts).start();

describe('hanging up before the answer (RFC 3261 §9.1)', () => {
  test('waits with CANCEL for a provisional response', async () => {
    const bench = await started();
    bench.session.hangUp(CAUSE);
    bench.session.hangUp(CAUSE);
    assert.deepEqual(bench.happened(), ['0 settled', '0 ended by us']);
    bench.clock.advanceTo(400);
    bench.respond(100);
    bench.respond(180);
    const { method, uri, headers } = bench.last('CANCEL');
    assert.deepEqual([method, uri], ['CANCEL', 'sip:bob@a']);
    assert.deepEqual(headers.slice(0, -1), [
      ['via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1'],
      ['max-forwards', '70'],
      ['from', '<sip:news@192.0.2.1>;tag=ours'],
      ['to', '<sip:bob@example.org>'],
      ['call-id', 'call-out'],
      ['cseq', '1 CANCEL'],
      ['reason', 'SIP;cause=480;text="Off air"'],
    ]);
    assert.deepEqual(bench.flow().timeline, ['0 INVITE', '400 CANCEL']);
    bench.respond(487);
    bench.clock.advanceTo(200_000);
    assert.deepEqual([bench.happened(), bench.clock.pending], [[], 0]);
  });

  test('needs no CANCEL when the first word is the last', async () => {
    const bench = await started();
    bench.session.hangUp(CAUSE);
    bench.respond(486);
    assert.deepEqual(bench.flow().timeline, ['0 INVITE', '0 ACK']);
  });

  for (const first of [null, 180]) {
    test(`acknowledges and ends a 200 that crosses the CANCEL (after ${first ?? 'nothing'})`, async () => {
      const bench = await started();
      if (first !== null) bench.respond(first);
      bench.session.hangUp(CAUSE);
      bench.clock.advanceTo(200);
      bench.respond(200, OK);
      const bye = bench.last('BYE');
      assert.deepEqual(
        [bye.uri, bye.get('cseq'), bye.get('reason')],
        ['sip:bob@phone-a', '2 BYE', 'SIP;cause=480;text="Off air"'],
      );
      bench.answer('BYE', respond(bye, 200));
      bench.respond(200, OK);
      assert.deepEqual(bench.flow().timeline.slice(-3), ['200 ACK', '200 BYE', '200 ACK']);
      bench.clock.advanceTo(200_000);
      assert.ok(!bench.happened().some(event => event.includes('accepted')));
      assert.deepEqual([bench.usages, bench.clock.pending], [[], 0]);
    });
  }

  test('no longer waits 64·T1 after the CANCEL', async () => {
    const bench = await started();
    bench.respond(180);
    bench.session.hangUp(CAUSE);
    bench.answer('CANCEL', respond(bench.last('CANCEL'), 200));
    assert.ok(bench.clock.pending > 0);
    bench.clock.advanceTo(32_000);
    assert.equal(bench.clock.pending, 0);
    bench.respond(200, OK);
    assert.ok(!bench.flow().timeline.some(entry => entry.endsWith('ACK')));
  });

  test('does not answer a challenge any more', async () => {
    const bench = await started({ password: 'secret' });
    bench.session.hangUp(CAUSE);
    bench.respond(407, { headers: [['proxy-authenticate', 'Digest realm="r", nonce="n"']] });
    assert.deepEqual(bench.flow().timeline, ['0 INVITE', '0 ACK']);
  });
});

describe('reliable provisional responses (RFC 3262)', () => {
  const reliable = (sequence: number): Header[] => [
    ['require', '100rel'],
    ['rseq', String(sequence)],
  ];
  const racks = (bench: CallBench) =>
    bench
      .sent()
      .filter(({ method }) => method === 'PRACK')
      .map(each => each.get('rack'));

  test('each get their PRACK in their dialog, in order and once', async () => {
    const bench = await started();
    bench.respond(183, { headers: reliable(7) });
    bench.respond(183, { headers: reliable(7) });
    bench.respond(180, { headers: reliable(9) });
    bench.respond(180, { headers: reliable(8) });
    bench.respond(180);
    assert.deepEqual(racks(bench), ['7 1 INVITE', '8 1 INVITE']);
    assert.deepEqual([bench.last('PRACK').uri, bench.last('PRACK').get('cseq')], ['sip:bob@phone-a', '3 PRACK']);
    bench.respond(200, OK);
    assert.equal(bench.last('ACK').get('cseq'), '1 ACK');
    bench.session.hangUp(CAUSE);
    assert.equal(bench.last('BYE').get('cseq'), '4 BYE');
  });

  test('may bring the answer, which the 200 need not repeat', async () => {
    const bench = await started();
    bench.respond(183, { headers: reliable(1), body: 'early answer' });
    bench.respond(200);
    assert.ok(bench.happened().includes('0 accepted early answer'));
  });

  test('of two phones behind a proxy are two dialogs', async () => {
    const bench = await started();
    bench.respond(180, { tag: 'x', headers: reliable(100) });
    bench.respond(180, { tag: 'y', headers: reliable(5) });
    bench.respond(180, { tag: 'x', headers: reliable(101) });
    assert.deepEqual(racks(bench), ['100 1 INVITE', '5 1 INVITE', '101 1 INVITE']);
    assert.deepEqual(
      bench.usages.map(({ dialog }) => dialog.remoteTag),
      ['x', 'y'],
    );
  });

  test('that are no number are as good as unreliable', async () => {
    const bench = await started();
    bench.respond(180, {
      headers: [
        ['require', '100rel'],
        ['rseq', 'many'],
      ],
    });
    assert.deepEqual(racks(bench), []);
  });
});

describe('an early dialog', () => {
  test('has our offer out: another one waits (491), and what needs no offer is answered', async () => {
    const bench = await started();
    bench.respond(180);
    assert.equal(bench.receive('UPDATE', 1, { body: 'offer' }).takeResponse().status, 491);
    assert.equal(bench.receive('OPTIONS', 2).takeResponse().status, 200);
  });

  test('that its phone ends is not the call: what is answered in it is ended', async () => {
    const bench = await started();
    bench.respond(180);
    const flow = bench.receive('BYE', 1);
    bench.respond(200, OK);
    assert.deepEqual(flow.timeline, ['0 200', '0 ACK', '0 BYE']);
    assert.deepEqual(bench.happened(), ['0 progress 180', '0 settled', '0 refused 480']);
  });

  test('is one of a few, whatever the network makes up', async () => {
    const bench = await started();
    for (let phone = 0; phone < 100; phone++) bench.respond(180, { tag: `t${phone}` });
    assert.equal(bench.usages.length, 16);
    for (let phone = 0; phone < 100; phone++) bench.respond(200, { tag: `t${phone}` });
    assert.equal(bench.sent().filter(({ method }) => method === 'BYE').length, 15);
  });
});

describe('several answers to one INVITE (RFC 3261 §13.2.2.4)', () => {
  test('the first is the call, the others are acknowledged and ended', async () => {
    const bench = await started();
    bench.respond(180, { tag: 'x' });
    bench.respond(180, { tag: 'y' });
    bench.respond(200, { tag: 'y', body: 'answer of y' });
    bench.clock.advanceTo(30);
    bench.respond(200, { tag: 'x', body: 'answer of x' });
    assert.deepEqual(bench.happened().slice(2), ['0 settled', '0 accepted answer of y']);
    const [first, second] = bench.sent().filter(({ method }) => method === 'ACK');
    assert.deepEqual([first?.toTag, second?.toTag], ['y', 'x']);
    const bye = bench.last('BYE');
    assert.deepEqual([bye.toTag, bye.get('reason')], ['x', ELSEWHERE]);
    bench.respond(200, { tag: 'x', body: 'answer of x' });
    assert.deepEqual(bench.flow().timeline.slice(-2), ['30 BYE', '30 ACK']);
    assert.deepEqual(
      bench.usages.map(({ dialog }) => dialog.remoteTag),
      ['y'],
    );
  });
});

describe('a challenge', () => {
  const challenge = (nonce: string): Header[] => [
    ['proxy-authenticate', `Digest realm="r", nonce="${nonce}", qop="auth"`],
  ];

  test('is answered with the password, in an INVITE of the next number, as is the ACK', async () => {
    const bench = await started({ password: 'secret' });
    bench.respond(407, { headers: challenge('n1') });
    const invite = bench.last('INVITE');
    assert.equal(invite.get('cseq'), '2 INVITE');
    assert.match(invite.get('proxy-authorization') ?? '', /username="news".*nonce="n1".*nc=00000001/);
    bench.respond(200, OK);
    assert.equal(bench.last('ACK').get('proxy-authorization'), invite.get('proxy-authorization'));
    assert.equal(bench.last('ACK').get('cseq'), '2 ACK');
    bench.session.hangUp(CAUSE);
    assert.match(bench.last('BYE').get('proxy-authorization') ?? '', /nonce="n1".*nc=00000002/);
    bench.answer('BYE', respond(bench.last('BYE'), 407, { headers: challenge('n2') }));
    assert.match(bench.last('BYE').get('proxy-authorization') ?? '', /nonce="n2".*nc=00000001/);
    assert.equal(bench.last('BYE').get('cseq'), '4 BYE');
  });

  test('that the password does not meet is the end', async () => {
    const bench = await started({ password: 'wrong' });
    for (const nonce of ['n1', 'n2', 'n3']) bench.respond(407, { headers: challenge(nonce) });
    assert.deepEqual(bench.happened(), ['0 settled', '0 refused 407']);
    assert.equal(bench.sent().filter(({ method }) => method === 'INVITE').length, 3);
  });

  test('without a password is a refusal', async () => {
    const bench = await started();
    bench.respond(401, { headers: [['www-authenticate', 'Digest realm="r", nonce="n"']] });
    assert.deepEqual(bench.happened(), ['0 settled', '0 refused 401']);
  });
});

describe('the timer of a session that we called (RFC 4028)', () => {
  test('is longer when a 422 wants it, once', async () => {
    const bench = await started();
    bench.respond(422, { headers: [['min-se', '900']] });
    const invite = bench.last('INVITE');
    assert.deepEqual([invite.get('session-expires'), invite.get('min-se')], ['900;refresher=uac', '900']);
    bench.respond(422, { headers: [['min-se', '1800']] });
    assert.deepEqual(bench.happened(), ['0 settled', '0 refused 422']);
  });

  test('has us refresh with our offer, and end what nobody refreshes', async () => {
    const bench = await started();
    bench.respond(200, {
      ...OK,
      headers: [
        ['session-expires', '120;refresher=uac'],
        ['require', 'timer'],
      ],
    });
    bench.clock.advanceTo(60_000);
    const refresh = bench.last('INVITE');
    assert.deepEqual([refresh.get('cseq'), refresh.body.toString()], ['2 INVITE', 'our offer']);
    bench.clock.advanceTo(87_999);
    assert.deepEqual(bench.ends, []);
    bench.clock.advanceTo(88_000);
    assert.equal(bench.last('BYE').get('reason'), 'SIP;cause=408;text="Session timer expired"');
    assert.equal(bench.ends.length, 1);
  });

  test('leaves it to the peer that says so', async () => {
    const bench = await started();
    bench.respond(200, {
      ...OK,
      headers: [
        ['session-expires', '90;refresher=uas'],
        ['require', 'timer'],
      ],
    });
    bench.clock.advanceTo(59_999);
    assert.deepEqual(bench.ends, []);
    bench.clock.advanceTo(60_000);
    assert.deepEqual(bench.ends, [{ by: 'failure', reason: 'the session was not refreshed' }]);
  });

  test('waits longer than the other when both ask at once, since the Call-ID is ours (RFC 3261 §14.1)', async () => {
    const bench = await started();
    bench.respond(200, { ...OK, headers: [['session-expires', '120;refresher=uac']] });
    bench.clock.advanceTo(60_000);
    bench.answer('INVITE', respond(bench.last('INVITE'), 491));
    bench.clock.advanceTo(63_049);
    assert.equal(bench.last('INVITE').get('cseq'), '2 INVITE');
    bench.clock.advanceTo(63_050);
    assert.equal(bench.last('INVITE').get('cseq'), '3 INVITE');
  });
});
