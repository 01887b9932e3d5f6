import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Effort } from '../wire.ts';
import { LoadWatch } from './load-watch.ts';

const RATE = 30;

/** A second of pictures, of which so many are left out. */
function second(watch: LoadWatch, leftOut: number, lagUs = 20_000): Effort {
  for (let index = 0; index < RATE; index++) index < leftOut ? watch.leftOut() : watch.encoded(lagUs);
  return watch.endPeriod();
}

/** A machine that is always behind at some efforts; the seconds at which its effort changes. */
function run(seconds: number, isTooMuch: (effort: Effort, second: number) => boolean): [number, Effort][] {
  const watch = new LoadWatch();
  const changes: [number, Effort][] = [];
  let effort: Effort = 'full';
  for (let at = 1; at <= seconds; at++) {
    const next = second(watch, isTooMuch(effort, at) ? 15 : 0);
    if (next !== effort) changes.push([at, next]);
    effort = next;
  }
  return changes;
}

describe('a process that encodes', () => {
  for (const [name, leftOut, lagUs] of [
    ['keeps up', 0, 20_000],
    ['is late, but not too late', 0, 150_000],
    ['leaves out a picture now and then', 2, 20_000],
  ] as const) {
    it(`does all it can while it ${name}`, () => {
      const watch = new LoadWatch();
      for (let at = 0; at < 600; at++) assert.equal(second(watch, leftOut, lagUs), 'full');
    });
  }

  it('may be held up for two seconds', () => {
    const watch = new LoadWatch();
    for (let at = 0; at < 100; at++) assert.equal(second(watch, at % 3 === 0 ? 0 : 30), 'full');
  });

  for (const [name, leftOut, lagUs] of [
    ['leaves out one picture in ten', 3, 20_000],
    ['is late with each', 0, 150_001],
  ] as const) {
    it(`that ${name} does less after three seconds, and still less when that does not help`, () => {
      const watch = new LoadWatch();
      const efforts = Array.from({ length: 12 }, () => second(watch, leftOut, lagUs));
      const [full, faster, half] = ['full', 'fasterPreset', 'halfRate'];
      assert.deepEqual(efforts, [full, full, ...Array(5).fill(faster), ...Array(5).fill(half)]);
    });
  }

  it('that has nothing to encode stays as it is', () => {
    const watch = new LoadWatch();
    for (let at = 0; at < 3; at++) second(watch, 30);
    for (let at = 0; at < 1_000; at++) assert.equal(watch.endPeriod(), 'fasterPreset');
  });

  it('goes back step by step when all was well for half a minute each', () => {
    const changes = run(200, (_, at) => at <= 10);
    assert.deepEqual(changes, [
      [3, 'fasterPreset'],
      [8, 'halfRate'],
      [40, 'fasterPreset'],
      [72, 'full'],
    ]);
  });

  it('tries to do more less and less often where it is too much', () => {
    const changes = run(4 * 3_600, effort => effort === 'full');
    const back = changes.filter(([, effort]) => effort === 'full').map(([at]) => at);
    assert.ok(back.length <= 9, `${back.length} times in four hours`);
    const waits = back.slice(1).map((at, index) => at - back[index]!);
    assert.ok(waits.every((wait, index) => index === 0 || wait > 1.5 * waits[index - 1]! || wait >= 3_600));
  });

  it('that had an hour of trouble does all it can again within another hour, and is as quick as before in the end', () => {
    const hour = 3_600;
    const changes = run(
      6 * hour,
      (effort, at) => effort === 'full' && (at <= hour || (at > 5 * hour && at < 5 * hour + 10)),
    );
    const [back, down, again] = changes.slice(-3);
    assert.ok(back![1] === 'full' && back![0] <= 2 * hour + 100, `${back}`);
    assert.deepEqual(
      [down, again],
      [
        [5 * hour + 3, 'fasterPreset'],
        [5 * hour + 35, 'full'],
      ],
    );
  });
});
