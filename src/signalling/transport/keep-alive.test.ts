import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { FakeClock } from '../testing.ts';
import { KeepAlive } from './keep-alive.ts';

describe('a connection that is kept open', () => {
  let clock: FakeClock;
  let keepAlive: KeepAlive;
  let chance: number;
  /** What happened, with the second. */
  let events: string[];
  let answers: boolean;

  beforeEach(() => {
    clock = new FakeClock();
    chance = 0;
    events = [];
    answers = true;
    const note = (event: string) => events.push(`${clock.nowMs() / 1000} ${event}`);
    keepAlive = new KeepAlive({
      clock,
      random: () => chance,
      ping: () => {
        note('ping');
        if (answers) keepAlive.pong();
      },
      lost: () => note('lost'),
    });
  });

  test('is pinged at once, and then every 24 to 30 seconds', () => {
    keepAlive.start();
    clock.advanceTo(23_999);
    chance = 1;
    keepAlive.start();
    clock.advanceTo(54_000);
    assert.deepEqual(events, ['0 ping', '24 ping', '54 ping']);
  });

  test('is lost ten seconds after a ping without a pong', () => {
    keepAlive.start();
    answers = false;
    clock.advanceTo(100_000);
    assert.deepEqual(events, ['0 ping', '24 ping', '34 lost']);
    assert.equal(clock.pending, 0);
  });

  test('to a server that knows no pongs is never lost', () => {
    answers = false;
    keepAlive.start();
    clock.advanceTo(50_000);
    assert.deepEqual(events, ['0 ping', '24 ping', '48 ping']);
  });

  test('has no timers once it is stopped, whether it was begun or not', () => {
    keepAlive.stop();
    keepAlive.start();
    assert.deepEqual([events, clock.pending], [[], 0]);
  });

  test('has no timers once it is stopped after a start', () => {
    keepAlive.start();
    keepAlive.stop();
    assert.equal(clock.pending, 0);
  });
});
