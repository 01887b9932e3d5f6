import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INFO, setUpCalls } from '../../test/support/calls.ts';
import { readOffer } from '../../test/vectors/offers/read.ts';

/** Channels that are always on, put on air. */
async function setUp() {
  const set = setUpCalls({ alwaysOn: true });
  set.channels.keepOn();
  await set.settle();
  const clock = set.channels.find('clock')!;
  return { ...set, clock };
}

describe('a channel that is always on', () => {
  it('is opened at the start, and what most viewers get is encoded', async () => {
    const { channels, clock, happened, settle, advance } = await setUp();
    channels.keepOn();
    assert.deepEqual(happened(), ['start clock', 'start film']);
    channels.sourceOpened('clock', INFO);
    await settle();
    advance(3_600_000);
    assert.deepEqual(happened().slice(0, 2), ['feed 1: h264', 'feed 2: opus']);
    assert.deepEqual([clock.onAir, clock.viewers], [true, 0]);
  });

  it('needs nothing new for a browser, and nothing is stopped after it', async () => {
    const { channels, happened, answered, advance, settle } = await setUp();
    channels.sourceOpened('clock', INFO);
    await settle();
    happened();
    const call = await answered(readOffer('chromium'), { id: 'a' });
    call.handlers?.ended({ by: 'peer', cause: null });
    advance(3_600_000);
    assert.deepEqual(
      happened().filter(event => /feed|start clock|stop clock/.test(event)),
      [],
    );
  });

  it('passes through what becomes fit for it', async () => {
    const { channels, happened, settle, advance } = await setUp();
    channels.sourceOpened('clock', { ...INFO, audio: null });
    await settle();
    happened();
    const passThrough = { codec: 'h264', profile: 'main', levelIdc: 31 } as const;
    channels.sourceOpened('clock', { video: { ...INFO.video!, passThrough }, audio: null });
    assert.deepEqual(happened(), ['feed 2: h264']);
    advance(3_000);
    assert.deepEqual(happened(), ['close feed 1']);
  });

  it('is opened again when it goes off air, with growing pauses', async () => {
    const { channels, happened, settle, advance } = await setUp();
    channels.sourceOpened('clock', INFO);
    await settle();
    happened();
    const pauses: number[] = [];
    for (let time = 0; pauses.length < 9; time++) {
      if (channels.find('clock')?.isOff === false) channels.sourceFailed('clock', 'no such file');
      await settle();
      const start = time;
      while (!happened().includes('start clock')) {
        advance(1_000);
        time++;
        await settle();
      }
      pauses.push(time - start);
    }
    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    channels.sourceOpened('clock', INFO);
    await settle();
    assert.ok(happened().some(event => event.endsWith('h264')));
  });

  it('ends with the server', async () => {
    const { channels, happened, settle, advance } = await setUp();
    channels.sourceOpened('clock', INFO);
    await settle();
    happened();
    channels.close();
    advance(3_600_000);
    await settle();
    assert.deepEqual(happened(), ['close feed 1', 'close feed 2', 'stop clock', 'stop film']);
  });
});
