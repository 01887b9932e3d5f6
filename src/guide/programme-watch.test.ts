import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProgrammeWatch } from './programme-watch.ts';

test('another programme is told of, one that ends too, and none that goes on', () => {
  const on = new Map([
    ['news', 'Weather'],
    ['film', 'Metropolis'],
  ]);
  const told: string[] = [];
  let timer: { delayMs: number; callback: () => void } | null = null;
  const watch = new ProgrammeWatch({
    now: () => new Map(on),
    changed: channel => told.push(channel),
    timers: {
      setTimer: (delayMs, callback) => {
        timer = { delayMs, callback };
        return timer;
      },
      clearTimer: () => {
        timer = null;
      },
    },
  });
  const look = () => {
    told.length = 0;
    assert.equal(timer?.delayMs, 15_000);
    timer.callback();
    return told.toSorted();
  };
  watch.start();
  assert.deepEqual(told.toSorted(), ['film', 'news']);
  assert.deepEqual(look(), []);
  on.set('news', 'Tagesschau');
  on.set('sport', 'Cycling');
  assert.deepEqual(look(), ['news', 'sport']);
  on.delete('film');
  assert.deepEqual(look(), ['film']);
  watch.close();
  assert.equal(timer, null);
});
