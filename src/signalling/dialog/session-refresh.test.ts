import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Header, Response } from '../message/index.ts';
import { makeInvite } from '../testing.ts';
import { SessionBench } from './testing.ts';

const TIMER: Header = ['supported', 'timer'];
const UPDATE: Header = ['allow', 'INVITE, ACK, UPDATE'];
const expires = (value: string): Header => ['session-expires', value];
const LATE = 100_000_000;

function running(transport: 'udp' | 'tcp' | 'ws', ...headers: Header[]): SessionBench {
  return new SessionBench(transport, makeInvite({ headers })).running();
}

for (const transport of ['udp', 'tcp'] as const) {
  describe(`a session over ${transport} that the caller refreshes`, () => {
    test('ends with a BYE when the caller does not (RFC 4028 §10)', () => {
      const bench = running(transport, TIMER, UPDATE, expires('120;refresher=uac'));
      bench.clock.advanceTo(LATE);
      // 120 s less 32.
      assert.deepEqual(bench.events, ['88000 sends BYE', '88000 ended']);
      assert.equal(bench.requests[0]?.get('reason'), 'SIP;cause=408;text="Session timer expired"');
      assert.deepEqual(bench.ends, [{ by: 'failure', reason: 'the session was not refreshed' }]);
      assert.deepEqual([bench.over, bench.clock.pending], [1, 0]);
    });

    test('goes on with each UPDATE and re-INVITE', () => {
      const bench = running(transport, TIMER, expires('90;refresher=uac'));
      const headers = [TIMER, expires('90;refresher=uac')];
      bench.clock.advanceTo(50_000);
      bench.receive('UPDATE', 2, { headers });
      const response = bench.flow.takeResponse();
      assert.deepEqual([response.status, response.get('session-expires')], [200, '90;refresher=uac']);
      assert.equal(response.get('require'), 'timer');
      bench.clock.advanceTo(100_000);
      bench.receive('INVITE', 3, { headers });
      bench.reinvite?.accept('answer');
      bench.acknowledge(3);
      bench.clock.advanceTo(159_999);
      assert.deepEqual(bench.ends, []);
      // A third of 90 s is less than 32 s.
      bench.clock.advanceTo(160_000);
      assert.equal(bench.ends.length, 1);
    });
  });

  describe(`a session over ${transport} that we refresh`, () => {
    test('goes on as long as the caller answers our UPDATE', () => {
      const bench = running(transport, TIMER, UPDATE, expires('120'));
      for (const atMs of [60_000, 120_000, 180_000]) {
        bench.clock.advanceTo(atMs);
        assert.deepEqual(bench.events.splice(0), [`${atMs} sends UPDATE`]);
        bench.answer(200, [expires('120;refresher=uac')]);
      }
      const request = bench.requests.at(-1)!;
      assert.deepEqual(
        ['session-expires', 'supported', 'contact', 'cseq'].map(name => request.get(name)),
        ['120;refresher=uac', 'timer', '<sip:news@192.0.2.1>', '3 UPDATE'],
      );
      assert.equal(request.body.length, 0);
    });

    test('has a re-INVITE that changes nothing where UPDATE is not allowed', () => {
      const bench = running(transport, TIMER, ['allow', 'INVITE, ACK'], expires('120'));
      bench.clock.advanceTo(60_000);
      assert.deepEqual(bench.events, ['60000 sends INVITE']);
      assert.deepEqual(
        [bench.requests[0]?.body.toString(), bench.requests[0]?.get('content-type')],
        ['answer', 'application/sdp'],
      );
    });

    for (const [name, status] of [
      ['is silent', null],
      ['is said to be gone', 408],
      ['knows nothing of the call', 481],
    ] as const) {
      test(`ends with a BYE when the caller ${name}`, () => {
        const bench = running(transport);
        bench.clock.advanceTo(300_000);
        bench.answer(status);
        assert.deepEqual(bench.events, ['300000 sends INVITE', '300000 sends BYE', '300000 ended']);
        assert.deepEqual(bench.ends, [{ by: 'failure', reason: 'the caller no longer answers' }]);
        assert.equal(bench.clock.pending, 0);
      });
    }
  });
}

describe('a refresh of ours', () => {
  test('that is refused by who knows timers is tried again, until the session expires', () => {
    const bench = running('udp', TIMER, UPDATE, expires('90'));
    for (const atMs of [45_000, 55_000]) {
      bench.clock.advanceTo(atMs);
      bench.answer(500);
    }
    bench.clock.advanceTo(LATE);
    assert.deepEqual(bench.events, ['45000 sends UPDATE', '55000 sends UPDATE', '60000 sends BYE', '60000 ended']);
  });

  test('that is refused by who knows no timers shows that it is there', () => {
    const bench = running('udp');
    bench.clock.advanceTo(300_000);
    bench.answer(488);
    bench.clock.advanceTo(600_000);
    assert.deepEqual(bench.events, ['300000 sends INVITE', '600000 sends INVITE']);
  });

  for (const status of [405, 501]) {
    test(`is an INVITE when UPDATE is not known after all (${status})`, () => {
      const bench = running('udp', UPDATE);
      bench.clock.advanceTo(300_000);
      bench.answer(status);
      bench.answer(status);
      bench.clock.advanceTo(600_000);
      assert.deepEqual(bench.events, ['300000 sends UPDATE', '300000 sends INVITE', '600000 sends INVITE']);
    });
  }

  test('asks for as long an interval as a 422 wants, and does not argue', () => {
    const bench = running('udp', UPDATE);
    bench.clock.advanceTo(300_000);
    bench.answer(422, [['min-se', '900']]);
    const [, second] = bench.requests;
    assert.deepEqual([second?.get('session-expires'), second?.get('min-se')], ['900;refresher=uac', '900']);
    bench.answer(422, [['min-se', '900']]);
    assert.deepEqual(bench.events.length, 2);
  });

  test('comes again after a moment when the caller asks at the same time (RFC 3261 §14.1)', () => {
    const bench = running('udp');
    bench.clock.advanceTo(300_000);
    bench.answer(491);
    bench.clock.advanceTo(301_000);
    assert.deepEqual(bench.events, ['300000 sends INVITE', '301000 sends INVITE']);
  });

  test('under way has the caller wait with its own offer: 491', () => {
    const bench = running('udp');
    bench.clock.advanceTo(300_000);
    for (const [sequence, method] of [
      [2, 'INVITE'],
      [3, 'UPDATE'],
    ] as const) {
      bench.receive(method, sequence, { body: 'hold' });
      assert.deepEqual([bench.flow.takeResponse().status, bench.reinvite], [491, null]);
    }
    bench.answer(200);
    bench.receive('INVITE', 4);
    assert.ok(bench.reinvite);
  });

  test('waits until the caller has its answer', () => {
    const bench = running('udp');
    bench.receive('INVITE', 2);
    bench.clock.advanceTo(301_500);
    assert.deepEqual(bench.events, []);
    bench.reinvite?.reject({ status: 488 });
    bench.clock.advanceTo(302_000);
    assert.deepEqual(bench.events, ['302000 sends INVITE']);
  });

  test('goes out though a proxy closed its connection: another one may be opened', () => {
    const proxy: Header = ['via', 'SIP/2.0/UDP 10.0.0.1'];
    const bench = running('tcp', proxy);
    bench.flow.close();
    bench.session.disconnected();
    bench.clock.advanceTo(300_000);
    assert.deepEqual([bench.events, bench.ends], [['300000 sends INVITE'], []]);
  });

  test('that reached nobody is tried again', () => {
    const bench = running('tcp', TIMER);
    bench.clock.advanceTo(300_000);
    bench.answer(503);
    bench.clock.advanceTo(310_000);
    assert.deepEqual([bench.events, bench.ends], [['300000 sends INVITE', '310000 sends INVITE'], []]);
  });

  test('waits for a browser that has no connection', () => {
    const bench = running('ws', TIMER);
    bench.flow.close();
    bench.session.disconnected();
    bench.clock.advanceTo(500_000);
    assert.deepEqual([bench.events, bench.ends], [[], []]);
  });

  test('is answered in vain once the call is over', () => {
    const bench = running('udp');
    bench.clock.advanceTo(300_000);
    bench.receive('BYE', 2);
    bench.answer(null);
    assert.deepEqual(bench.events, ['300000 sends INVITE', '300000 ended']);
    assert.equal(bench.ends.length, 1);
  });

  test('uses UPDATE as soon as the caller says that it knows it', () => {
    const bench = running('udp');
    bench.receive('OPTIONS', 2, { headers: [UPDATE] });
    bench.clock.advanceTo(300_000);
    assert.deepEqual(bench.events, ['300000 sends UPDATE']);
  });
});

test('a browser, whose media tells that it is there, is not asked unless it knows timers', () => {
  const bench = new SessionBench('ws');
  bench.session.accept('answer');
  const ok = bench.flow.takeResponse() as Response;
  assert.equal(ok.get('session-expires'), null);
  bench.acknowledge();
  bench.clock.advanceTo(32_000);
  assert.equal(bench.clock.pending, 0);
  const knows = running('ws', TIMER, UPDATE);
  knows.clock.advanceTo(300_000);
  assert.deepEqual(knows.events, ['300000 sends UPDATE']);
});
