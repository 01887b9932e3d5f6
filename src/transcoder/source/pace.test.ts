import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sleepUntil } from './pace.ts';

describe('waiting for a moment', () => {
  it('ends at the first whole millisecond that is not before it', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000 });
    const nowUs = () => Date.now() * 1_000;
    let done = false;
    const waiting = sleepUntil(1_033_333, nowUs, new AbortController().signal).then(waited => {
      done = true;
      return waited;
    });
    t.mock.timers.tick(33);
    await Promise.resolve();
    assert.equal(done, false);
    t.mock.timers.tick(1);
    assert.equal(await waiting, true);
  });

  it('goes on when its timer is before the moment', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000 });
    let behindUs = 0;
    let done = false;
    const nowUs = () => Date.now() * 1_000 - behindUs;
    const waiting = sleepUntil(1_010_000, nowUs, new AbortController().signal).then(() => {
      done = true;
    });
    behindUs = 300;
    t.mock.timers.tick(10);
    await Promise.resolve();
    assert.equal(done, false);
    t.mock.timers.tick(1);
    await waiting;
  });

  it('does not wait for what has been', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { signal } = new AbortController();
    assert.equal(await sleepUntil(500, () => 500, signal), true);
    assert.equal(await sleepUntil(0, () => 500, signal), true);
  });

  it('ends early when it is aborted, and does not begin when it was', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const ending = new AbortController();
    const waiting = sleepUntil(1_000_000, () => 0, ending.signal);
    ending.abort();
    assert.equal(await waiting, false);
    assert.equal(await sleepUntil(0, () => 500, ending.signal), false);
  });
});
