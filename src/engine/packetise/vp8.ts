import type { Packetiser, Packets } from './packetiser.ts';
import { asBuffer, equalFragmentBytes, PayloadBuffer } from './payload-buffer.ts';

const DESCRIPTOR_BYTES = 1;
const START_OF_PARTITION = 0x10;

/**
 * VP8 (RFC 7741 §4.2), with the one-octet descriptor
 *
 *      0 1 2 3 4 5 6 7
 *     +-+-+-+-+-+-----+
 *     |X|R|N|S|R| PID |   X=0: no extension; S=1 begins a partition; PID=0: the frame is not cut at its partitions
 *     +-+-+-+-+-+-----+
 *
 * Without a picture ID a viewer can be moved to another rendition of the same channel with nothing to rewrite; the
 * sequence numbers show every loss.
 */
export class Vp8Packetiser implements Packetiser {
  readonly dropped = 0;
  readonly #buffer = new PayloadBuffer();

  packetise(accessUnit: Uint8Array, maxPayloadBytes: number): Packets {
    const buffer = this.#buffer;
    const frame = asBuffer(accessUnit);
    const fragmentBytes = equalFragmentBytes(frame.length, maxPayloadBytes - DESCRIPTOR_BYTES);
    buffer.reset();
    for (let start = 0; start < frame.length; start += fragmentBytes) {
      buffer.begin();
      buffer.writeUint8(start === 0 ? START_OF_PARTITION : 0);
      buffer.write(frame, start, Math.min(start + fragmentBytes, frame.length));
    }
    return buffer.packets(true);
  }
}
