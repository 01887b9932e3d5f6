/** What a phone must have shown and played when it watched the test card. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { listen, timeOfPicture } from './testcard-files.ts';

/** The squares must tell the time of just now: the picture is the one that was sent, whole and not of yesterday. */
export function checkAge(picture: string, t: TestContext): number {
  const time = timeOfPicture(picture);
  const ageMs = Date.now() - time;
  t.diagnostic(`the picture on the phone's screen was ${ageMs} ms old when it was read`);
  assert.ok(ageMs >= 0 && ageMs < 5_000, `the picture is ${ageMs} ms old`);
  return time;
}

/** A tone of 1 kHz for the first 100 ms of each second, and silence between. */
export function checkBeeps(file: string, t: TestContext): void {
  const { beeps, otherMs, seconds } = listen(file);
  const starts = beeps.map(({ atMs }) => atMs);
  const periods = starts.slice(1).map((atMs, index) => atMs - starts[index]!);
  const lengths = beeps.map(({ lengthMs }) => lengthMs);
  t.diagnostic(`${seconds.toFixed(1)} s of sound; beeps of ${lengths.join(', ')} ms, ${periods.join(', ')} ms apart`);
  assert.ok(beeps.length >= 2 && beeps.length >= Math.floor(seconds) - 1, `${beeps.length} beeps in ${seconds} s`);
  assert.ok(Math.abs(median(lengths) - 100) <= 20, `beeps of ${lengths} ms`);
  assert.ok(Math.abs(median(periods) - 1000) <= 40, `beeps ${periods} ms apart`);
  assert.ok(otherMs <= 30 * (beeps.length + 2), `${otherMs} ms of other noise`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
