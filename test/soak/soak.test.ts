import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missing } from '../interop/support/programs.ts';
import { growth } from './growth.ts';
import { soak } from './soak.ts';

const SECONDS = 30;

describe('channels that are opened and closed at random', { skip: missing('ffmpeg', 'setpriv') }, () => {
  it('leave no process, descriptor, socket or memory behind', { timeout: 180_000 }, async t => {
    const result = await soak({ seconds: SECONDS, seed: 1, say: line => t.diagnostic(line) });
    for (const failure of result.failures) t.diagnostic(failure);
    assert.deepEqual(
      [...result.watched].filter(([, times]) => times === 0),
      [],
    );
    assert.deepEqual(growth(result), []);
  });
});
