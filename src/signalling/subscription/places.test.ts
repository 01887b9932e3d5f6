import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock, FakeFlow } from '../testing.ts';
import { Places } from './places.ts';

const LIMITS = { total: 4, perSource: 2, unproved: 1 };

function setUp() {
  const clock = new FakeClock();
  const places = new Places(LIMITS, address => address === '192.0.2.3');
  const take = (address: string, isProved = true) => places.take(new FakeFlow(clock, 'udp', address), isProved);
  return { places, take };
}

describe('places', () => {
  test('are so many for one source, until it lets one go', () => {
    const { take } = setUp();
    const place = take('192.0.2.1');
    assert.ok(take('192.0.2.1'));
    assert.equal(take('192.0.2.1'), null);
    assert.ok(take('192.0.2.2'));
    place?.release();
    assert.ok(take('192.0.2.1'));
  });

  test('are as many as there are for a proxy of ours, and for this machine', () => {
    const { places, take } = setUp();
    for (const address of ['192.0.2.3', '192.0.2.3', '192.0.2.3', '127.0.0.1']) assert.ok(take(address));
    assert.equal(take('192.0.2.4'), null);
    assert.equal(places.taken, LIMITS.total);
  });

  test('are few for those who are not proved, and free for others once they are, or have gone', () => {
    const { take } = setUp();
    const first = take('192.0.2.1', false);
    assert.equal(take('192.0.2.2', false), null);
    assert.ok(take('192.0.2.2'));
    first?.prove();
    const second = take('192.0.2.2', false);
    assert.ok(second);
    // Proved or not, each counts once.
    first?.release();
    assert.equal(take('192.0.2.4', false), null);
    second.release();
    assert.ok(take('192.0.2.4', false));
  });
});
