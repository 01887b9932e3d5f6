import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { between, inOrder, nowAndNext } from './programmes.ts';

const HOUR_MS = 3_600_000;
const NOTHING = { subtitle: null, description: null, category: null };

/** A programme from one hour to another. */
const show = (title: string, start: number, stop: number | null) => ({
  ...NOTHING,
  title,
  startMs: start * HOUR_MS,
  stopMs: stop === null ? null : stop * HOUR_MS,
});

const hours = (...shows: ReturnType<typeof show>[]) =>
  inOrder(shows).map(({ title, startMs, stopMs }) => `${title} ${startMs / HOUR_MS}-${stopMs / HOUR_MS}`);

describe('the programmes of a channel', () => {
  for (const [name, shows, expected] of [
    ['are put in order', [show('b', 2, 3), show('a', 1, 2)], ['a 1-2', 'b 2-3']],
    ['may leave holes', [show('a', 1, 2), show('b', 5, 6)], ['a 1-2', 'b 5-6']],
    ['end where the next one begins', [show('a', 1, 5), show('b', 2, 3)], ['a 1-2', 'b 2-3']],
    ['last until the next one when they say nothing', [show('a', 1, null), show('b', 4, 5)], ['a 1-4', 'b 4-5']],
    ['last an hour when nothing follows either', [show('a', 1, null)], ['a 1-2']],
    ['that begin together are the last one', [show('a', 1, 2), show('b', 1, 3)], ['b 1-3']],
    ['that end before they begin are none', [show('a', 3, 1), show('b', 4, 5)], ['b 4-5']],
  ] as const) {
    it(name, () => assert.deepEqual(hours(...shows), expected));
  }

  const programmes = inOrder([show('a', 1, 2), show('b', 2, 3), show('c', 5, 6), show('d', 6, 7)]);

  for (const [at, now, next] of [
    [0, null, 'a'],
    [1, 'a', 'b'],
    [1.999, 'a', 'b'],
    [2, 'b', 'c'],
    [3, null, 'c'],
    [4.5, null, 'c'],
    [6.5, 'd', null],
    [7, null, null],
  ] as const) {
    it(`are at ${at} o'clock ${now} and then ${next}`, () => {
      const found = nowAndNext(programmes, at * HOUR_MS);
      assert.deepEqual([found.now?.title ?? null, found.next?.title ?? null], [now, next]);
    });
  }

  for (const [from, to, expected] of [
    [0, 9, 'abcd'],
    [1.5, 2.5, 'ab'],
    [2, 5, 'b'],
    [3, 5, ''],
    [3, 5.1, 'c'],
    [8, 9, ''],
    [9, 0, ''],
  ] as const) {
    it(`are from ${from} to ${to} o'clock ${expected || 'none'}`, () => {
      const found = between(programmes, from * HOUR_MS, to * HOUR_MS);
      assert.equal(found.map(({ title }) => title).join(''), expected);
    });
  }

  it('may be none', () => {
    assert.deepEqual(nowAndNext([], 0), { now: null, next: null });
    assert.deepEqual(between([], 0, 1), []);
  });
});
