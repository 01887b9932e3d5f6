import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Header } from '../message/index.ts';
import { CallBench, type CallParts } from './testing-client.ts';

const CAUSE = { protocol: 'SIP', cause: 480, text: 'Off air' } as const;
const ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"';
const OK = { body: 'their answer' };

const started = (parts: CallParts = {}) => new CallBench(parts).start();

describe('a call of ours', () => {
  test('is an INVITE with our offer, and what we can do', async () => {
    const bench = await started({ headers: [['referred-by', '<sip:ann@example.org>']] });
    const invite = bench.last('INVITE');
    assert.deepEqual([invite.uri, invite.body.toString()], ['sip:bob@a', 'our offer']);
    assert.deepEqual(invite.headers, [
      ['via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1'],
      ['max-forwards', '70'],
      ['from', '<sip:news@192.0.2.1>;tag=ours'],
      ['to', '<sip:bob@example.org>'],
      ['call-id', 'call-out'],
      ['cseq', '1 INVITE'],
      ['contact', '<sip:news@192.0.2.1>'],
      ['supported', '100rel, timer'],
      ['session-expires', '600;refresher=uac'],
      ['referred-by', '<sip:ann@example.org>'],
      ['content-type', 'application/sdp'],
      ['content-length', '9'],
    ]);
  });

  test('rings, is answered and acknowledged', async () => {
    const bench = await started();
    bench.respond(100);
    bench.clock.advanceTo(100);
    bench.respond(180);
    bench.clock.advanceTo(2_000);
    bench.respond(200, { ...OK, headers: [['record-route', '<sip:p2;lr>, <sip:p1;lr>']] });
    assert.deepEqual(bench.happened(), [
      '0 progress 100',
      '100 progress 180',
      '2000 settled',
      '2000 accepted their answer',
    ]);
    const ack = bench.last('ACK');
    assert.deepEqual(
      [ack.uri, ack.get('cseq'), ack.get('to')],
      ['sip:bob@phone-a', '1 ACK', '<sip:bob@example.org>;tag=to-a'],
    );
    // RFC 3261 §12.1.2: the route set is reversed for who called.
    assert.deepEqual(ack.list('route'), ['<sip:p1;lr>', '<sip:p2;lr>']);
    assert.deepEqual(bench.session.peer?.remoteAddress, '192.0.2.97');
  });

  for (const transport of ['udp', 'tcp'] as const) {
    test(`has the same ACK sent again with each 200 that comes again over ${transport}`, async () => {
      const bench = await started({ transport });
      bench.respond(200, OK);
      const [, first] = bench.sent();
      for (const atMs of [500, 1_500, 31_900]) {
        bench.clock.advanceTo(atMs);
        bench.respond(200, OK);
        assert.deepEqual(bench.sent().at(-1)?.headers, first?.headers);
      }
      assert.deepEqual(bench.flow().timeline, ['0 INVITE', '0 ACK', '500 ACK', '1500 ACK', '31900 ACK']);
      assert.deepEqual(bench.happened(), ['0 settled', '0 accepted their answer']);
    });
  }

  for (const [name, status] of [
    ['busy', 486],
    ['forbidden', 403],
    ['redirected where we do not go', 302],
    ['not there', 404],
  ] as const) {
    test(`that is ${name} is refused with that`, async () => {
      const bench = await started();
      bench.respond(180);
      bench.respond(status);
      await bench.settle();
      assert.deepEqual(bench.happened(), ['0 progress 180', '0 settled', `0 refused ${status}`]);
      assert.deepEqual([bench.usages, bench.last('ACK').get('cseq')], [[], '1 ACK']);
      bench.clock.advanceTo(200_000);
      assert.deepEqual([bench.happened(), bench.clock.pending], [[], 0]);
    });
  }

  test('that nobody answers is over at timer B', async () => {
    const bench = await started();
    bench.clock.advanceTo(100_000);
    assert.deepEqual(bench.happened(), ['32000 settled', '32000 refused 480']);
    assert.equal(bench.clock.pending, 0);
  });

  test('for whom there is no place is refused at once', async () => {
    const bench = await started({ rounds: [] });
    assert.deepEqual(bench.happened(), ['0 settled', '0 refused 480']);
    assert.equal(bench.clock.pending, 0);
  });

  test('whose connection closes is over', async () => {
    const bench = await started({ transport: 'tcp' });
    bench.respond(180);
    bench.session.disconnected(bench.flow());
    assert.deepEqual(bench.happened(), ['0 progress 180', '0 settled', '0 refused 480']);
    assert.deepEqual([bench.usages, bench.clock.pending], [[], 0]);
  });

  test('that rings too long is cancelled', async () => {
    const bench = await started();
    bench.respond(180);
    bench.clock.advanceTo(60_000);
    assert.deepEqual(bench.happened(), ['0 progress 180', '60000 settled', '60000 refused 408']);
    assert.equal(bench.last('CANCEL').get('reason'), 'SIP;cause=408;text="Nobody answered"');
    bench.respond(487);
    assert.equal(bench.last('ACK').get('cseq'), '1 ACK');
    assert.deepEqual(bench.happened(), []);
  });

  test('that is abandoned says nothing more', async () => {
    const bench = await started();
    bench.respond(180);
    bench.session.abandon('the server closes');
    bench.session.abandon('again');
    assert.deepEqual(bench.happened(), ['0 progress 180', '0 settled', '0 ended by failure']);
    assert.deepEqual([bench.usages, bench.clock.pending], [[], 0]);
  });
});

describe('asking in several places at once', () => {
  const rounds = [['a', 'b', 'c']];

  test('takes the first who answers and cancels the others, who hear that it was answered', async () => {
    const bench = await started({ rounds });
    for (const name of ['a', 'b']) bench.respond(180, {}, name);
    bench.respond(200, OK, 'b');
    assert.deepEqual(bench.happened(), ['0 progress 180', '0 progress 180', '0 settled', '0 accepted their answer']);
    assert.equal(bench.last('CANCEL', 'a').get('reason'), ELSEWHERE);
    // Who has said nothing yet is cancelled when he does.
    assert.deepEqual(
      bench.sent('c').map(({ method }) => method),
      ['INVITE'],
    );
    bench.respond(180, {}, 'c');
    assert.equal(bench.last('CANCEL', 'c').get('reason'), ELSEWHERE);
    for (const name of ['a', 'c']) bench.respond(487, {}, name);
    assert.deepEqual(bench.happened(), []);
    assert.deepEqual(
      bench.usages.map(({ dialog }) => dialog.remoteTag),
      ['to-b'],
    );
  });

  test('ends who answers as well', async () => {
    const bench = await started({ rounds });
    bench.respond(200, OK, 'a');
    bench.respond(200, OK, 'b');
    assert.equal(bench.last('BYE', 'b').get('reason'), ELSEWHERE);
    assert.deepEqual(bench.happened(), ['0 settled', '0 accepted their answer']);
  });

  for (const [name, statuses, told] of [
    ['the lowest class when all refuse', [503, 486, 600 - 1], 486],
    ['the first of a class', [486, 404, 480], 486],
  ] as const) {
    test(`is refused with ${name}`, async () => {
      const bench = await started({ rounds });
      for (const [index, status] of statuses.entries()) bench.respond(status, {}, 'abc'[index]);
      assert.deepEqual(bench.happened(), ['0 settled', `0 refused ${told}`]);
    });
  }

  test('is over when one refuses for everybody', async () => {
    const bench = await started({ rounds });
    bench.respond(180, {}, 'a');
    bench.respond(603, {}, 'b');
    assert.deepEqual(bench.happened(), ['0 progress 180', '0 settled', '0 refused 603']);
    assert.equal(bench.last('CANCEL', 'a').method, 'CANCEL');
  });

  test('goes on to the next round when all of one have refused', async () => {
    const bench = await started({ rounds: [['a', 'b'], ['c']] });
    bench.respond(486, {}, 'a');
    assert.equal(bench.sent('c').length, 0);
    bench.respond(480, {}, 'b');
    bench.respond(200, OK, 'c');
    assert.deepEqual(bench.happened(), ['0 settled', '0 accepted their answer']);
  });

  test('is given up in all of them', async () => {
    const bench = await started({ rounds: [['a', 'b'], ['c']] });
    bench.respond(180, {}, 'a');
    bench.session.hangUp(CAUSE);
    bench.respond(180, {}, 'b');
    for (const name of ['a', 'b']) bench.respond(487, {}, name);
    assert.deepEqual(
      ['a', 'b', 'c'].map(name => bench.sent(name).some(({ method }) => method === 'CANCEL')),
      [true, true, false],
    );
    assert.equal(bench.sent('c').length, 0);
  });
});

describe('a redirection (RFC 3261 §8.1.3.4)', () => {
  const redirections = { 'sip:bob@b': ['b'], 'sip:bob@c': ['c'] };
  const contacts = (...uris: string[]): Header[] => [['contact', uris.map(uri => `<${uri}>`).join(', ')]];

  test('is followed, once', async () => {
    const bench = await started({ redirections });
    bench.respond(302, { headers: contacts('sip:bob@b', 'sip:bob@nowhere') });
    await bench.settle();
    assert.deepEqual(bench.happened(), []);
    bench.respond(302, { headers: contacts('sip:bob@c') }, 'b');
    await bench.settle();
    assert.deepEqual(bench.happened(), ['0 settled', '0 refused 302']);
    assert.equal(bench.flows.has('c'), false);
  });

  test('that comes when the call is over leads nowhere', async () => {
    const bench = await started({ redirections });
    bench.respond(302, { headers: contacts('sip:bob@b') });
    bench.session.hangUp(CAUSE);
    await bench.settle();
    assert.equal(bench.flows.get('b')?.timeline.length ?? 0, 0);
  });
});

describe('in a call that we made', () => {
  const running = async () => {
    const bench = await started();
    bench.respond(180);
    bench.respond(200, OK);
    bench.happened();
    return bench;
  };

  test('a hold of the other is asked of our user', async () => {
    const bench = await running();
    const flow = bench.receive('INVITE', 1, {
      body: 'hold',
      headers: [
        ['content-type', 'application/sdp'],
        ['contact', '<sip:bob@moved>'],
      ],
    });
    assert.equal(bench.reinvite?.offer, 'hold');
    bench.reinvite?.accept('held');
    assert.equal(flow.takeResponse().body.toString(), 'held');
  });

  test('a BYE of the other is its end', async () => {
    const bench = await running();
    assert.equal(
      bench.receive('BYE', 1, { headers: [['reason', 'SIP;cause=200;text="x"']] }).takeResponse().status,
      200,
    );
    assert.deepEqual(bench.ends, [{ by: 'peer', cause: { protocol: 'SIP', cause: 200, text: 'x' } }]);
    assert.deepEqual(bench.usages, []);
    bench.session.hangUp(CAUSE);
    assert.ok(!bench.sent().some(({ method }) => method === 'BYE'));
  });

  test('hanging up says BYE with the cause', async () => {
    const bench = await running();
    bench.session.hangUp(CAUSE);
    bench.session.hangUp(CAUSE);
    assert.deepEqual(bench.happened(), ['0 ended by us']);
    assert.deepEqual(
      bench
        .sent()
        .filter(({ method }) => method === 'BYE')
        .map(each => each.get('reason')),
      ['SIP;cause=480;text="Off air"'],
    );
  });
});
