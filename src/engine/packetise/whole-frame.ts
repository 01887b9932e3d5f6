import type { Packetiser, Packets } from './packetiser.ts';
import { asBuffer, PayloadBuffer } from './payload-buffer.ts';

/**
 * Opus (RFC 7587 §4.2) and G.711 (RFC 3551 §4.5.14): a payload is one frame as it stands. The marker bit would begin
 * a talkspurt after silence was left out (RFC 3551 §4.1); nothing is left out here.
 */
export class WholeFramePacketiser implements Packetiser {
  dropped = 0;
  readonly #buffer = new PayloadBuffer();

  packetise(accessUnit: Uint8Array, maxPayloadBytes: number): Packets {
    this.#buffer.reset();
    if (accessUnit.length > maxPayloadBytes) {
      this.dropped++;
    } else if (accessUnit.length > 0) {
      this.#buffer.begin();
      this.#buffer.write(asBuffer(accessUnit), 0, accessUnit.length);
    }
    return this.#buffer.packets(false);
  }
}
