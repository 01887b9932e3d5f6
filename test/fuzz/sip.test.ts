import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tortureVectors } from '../vectors/torture.ts';
import { corpus } from './corpus.ts';
import { fuzz, isFlat, replay } from './fuzz.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';

describe('messages that were right once, changed at random', () => {
  test('make the server throw nothing and cost little', () => {
    const { failures, sent } = fuzz({ messages: 20_000, seed: 4475 });
    assert.deepEqual(
      failures.map(({ reason, index }) => `message ${index}: ${reason}`),
      [],
    );
    // It is no fuzzing when nothing gets as far as an answer.
    assert.ok(sent > 5_000, `${sent} messages were sent`);
  });

  test('are the same for the same seed', () => {
    const vectors = tortureVectors().map(({ bytes }) => bytes.toString('latin1'));
    const several = (seed: number) => {
      const random = new Random(seed);
      return Array.from({ length: 50 }, () => mutate(random.pick(vectors), random, vectors));
    };
    assert.deepEqual(several(1), several(1));
    assert.notDeepEqual(several(1), several(2));
  });
});

describe('a message that once was a failure', () => {
  for (const { name, deliveries } of corpus()) {
    test(name, () => {
      for (const delivery of deliveries) assert.equal(replay(delivery), null, delivery.transport);
    });
  }
});

test('memory is flat when it does not end higher than it was in the first half', () => {
  const cases = [
    [20, 30, 31, 30],
    [20, 30, 40, 50],
    [null, null],
    [20, 22],
  ].map(isFlat);
  assert.deepEqual(cases, [true, false, true, true]);
});
