import type { Packet } from 'node-av/lib';

/** A group that is longer, or has more bytes, is not kept: it would be no help to decode all of it. */
const MOST_PACKETS = 900;
const MOST_BYTES = 16 * 2 ** 20;

/** What a decoder needs that is to go on at the stream's newest packet: the last key frame's packet and all after it. */
export class GroupOfPictures {
  #packets: Packet[] = [];
  #bytes = 0;
  #isWhole = false;

  get packets(): readonly Packet[] {
    return this.#packets;
  }

  /** Takes over the packet, and frees it when a decoder has no more need of it; false when it stays the caller's. */
  push(packet: Packet): boolean {
    if (packet.isKeyframe) {
      this.clear();
      this.#isWhole = true;
    }
    if (this.#packets.length >= MOST_PACKETS || this.#bytes + packet.size > MOST_BYTES) this.clear();
    if (!this.#isWhole) return false;
    this.#packets.push(packet);
    this.#bytes += packet.size;
    return true;
  }

  clear(): void {
    for (const packet of this.#packets) packet.free();
    this.#packets = [];
    this.#bytes = 0;
    this.#isWhole = false;
  }
}
