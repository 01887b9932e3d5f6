import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { FakeClock } from '../testing.ts';
import { Nonces } from './nonce.ts';

const KEY = Buffer.alloc(32, 7);
const SOURCE = '192.0.2.7';

let clock: FakeClock;
let nonces: Nonces;
beforeEach(() => {
  clock = new FakeClock();
  nonces = new Nonces({ key: KEY, clock, realm: 'example.org' });
});

describe('a nonce', () => {
  test('is fresh until its five minutes are over, to the millisecond', () => {
    clock.advanceTo(1_000);
    const nonce = nonces.issue(SOURCE);
    clock.advanceTo(300_999);
    assert.equal(nonces.isFresh(nonce, SOURCE, 1), true);
    clock.advanceTo(301_000);
    assert.equal(nonces.isFresh(nonce, SOURCE, 1), false);
  });

  test('costs no memory until it is used', () => {
    const issued = new Set(Array.from({ length: 1_000 }, () => nonces.issue(SOURCE)));
    assert.deepEqual([issued.size, nonces.used], [1_000, 0]);
  });

  test('is known by any instance that has the key', () => {
    const other = new Nonces({ key: KEY, clock, realm: 'example.org' });
    assert.equal(other.isFresh(nonces.issue(SOURCE), SOURCE, 1), true);
  });

  for (const [name, options, source] of [
    ['of another key', { key: Buffer.alloc(32, 8), realm: 'example.org' }, SOURCE],
    ['of another realm', { key: KEY, realm: 'example.com' }, SOURCE],
    ['for another source', { key: KEY, realm: 'example.org' }, '192.0.2.8'],
  ] as const) {
    test(`${name} is not fresh`, () => {
      const other = new Nonces({ clock, ...options });
      assert.equal(nonces.isFresh(other.issue(source), SOURCE, 1), false);
    });
  }

  test('that was changed in any place is not fresh', () => {
    clock.advanceTo(12_345);
    const nonce = nonces.issue(SOURCE);
    for (let at = 0; at < nonce.length; at++) {
      // Of the last character only two bits say anything: the two differ in one of them.
      const other = nonce[at] === 'w' ? 'g' : 'w';
      const changed = nonce.slice(0, at) + other + nonce.slice(at + 1);
      assert.equal(nonces.isFresh(changed, SOURCE, 1), false, changed);
    }
    for (const text of ['', '.', '..', `${nonce}x`, nonce.slice(1), 'n'.repeat(5_000)]) {
      assert.equal(nonces.isFresh(text, SOURCE, 1), false, text);
    }
  });
});

describe('a count', () => {
  test('must rise, and may leave some out', () => {
    const nonce = nonces.issue(SOURCE);
    assert.equal(nonces.isFresh(nonce, SOURCE, 0), false);
    const accepted = [1, 1, 2, 7, 6, 7, 8].filter(count => {
      const isFresh = nonces.isFresh(nonce, SOURCE, count);
      if (isFresh) nonces.use(nonce, SOURCE, count);
      return isFresh;
    });
    assert.deepEqual(accepted, [1, 2, 7, 8]);
    assert.equal(nonces.used, 1);
  });

  test('that was forgotten for want of room makes its nonce stale, and those before it', () => {
    nonces = new Nonces({ key: KEY, clock, realm: 'example.org', mostUsed: 2 });
    const [unused, first, second, third, later] = Array.from({ length: 5 }, () => nonces.issue(SOURCE));
    for (const nonce of [first!, second!]) nonces.use(nonce, SOURCE, 1);
    nonces.use(first!, SOURCE, 2);
    nonces.use(third!, SOURCE, 1);
    assert.equal(nonces.used, 2);
    // The second was used longest ago.
    const fresh = [unused!, first!, second!, third!, later!].map(nonce => nonces.isFresh(nonce, SOURCE, 3));
    assert.deepEqual(fresh, [false, true, false, true, true]);
  });
});
