import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

export interface HepCollector {
  /** IPv4 or IPv6: a name would be looked up for every message. */
  readonly address: string;
  readonly port: number;
}

/** What the kernel has not taken yet; beyond it messages are left out, since nobody waits for them. */
const UNSENT_BYTES = 2 ** 20;

/** The way to a Homer server: datagrams that nobody acknowledges. */
export class HepSocket {
  readonly #collector: HepCollector;
  readonly #socket: Socket;

  constructor(collector: HepCollector) {
    this.#collector = collector;
    this.#socket = createSocket(isIPv6(collector.address) ? 'udp6' : 'udp4');
    // It concerns one datagram, and that one is lost.
    this.#socket.on('error', () => undefined).unref();
  }

  send(packet: Buffer): void {
    if (this.#socket.getSendQueueSize() > UNSENT_BYTES) return;
    this.#socket.send(packet, this.#collector.port, this.#collector.address, () => undefined);
  }

  close(): void {
    this.#socket.close();
  }
}
