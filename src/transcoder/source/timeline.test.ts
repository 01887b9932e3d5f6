import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Timeline } from './timeline.ts';

const DELAY_US = 200_000;
const FRAME_US = 40_000;
const [VIDEO, AUDIO] = [0, 1];
const START_US = 1_700_000_000_000_000;

/** A source whose packets are read when they are told to be, in a time that stands still in between. */
class Bench {
  nowUs = START_US;
  readonly timeline: Timeline;

  constructor(live = true) {
    this.timeline = new Timeline({ nowUs: () => this.nowUs, delayUs: DELAY_US, live });
  }

  /** Microseconds from now until the packet is due. */
  slackUs(mediaUs: number, track = VIDEO, held = false): number {
    return Math.round(this.timeline.due(track, mediaUs, FRAME_US, held) - this.nowUs);
  }

  /** Due times of packets that are read each at its time, from the start of the bench on. */
  play(fromMediaUs: number, frames: number, track = VIDEO, pace = 1): number[] {
    return Array.from({ length: frames }, (_, index) => {
      const dueUs = this.timeline.due(track, fromMediaUs + index * FRAME_US, FRAME_US, false);
      this.nowUs += FRAME_US * pace;
      return Math.round(dueUs - START_US);
    });
  }
}

describe('the time of a source', () => {
  it('begins a delay after its first packet, whatever it counts from', () => {
    for (const mediaUs of [0, -5_000_000, 95_443_717_688]) assert.equal(new Bench().slackUs(mediaUs), DELAY_US);
  });

  it('runs evenly, however unevenly its packets come', () => {
    const bench = new Bench();
    const dues = [0, 3, 30, 31, 32, 150].map((readMs, index) => {
      bench.nowUs = START_US + readMs * 1_000;
      return bench.timeline.due(VIDEO, index * FRAME_US, FRAME_US, false) - START_US;
    });
    assert.deepEqual(
      dues,
      Array.from({ length: 6 }, (_, index) => DELAY_US + index * FRAME_US),
    );
  });

  it('keeps pictures that come out of their order in it', () => {
    const bench = new Bench();
    const slacks = [0, 120_000, 40_000, 80_000].map(mediaUs => bench.slackUs(mediaUs));
    assert.deepEqual(slacks, [200_000, 320_000, 240_000, 280_000]);
  });

  it('keeps picture and sound together', () => {
    const bench = new Bench();
    bench.play(1_000_000, 4);
    const atUs = bench.nowUs - START_US;
    assert.equal(bench.slackUs(1_010_000, AUDIO), DELAY_US + 10_000 - atUs);
  });

  it('lets a burst lie in wait', () => {
    const bench = new Bench();
    for (let index = 0; index < 250; index++) {
      assert.equal(bench.slackUs(index * FRAME_US), DELAY_US + index * FRAME_US);
    }
    // Ten seconds later the next segment comes.
    bench.nowUs += 9_900_000;
    assert.equal(bench.slackUs(10_000_000), 300_000);
  });

  for (const [name, jumpUs] of [
    ['wraps at 33 bits', -(2 ** 33 / 90_000) * 1_000_000],
    ['goes back two seconds', -2_000_000],
    ['goes ahead four seconds', 4_000_000],
    ['goes ahead a day', 86_400_000_000],
  ] as const) {
    it(`that ${name} goes on without a gap, for each track`, () => {
      const bench = new Bench();
      const before = bench.play(0, 10, VIDEO, 0);
      bench.play(0, 10, AUDIO, 0);
      const after = [
        ...bench.play(10 * FRAME_US + jumpUs, 5, VIDEO, 0),
        ...bench.play(10 * FRAME_US + jumpUs, 5, AUDIO, 0),
      ];
      assert.equal(before.at(-1), DELAY_US + 9 * FRAME_US);
      const expected = Array.from({ length: 5 }, (_, index) => DELAY_US + (10 + index) * FRAME_US);
      assert.deepEqual(after, [...expected, ...expected]);
    });
  }

  it('that jumps leaves what another track still sends of before where it was', () => {
    const bench = new Bench();
    bench.play(0, 10, VIDEO, 0);
    bench.play(0, 8, AUDIO, 0);
    bench.slackUs(50_000_000);
    const [rest] = bench.play(8 * FRAME_US, 1, AUDIO);
    assert.equal(rest, DELAY_US + 8 * FRAME_US);
  });

  it('that paused for ten seconds and went on counting is on time', () => {
    const bench = new Bench();
    bench.play(0, 10);
    bench.nowUs += 10_000_000;
    assert.equal(bench.slackUs(10_400_000), DELAY_US);
  });

  it('that stood still for ten seconds goes on a delay after that', () => {
    const bench = new Bench();
    bench.play(0, 10);
    bench.nowUs += 10_000_000;
    assert.deepEqual([bench.slackUs(400_000), bench.slackUs(380_000, AUDIO)], [DELAY_US, DELAY_US - 20_000]);
  });

  it('whose sound comes behind its picture waits for it once, and keeps them together', () => {
    const bench = new Bench();
    bench.slackUs(3_000_000);
    bench.nowUs += FRAME_US;
    assert.equal(bench.slackUs(500_000, AUDIO), DELAY_US);
    assert.equal(bench.slackUs(3_000_000 + FRAME_US), DELAY_US + 2_500_000 + FRAME_US);
    bench.nowUs += FRAME_US;
    assert.equal(bench.slackUs(500_000 + FRAME_US, AUDIO), DELAY_US);
  });

  it('whose sound comes a quarter of a second at once is late with it once', () => {
    const bench = new Bench();
    const slacks: number[] = [];
    for (let frame = 0; frame < 60; frame++) {
      bench.slackUs(frame * FRAME_US);
      bench.nowUs += FRAME_US;
      if (frame % 6 !== 5) continue;
      for (let sound = frame - 5; sound <= frame; sound++) slacks.push(bench.slackUs(sound * FRAME_US, AUDIO));
    }
    const slackest = DELAY_US + 5 * FRAME_US;
    assert.deepEqual([Math.min(...slacks), Math.max(...slacks)], [DELAY_US, slackest]);
  });

  it('is not put off by a picture out of its order', () => {
    const bench = new Bench();
    bench.slackUs(1_000_000);
    assert.deepEqual([bench.slackUs(700_000), bench.slackUs(1_040_000)], [-100_000, 240_000]);
  });

  it('is not moved when it was we who did not read', () => {
    const bench = new Bench(false);
    bench.play(0, 10);
    bench.nowUs += 10_000_000;
    assert.equal(bench.slackUs(400_000, VIDEO, true), DELAY_US - 10_000_000);
  });

  for (const [name, wrongUs] of [
    ['far ahead', 40_000_000_000],
    ['far back', -40_000_000_000],
    ['ahead by what might be a pause', 2_500_000],
  ] as const) {
    it(`is not moved by one damaged time stamp ${name}, nor is another track`, () => {
      const bench = new Bench(false);
      bench.play(1_000_000, 10, VIDEO, 0);
      bench.play(1_000_000, 10, AUDIO, 0);
      bench.slackUs(1_400_000 + wrongUs);
      const rest = [...bench.play(1_440_000, 3, VIDEO, 0), ...bench.play(1_400_000, 3, AUDIO, 0)];
      const expected = [11, 12, 13, 10, 11, 12].map(index => DELAY_US + index * FRAME_US);
      assert.deepEqual(rest, expected);
    });
  }

  it('is not moved by damaged time stamps of both tracks, again and again', () => {
    const bench = new Bench(false);
    for (let index = 0; index < 100; index++) {
      for (const track of [VIDEO, AUDIO]) {
        const isWrong = index > 2 && (index + track) % 3 === 0;
        const slackUs = bench.slackUs(index * FRAME_US + (isWrong ? 1e9 * (1 + (index % 7)) : 0), track, true);
        if (!isWrong) assert.equal(slackUs, DELAY_US + index * FRAME_US);
      }
    }
  });

  it('keeps a long pause of one track where another one goes on', () => {
    const bench = new Bench(false);
    bench.play(0, 10, AUDIO, 0);
    bench.play(0, 250, VIDEO, 0);
    assert.equal(bench.slackUs(9_800_000, AUDIO, true), DELAY_US + 9_800_000);
    assert.equal(bench.slackUs(10_000_000, VIDEO, true), DELAY_US + 10_000_000);
  });

  it('tells of what comes seldom when it is due, and learns nothing of it', () => {
    const bench = new Bench(false);
    bench.play(0, 10, VIDEO, 0);
    assert.equal(bench.timeline.dueBeside(60_000_000, 0) - START_US, DELAY_US + 60_000_000);
    assert.equal(bench.slackUs(10 * FRAME_US, VIDEO), DELAY_US + 10 * FRAME_US);
    assert.equal(bench.timeline.endUs - START_US, DELAY_US + 11 * FRAME_US);
  });

  it('begins where the source does, also when what comes seldom comes first', () => {
    const bench = new Bench(false);
    assert.equal(bench.timeline.dueBeside(10_500_000, 10_000_000) - START_US, DELAY_US + 500_000);
    assert.equal(bench.slackUs(10_000_000), DELAY_US);
  });

  it('of a film that begins anew goes on where its longest track ended', () => {
    const bench = new Bench(false);
    bench.play(1_000_000, 10, VIDEO, 0);
    bench.play(1_000_000, 12, AUDIO, 0);
    bench.timeline.beginAnew(1_000_000);
    assert.deepEqual(
      [bench.slackUs(1_000_000), bench.slackUs(1_000_000, AUDIO)],
      [DELAY_US + 12 * FRAME_US, DELAY_US + 12 * FRAME_US],
    );
  });
});

describe('a live source whose clock is not ours', () => {
  /** Ten minutes of it: the slack of the last packet, and the longest and shortest time between two. */
  function drift(pace: number, live = true) {
    const bench = new Bench(live);
    const dues = bench.play(0, 15_000, VIDEO, pace);
    const steps = dues.slice(1).map((dueUs, index) => dueUs - dues[index]!);
    const slackMs = (dues.at(-1)! - (bench.nowUs - FRAME_US * pace - START_US)) / 1000;
    return { slackMs, shortest: Math.min(...steps), longest: Math.max(...steps) };
  }

  for (const [name, pace] of [
    ['slower by 500 parts in a million', 1.0005],
    ['faster by 500 parts in a million', 0.9995],
  ] as const) {
    it(`and ${name} is followed: its packets neither come too late nor pile up`, () => {
      const { slackMs, shortest, longest } = drift(pace);
      assert.ok(slackMs > 80 && slackMs < 420, `${slackMs} ms`);
      assert.ok(shortest >= FRAME_US * 0.994 && longest <= FRAME_US * 1.006, `${shortest} to ${longest}`);
    });
  }

  it('is not followed where it is a film: what was read early lies in wait', () => {
    assert.ok(drift(0.9995, false).slackMs > 450);
  });

  it('but right is left alone', () => {
    assert.deepEqual(drift(1), { slackMs: 200, shortest: FRAME_US, longest: FRAME_US });
  });
});
