import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeRequest } from '../testing.ts';
import { SubscriptionBench } from './testing.ts';

describe('a subscription', () => {
  test('is answered with its time, and told the state at once', () => {
    const bench = new SubscriptionBench();
    const ok = bench.subscribe([['record-route', '<sip:p1.example.org;lr>']], {}, true);
    assert.deepEqual(
      [ok.status, ok.get('expires'), ok.get('contact'), ok.get('record-route'), ok.toTag],
      [200, '600', '<sip:news@192.0.2.1>', '<sip:p1.example.org;lr>', 'ours'],
    );
    assert.deepEqual(bench.told, ['0 active;expires=600 off 0']);
    const { request } = bench.notifies[0]!;
    assert.deepEqual(
      ['event', 'contact', 'content-type', 'from', 'to'].map(name => request.get(name)),
      [
        'light',
        '<sip:news@192.0.2.1>',
        'text/light',
        '<sip:news@192.0.2.1>;tag=ours',
        '"Ann" <sip:ann@example.org>;tag=ann',
      ],
    );
  });

  test('is told what changes, with the time that is left', () => {
    const bench = new SubscriptionBench().running();
    bench.clock.advance(10_500);
    bench.state = 'on';
    bench.subscription.changed();
    assert.deepEqual(bench.told, ['10500 active;expires=590 on 1']);
  });

  test('is not told what is as it was, and the next document has the next number', () => {
    const bench = new SubscriptionBench().running();
    bench.clock.advance(5_000);
    bench.subscription.changed();
    bench.state = 'on';
    bench.subscription.changed();
    assert.deepEqual(bench.told, ['5000 active;expires=595 on 1']);
  });

  test('is told no more than once a second, the latest state alone', () => {
    const bench = new SubscriptionBench().running();
    bench.answersItself = true;
    for (let n = 1; n < 40; n++) {
      bench.clock.advance(100);
      bench.state = `on ${n}`;
      bench.subscription.changed();
    }
    assert.deepEqual(bench.told, [
      '1000 active;expires=599 on 9 1',
      '2000 active;expires=598 on 19 2',
      '3000 active;expires=597 on 29 3',
    ]);
  });

  test('is told nothing before it has answered', () => {
    const bench = new SubscriptionBench().running();
    bench.clock.advance(1_000);
    for (const state of ['on', 'red', 'green']) {
      bench.state = state;
      bench.subscription.changed();
      bench.clock.advance(2_000);
    }
    assert.deepEqual(bench.told, ['1000 active;expires=599 on 1']);
    bench.answer();
    assert.deepEqual(bench.told.slice(1), ['7000 active;expires=593 green 2']);
  });

  test('that flickers and is as it was is told nothing', () => {
    const bench = new SubscriptionBench().running();
    bench.state = 'on';
    bench.subscription.changed();
    bench.state = 'off';
    bench.clock.advance(60_000);
    assert.deepEqual(bench.told, []);
  });

  test('ends when its time is over', () => {
    const bench = new SubscriptionBench().running();
    bench.clock.advance(599_999);
    assert.deepEqual([bench.told, bench.over], [[], 0]);
    bench.clock.advance(1);
    assert.deepEqual([bench.told, bench.over], [['600000 terminated;reason=timeout off 1'], 1]);
    bench.answer();
    bench.subscription.changed();
    assert.deepEqual([bench.told.length, bench.over, bench.timers], [1, 1, 0]);
  });

  test('lives on when it is refreshed, and is told the state again', () => {
    const bench = new SubscriptionBench().running();
    bench.clock.advance(500_000);
    const ok = bench.subscribe([['expires', '120']], { sequence: 2 });
    assert.deepEqual([ok.status, ok.get('expires')], [200, '120']);
    assert.deepEqual(bench.told, ['500000 active;expires=120 off 1']);
    bench.answer();
    bench.clock.advance(119_999);
    assert.equal(bench.over, 0);
    bench.clock.advance(1);
    assert.deepEqual([bench.told.at(-1), bench.over], ['620000 terminated;reason=timeout off 2', 1]);
  });

  test('ends when it asks for no more time', () => {
    const bench = new SubscriptionBench().running();
    const ok = bench.subscribe([['expires', '0']], { sequence: 2 });
    assert.deepEqual([ok.status, ok.get('expires'), bench.over], [200, '0', 1]);
    assert.deepEqual(bench.told, ['0 terminated;reason=timeout off 1']);
  });

  test('may be for a look: it is told the state once', () => {
    const bench = new SubscriptionBench('tcp', { seconds: 0 });
    const ok = bench.subscribe([], {}, true);
    assert.deepEqual([ok.get('expires'), bench.over], ['0', 1]);
    assert.deepEqual(bench.told, ['0 terminated;reason=timeout off 0']);
    bench.answer();
    assert.equal(bench.timers, 0);
  });

  for (const [reason, header, body] of [
    ['noresource', 'terminated;reason=noresource', ''],
    ['probation', 'terminated;reason=probation;retry-after=10', 'off 1'],
  ] as const) {
    test(`ends with a word: ${reason}`, () => {
      const bench = new SubscriptionBench().running();
      if (reason === 'noresource') bench.state = null;
      bench.subscription.end(reason);
      assert.deepEqual([bench.told, bench.over], [[`0 ${header} ${body}`], 1]);
      assert.equal(bench.notifies.at(-1)?.request.get('content-type'), body === '' ? null : 'text/light');
    });
  }
});

describe('a NOTIFY that fails', () => {
  for (const [answer, headers] of [
    [481, []],
    [408, []],
    [489, []],
    [500, []],
    [503, [['retry-after', '3600']]],
    [null, []],
  ] as const) {
    test(`with ${answer ?? 'no answer'} ${headers.flat().join(' ')} ends the subscription without a word`, () => {
      const bench = new SubscriptionBench();
      bench.subscribe([], {}, true);
      bench.answer(answer, headers);
      bench.subscription.changed();
      assert.deepEqual([bench.over, bench.notifies.length, bench.timers], [1, 1, 0]);
    });
  }

  for (const [seconds, atMs] of [
    ['5', 5_000],
    ['0 (busy)', 1_000],
  ] as const) {
    test(`is sent again after Retry-After: ${seconds}, with the state of then`, () => {
      const bench = new SubscriptionBench();
      bench.subscribe([], {}, true);
      bench.answer(503, [['retry-after', seconds]]);
      assert.equal(bench.over, 0);
      bench.clock.advance(atMs - 1);
      assert.equal(bench.told.length, 1);
      bench.clock.advance(1);
      assert.equal(bench.told[1], `${atMs} active;expires=${600 - atMs / 1000} off 1`);
    });
  }
});

describe('a SUBSCRIBE in the dialog', () => {
  test('that asks for too little is refused and changes nothing', () => {
    const bench = new SubscriptionBench().running();
    const refusal = bench.subscribe([['expires', '59']], { sequence: 2 });
    assert.deepEqual([refusal.status, refusal.get('min-expires')], [423, '60']);
    assert.deepEqual([bench.told, bench.over], [[], 0]);
  });

  for (const event of ['heat', 'light;id=2', '']) {
    test(`to another event is refused: "${event}"`, () => {
      const bench = new SubscriptionBench().running();
      assert.equal(bench.subscribe([['event', event]], { sequence: 2 }).status, 481);
      assert.deepEqual([bench.told, bench.over], [[], 0]);
    });
  }

  test('means the one of several in the dialog that has its id', () => {
    const bench = new SubscriptionBench('tcp', {}, { name: 'refer', id: '93' });
    bench.subscription.start();
    assert.equal(bench.notifies[0]?.request.get('event'), 'refer;id=93');
    assert.equal(bench.subscribe([['event', 'refer;x=1;id=93']], { sequence: 2 }).status, 200);
    assert.equal(bench.subscribe([['event', 'refer;id=94']], { sequence: 3 }).status, 481);
    assert.equal(bench.subscribe([['event', 'refer']], { sequence: 4 }).status, 481);
  });
});

test('other requests in its dialog: OPTIONS is answered, what belongs to a call is not known', () => {
  const bench = new SubscriptionBench().running();
  const status = (method: string) => bench.receive(makeRequest(method, { to: '<sip:x@y>;tag=ours' })).status;
  assert.deepEqual(['OPTIONS', 'BYE', 'INFO', 'INVITE', 'UPDATE'].map(status), [200, 481, 481, 481, 481]);
});

describe('a guest over UDP, whose address may be forged,', () => {
  const unproved = () => new SubscriptionBench('udp', { isProved: false });

  test('gets one NOTIFY that is not sent again, and nothing more', () => {
    const bench = unproved();
    bench.subscribe([], {}, true);
    bench.state = 'on';
    bench.clock.advance(10_000);
    bench.subscription.changed();
    bench.subscription.end('probation');
    assert.deepEqual([bench.told, bench.notifies[0]?.once, bench.over], [['0 active;expires=600 off 0'], true, 1]);
  });

  test('is believed once he has answered', () => {
    const bench = unproved();
    bench.subscribe([], {}, true);
    assert.equal(bench.proofs, 0);
    bench.answer();
    bench.clock.advance(1_000);
    bench.state = 'on';
    bench.subscription.changed();
    assert.deepEqual([bench.proofs, bench.notifies[1]?.once], [1, false]);
    bench.subscription.end('timeout');
    assert.equal(bench.told.length, 3);
  });

  test('is believed when he knows our tag', () => {
    const bench = unproved();
    bench.subscribe([], {}, true);
    bench.subscribe([], { sequence: 2 });
    assert.equal(bench.proofs, 1);
  });
});

describe('a connection that closes', () => {
  for (const transport of ['ws', 'wss'] as const) {
    test(`ends the subscription of a browser (${transport})`, () => {
      const bench = new SubscriptionBench(transport).running();
      bench.flow.close();
      bench.subscription.disconnected();
      assert.deepEqual([bench.over, bench.told, bench.timers], [1, [], 0]);
    });
  }

  test('leaves that of a phone, whose proxy may have others', () => {
    const bench = new SubscriptionBench('tcp').running();
    bench.flow.close();
    bench.subscription.disconnected();
    assert.equal(bench.over, 0);
  });
});
