import type { Packet } from 'node-av/lib';

/** A packet, or the end of a pass through a film. */
export type Queued = Packet | 'end';

/** Seconds of any film, and little memory: packets are compressed. */
const ROOM = 200;
/** A badly interleaved file may need more of one stream before the other's next packet comes. */
const MOST = 4_000;
/** Packets of a hostile source, or of one of 100 Mb/s. */
const MOST_BYTES = 64 * 2 ** 20;

/** Packets of one stream between the reader and the player. */
export class PacketQueue {
  readonly #items: Queued[] = [];
  #bytes = 0;
  #closed = false;
  #changed = Promise.withResolvers<void>();

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  push(item: Queued): void {
    if (this.#closed) return free(item);
    this.#items.push(item);
    this.#bytes += sizeOf(item);
    this.#wake();
  }

  /** The next item; null when there will be none. */
  async shift(): Promise<Queued | null> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) {
        this.#bytes -= sizeOf(item);
        this.#wake();
        return item;
      }
      if (this.#closed) return null;
      await this.#changed.promise;
    }
  }

  /** Nothing more will come; what is there can still be taken. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Nothing more will come, and what is there is not wanted. */
  clear(): void {
    this.close();
    for (const item of this.#items.splice(0)) free(item);
    this.#bytes = 0;
    this.#wake();
  }

  /** Is every queue full, or one of them beyond measure. */
  static areFull(queues: readonly PacketQueue[]): boolean {
    return queues.every(queue => queue.#items.length >= ROOM) || queues.some(queue => queue.#isFull);
  }

  /** Waits while they are full. */
  static async untilRoom(queues: readonly PacketQueue[]): Promise<void> {
    while (PacketQueue.areFull(queues)) await Promise.race(queues.map(queue => queue.#changed.promise));
  }

  get #isFull(): boolean {
    return this.#items.length >= MOST || this.#bytes >= MOST_BYTES;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function sizeOf(item: Queued): number {
  return item === 'end' ? 0 : item.size;
}

function free(item: Queued): void {
  if (item !== 'end') item.free();
}
