import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ReceiverWatch } from './receiver-watch.ts';

let watch: ReceiverWatch;
let nowMs: number;
let packetsSent: number;
beforeEach(() => {
  watch = new ReceiverWatch();
  nowMs = 0;
  packetsSent = 0;
});

/** Seconds until it is missed, of `seconds` in which the engine ticks and sends; null when it is not. */
function missedAfter(seconds: number, { sending = true, heard = () => {} } = {}): number | null {
  for (let second = 1; second <= seconds; second++) {
    if (sending) packetsSent += 50;
    heard();
    for (let tick = 0; tick < 20; tick++, nowMs += 50) {
      if (watch.vanished(nowMs, () => packetsSent)) return second;
    }
  }
  return null;
}

const report = () => watch.heard(true);
const reportEvery = (seconds: number, times: number) => {
  for (let n = 0; n < times; n++) {
    report();
    assert.equal(missedAfter(seconds), null);
  }
  report();
};

describe('a receiver that reports now and again', () => {
  it('is missed after 30 seconds of silence', () => {
    reportEvery(1, 3);
    assert.equal(missedAfter(60), 31);
  });

  it('is missed after five of its intervals when they are long', () => {
    reportEvery(20, 2);
    assert.equal(missedAfter(200), 101);
  });

  it('is not missed while it reports', () => {
    reportEvery(5, 100);
    assert.equal(missedAfter(30), null);
    report();
    assert.equal(missedAfter(30), null);
  });

  it('is not missed while its media come, even without reports', () => {
    reportEvery(5, 2);
    assert.equal(missedAfter(300, { heard: () => watch.heard(false) }), null);
    watch.heard(false);
    assert.equal(missedAfter(60), 31);
  });

  it('is not missed while nothing is sent to it, and later for what it is silent then', () => {
    reportEvery(5, 2);
    assert.equal(missedAfter(3_600, { sending: false }), null);
    assert.equal(missedAfter(60), 31);
  });

  it('is not missed for a time in which nobody looked', () => {
    reportEvery(5, 2);
    nowMs += 3_600_000;
    assert.equal(missedAfter(30), null);
  });
});

describe('a receiver is never missed', () => {
  for (const [name, begin] of [
    ['that never says a word', () => {}],
    ['that sends RTP and stops', () => assert.equal(missedAfter(60, { heard: () => watch.heard(false) }), null)],
    ['that reports once', report],
    ['that reports at the start alone', () => Array.from({ length: 5 }, report)],
  ] as const) {
    it(name, () => {
      begin();
      assert.equal(missedAfter(3_600), null);
    });
  }
});
