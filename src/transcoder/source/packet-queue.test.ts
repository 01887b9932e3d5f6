import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Packet } from 'node-av/lib';
import { PacketQueue } from './packet-queue.ts';

/** Packets that only remember whether they were freed. */
function packets() {
  const freed: number[] = [];
  const make = (id: number) => ({ id, free: () => freed.push(id) }) as unknown as Packet;
  return { freed, make };
}

/** Is a promise settled once everything else that can happen has happened. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  await new Promise<void>(resolve => setImmediate(resolve));
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

describe('a queue of packets', () => {
  it('gives them in their order, and waits for the next', async () => {
    const { make } = packets();
    const queue = new PacketQueue();
    const [first, second] = [make(1), make(2)];
    queue.push(first);
    assert.equal(await queue.shift(), first);
    const waiting = queue.shift();
    assert.equal(await isSettled(waiting), false);
    queue.push(second);
    assert.equal(await waiting, second);
  });

  it('that is closed gives what it has, then null', async () => {
    const { make, freed } = packets();
    const queue = new PacketQueue();
    queue.push(make(1));
    queue.push('end');
    queue.close();
    queue.push(make(2));
    assert.equal((await queue.shift()) !== null, true);
    assert.deepEqual([await queue.shift(), await queue.shift()], ['end', null]);
    assert.deepEqual(freed, [2]);
  });

  it('that is closed lets go who waits', async () => {
    const queue = new PacketQueue();
    const waiting = queue.shift();
    queue.close();
    assert.equal(await waiting, null);
  });

  it('that is cleared frees everything', async () => {
    const { make, freed } = packets();
    const queue = new PacketQueue();
    for (const id of [1, 2, 3]) queue.push(make(id));
    queue.push('end');
    queue.clear();
    assert.deepEqual([await queue.shift(), freed], [null, [1, 2, 3]]);
  });

  it('is bounded: the reader waits once all are full, until one is taken from', async () => {
    const { make } = packets();
    const [video, audio] = [new PacketQueue(), new PacketQueue()];
    for (let id = 0; id < 200; id++) video.push(make(id));
    assert.equal(await isSettled(PacketQueue.untilRoom([video, audio])), true);
    for (let id = 0; id < 200; id++) audio.push(make(id));
    const waiting = PacketQueue.untilRoom([video, audio]);
    assert.equal(await isSettled(waiting), false);
    await audio.shift();
    assert.equal(await isSettled(waiting), true);
  });

  it('is bounded: one of them never holds more than 4000, however empty the other', async () => {
    const { make } = packets();
    const [video, audio] = [new PacketQueue(), new PacketQueue()];
    for (let id = 0; id < 3_999; id++) video.push(make(id));
    assert.equal(await isSettled(PacketQueue.untilRoom([video, audio])), true);
    video.push(make(4_000));
    const waiting = PacketQueue.untilRoom([video, audio]);
    assert.equal(await isSettled(waiting), false);
    video.clear();
    await waiting;
  });
});
