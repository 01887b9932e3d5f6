import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Header, respond } from '../message/index.ts';
import { makeInvite } from '../testing.ts';
import { agree, agreedBy, isTooBrief, SESSION_TIMER, type SessionTerms, timerHeaders } from './session-timer.ts';

const TIMER: Header = ['supported', 'replaces, Timer'];
const expires = (value: string): Header => ['session-expires', value];
const invite = (...headers: Header[]) => makeInvite({ headers });

describe('the terms of a session (RFC 4028 §9, table 2)', () => {
  const cases: readonly [name: string, headers: Header[], seconds: number, refresher: 'us' | 'peer', known: boolean][] =
    [
      ['are ours for who knows no timers', [], 600, 'us', false],
      ['are ours for who knows timers and asks for nothing', [TIMER], 600, 'us', true],
      ['are shorter when asked for', [TIMER, expires('120')], 120, 'us', true],
      ['are no longer than ours', [TIMER, expires('1800')], 600, 'us', true],
      ['let the caller refresh when it wants to', [TIMER, expires('120;refresher=uac')], 120, 'peer', true],
      ['let us refresh when the caller wants it', [TIMER, expires('120 ; Refresher=UAS')], 120, 'us', true],
      ['never let who knows no timers refresh', [expires('120;refresher=uac')], 120, 'us', false],
      ['are no shorter than others can bear', [TIMER, expires('1800'), ['min-se', '900']], 900, 'us', true],
      ['are no shorter than ours for who cannot ask again', [expires('5')], 90, 'us', false],
      ['leave out what cannot be read', [TIMER, expires('soon'), ['min-se', 'x']], 600, 'us', true],
      ['know timers that are required', [['require', 'timer'], expires('100;refresher=uac')], 100, 'peer', true],
      ['fit into a timer', [TIMER, ['min-se', '9'.repeat(40)]], 2_000_000, 'us', true],
    ];
  for (const [name, headers, intervalSeconds, refresher, peerSupports] of cases) {
    test(name, () => {
      assert.deepEqual(agree(invite(...headers), SESSION_TIMER, null), { intervalSeconds, refresher, peerSupports });
    });
  }

  test('keep the refresher when a later request names none', () => {
    const before: SessionTerms = { intervalSeconds: 100, refresher: 'peer', peerSupports: true };
    assert.equal(agree(invite(TIMER), SESSION_TIMER, before).refresher, 'peer');
    assert.equal(agree(invite(TIMER, expires('100;refresher=uas')), SESSION_TIMER, before).refresher, 'us');
    assert.equal(agree(invite(), SESSION_TIMER, before).refresher, 'us');
  });

  test('are told in a 2xx, and required of those alone who know timers', () => {
    assert.deepEqual(timerHeaders({ intervalSeconds: 90, refresher: 'peer', peerSupports: true }), [
      ['session-expires', '90;refresher=uac'],
      ['require', 'timer'],
    ]);
    assert.deepEqual(timerHeaders({ intervalSeconds: 600, refresher: 'us', peerSupports: false }), [
      ['session-expires', '600;refresher=uas'],
    ]);
  });

  const before: SessionTerms = { intervalSeconds: 600, refresher: 'us', peerSupports: true };
  for (const [name, headers, terms] of [
    ['stay ours', [expires('300;refresher=uac')], { ...before, intervalSeconds: 300 }],
    ['may go over to the peer', [expires('600;refresher=uas')], { ...before, refresher: 'peer' }],
    ['are not shortened beyond the least', [expires('1')], { ...before, intervalSeconds: 90 }],
    ['are ours alone when nothing is said of them', [], { ...before, peerSupports: false }],
  ] as const) {
    test(`${name} by the answer to a refresh`, () => {
      assert.deepEqual(agreedBy(respond(invite(), 200, { headers }), SESSION_TIMER, before), terms);
    });
  }
});

test('an interval is too brief only for who can ask again', () => {
  const brief = (...headers: Header[]) => isTooBrief(invite(...headers), SESSION_TIMER);
  assert.equal(brief(TIMER, expires('89')), true);
  assert.equal(brief(TIMER, expires('90')), false);
  assert.equal(brief(expires('89')), false);
  assert.equal(brief(TIMER), false);
});
