import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Vitals } from './vitals.ts';

const PLENTY = 2 ** 40;
/** At two looks a second. */
const TEN_SECONDS = 20;
const THIRTY_SECONDS = 60;

/** The fault that so many looks in a row find first. */
function lookAgain(vitals: Vitals, times: number): string | null {
  for (let look = 0; look < times; look++) {
    const fault = vitals.look(process.pid);
    if (fault !== null) return fault;
  }
  return null;
}

describe('a process', () => {
  it('is stuck when it has said nothing for ten seconds', () => {
    const vitals = new Vitals(PLENTY);
    vitals.beat();
    assert.equal(lookAgain(vitals, TEN_SECONDS), null);
    assert.equal(vitals.look(process.pid), 'it was stuck');
  });

  it('that goes on saying something is well', () => {
    const vitals = new Vitals(PLENTY);
    for (let beat = 0; beat < 10; beat++) {
      vitals.beat();
      assert.equal(lookAgain(vitals, TEN_SECONDS), null);
    }
  });

  it('has thirty seconds for its first word', () => {
    const vitals = new Vitals(PLENTY);
    assert.equal(lookAgain(vitals, THIRTY_SECONDS), null);
    assert.equal(vitals.look(process.pid), 'it was stuck');
  });

  it('may have the memory that it may, and no more', () => {
    const { rss } = process.memoryUsage();
    assert.equal(new Vitals(2 * rss).look(process.pid), null);
    assert.match(new Vitals(rss / 2).look(process.pid)!, /^it took more than \d+ MiB of memory$/);
  });

  it('that has ended takes none', () => {
    assert.equal(new Vitals(1).look(2 ** 30), null);
  });
});
