import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** Half of what an RTP time stamp counts to: one that is further ahead of us is behind. */
const HALF = 2 ** 31;

/** A socket for one RTP stream that watches how old its packets are when they come, beside how old the newest were. */
export class StreamAge {
  packets = 0;
  /** Of the latest packet, in milliseconds, more than that of the one that came soonest after its time. */
  ageMs = 0;
  readonly #socket: Socket;
  readonly #clockRateHz: number;
  /** Ours minus the stream's time in its own clock, at the first packet; its time begins anywhere. */
  #offset: number | null = null;
  #least = Number.POSITIVE_INFINITY;

  static async open(clockRateHz: number): Promise<StreamAge> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new StreamAge(socket, clockRateHz);
  }

  private constructor(socket: Socket, clockRateHz: number) {
    this.#socket = socket;
    this.#clockRateHz = clockRateHz;
    socket.on('message', packet => {
      // RFC 5761 §4: RTCP comes to the same port.
      if (packet[1]! >= 192 && packet[1]! <= 223) return;
      this.packets++;
      const now = Math.round((performance.now() / 1000) * this.#clockRateHz);
      const difference = (now - packet.readUInt32BE(4)) >>> 0;
      this.#offset ??= difference;
      const age = ((difference - this.#offset + HALF) >>> 0) - HALF;
      this.#least = Math.min(this.#least, age);
      this.ageMs = ((age - this.#least) / this.#clockRateHz) * 1000;
    });
  }

  get port(): number {
    return this.#socket.address().port;
  }

  close(): void {
    this.#socket.close();
  }
}
