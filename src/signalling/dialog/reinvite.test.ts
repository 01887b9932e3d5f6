import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Response } from '../message/index.ts';
import { SessionBench } from './testing.ts';

describe('a re-INVITE', () => {
  test('is accepted with a 200 that is sent again until its ACK', () => {
    const bench = new SessionBench().running();
    bench.receive('INVITE', 2, { body: 'hold' });
    assert.equal(bench.reinvite?.offer, 'hold');
    bench.clock.advanceTo(1_000);
    bench.reinvite.accept('held');
    bench.reinvite.accept('twice');
    bench.reinvite.reject({ status: 488 });
    bench.acknowledge(1);
    bench.clock.advanceTo(1_600);
    bench.acknowledge(2);
    bench.clock.advanceTo(100_000);
    assert.deepEqual(bench.flow.timeline.slice(1), ['200 100', '1000 200', '1500 200']);
    const [, response] = bench.flow.take() as Response[];
    assert.deepEqual([response!.body.toString(), response!.toTag], ['held', 'ours']);
    // The one timer left is the session's.
    assert.deepEqual([bench.events, bench.clock.pending], [[], 1]);
  });

  test('that is accepted and never acknowledged ends the call', () => {
    const bench = new SessionBench().running();
    bench.receive('INVITE', 2);
    bench.reinvite?.accept('answer');
    bench.clock.advanceTo(100_000);
    assert.deepEqual(bench.events, ['32000 sends BYE', '32000 ended']);
  });

  test('that is refused leaves the call as it was', () => {
    const bench = new SessionBench().running();
    bench.receive('INVITE', 2);
    bench.reinvite?.reject({ status: 488 });
    bench.reinvite?.accept('late');
    assert.equal(bench.flow.takeResponse().status, 488);
    bench.reinvite = null;
    bench.receive('INVITE', 3);
    assert.ok(bench.reinvite);
    assert.deepEqual(bench.events, []);
  });

  test('that is cancelled is answered 487, and leaves the call as it was', () => {
    const bench = new SessionBench().running();
    const transaction = bench.receive('INVITE', 2);
    bench.session.cancel(transaction);
    bench.session.cancel(transaction);
    bench.reinvite?.accept('late');
    assert.equal(bench.flow.takeResponse().status, 487);
    bench.reinvite = null;
    bench.receive('INVITE', 3);
    assert.deepEqual([bench.reinvite !== null, bench.events], [true, []]);
  });

  for (const [name, prepare, bench] of [
    [
      'while another is unanswered',
      (bench: SessionBench) => void bench.running().receive('INVITE', 2),
      new SessionBench(),
    ],
    ['before the answer to the first', (bench: SessionBench) => bench.session.ring(), new SessionBench()],
    ['before the ACK to the first', (bench: SessionBench) => bench.session.accept('answer'), new SessionBench()],
  ] as const) {
    test(`${name} is to come back in a moment (§14.2)`, () => {
      prepare(bench);
      bench.flow.take();
      bench.reinvite = null;
      bench.receive('INVITE', 5);
      const response = bench.flow.takeResponse();
      assert.deepEqual([response.status, response.get('retry-after'), bench.reinvite], [500, '1', null]);
    });
  }

  test('without an offer has ours in the 200, and the answer in the ACK', () => {
    const bench = new SessionBench().running();
    bench.receive('INVITE', 2, { body: '' });
    assert.equal(bench.reinvite?.offer, null);
    bench.reinvite.accept('our offer');
    assert.equal(bench.flow.takeResponse().body.toString(), 'our offer');
    bench.acknowledge(2, bench.flow, 'their answer');
    bench.acknowledge(2, bench.flow, 'again');
    assert.deepEqual(bench.events, ['0 answered their answer']);
    // The next one has an offer again.
    bench.receive('INVITE', 3);
    bench.reinvite?.accept('answer');
    bench.acknowledge(3);
    assert.deepEqual(bench.events.length, 1);
  });

  test('or an UPDATE with an offer is for later while ours has no answer: 491', () => {
    const bench = new SessionBench().running();
    bench.receive('INVITE', 2, { body: '' });
    bench.reinvite?.accept('our offer');
    bench.flow.take();
    for (const [sequence, method] of [
      [3, 'INVITE'],
      [4, 'UPDATE'],
    ] as const) {
      bench.receive(method, sequence, { body: 'theirs' });
      assert.equal(bench.flow.takeResponse().status, 491);
    }
  });

  test('unanswered at a BYE is answered 487', () => {
    const bench = new SessionBench().running();
    bench.receive('INVITE', 2);
    bench.receive('BYE', 3);
    const answers = bench.flow.take().map(message => [(message as Response).status, message.cseq?.method]);
    assert.deepEqual(answers, [
      [200, 'BYE'],
      [487, 'INVITE'],
    ]);
  });
});
