import { DialcastError } from '../errors.ts';
import type { UdpSocket } from './native.ts';

/** An RTP socket and its RTCP socket on the next port (RFC 3550 §11). */
export interface PortPair {
  readonly rtp: UdpSocket;
  readonly rtcp: UdpSocket;
  close(): void;
}

/** Hands out port pairs for plain RTP, each from an even port on, going round the range. */
export class RtpPorts {
  readonly #first: number;
  readonly #pairs: number;
  readonly #taken = new Set<number>();
  #next = 0;

  /** `first` and `last` are inclusive. */
  constructor(range: { first: number; last: number }) {
    this.#first = range.first + (range.first % 2);
    this.#pairs = Math.floor((range.last - this.#first + 1) / 2);
  }

  get inUse(): number {
    return this.#taken.size;
  }

  /** Throws RTP_PORTS_EXHAUSTED when no pair is left. `open` throws when a port belongs to another program. */
  allocate(open: (port: number, role: 'rtp' | 'rtcp') => UdpSocket): PortPair {
    for (let tried = 0; tried < this.#pairs; tried++) {
      const pair = this.#next;
      this.#next = (this.#next + 1) % this.#pairs;
      if (this.#taken.has(pair)) continue;
      const sockets = openBoth(this.#first + 2 * pair, open);
      if (sockets === null) continue;
      this.#taken.add(pair);
      const close = () => {
        sockets.rtp.close();
        sockets.rtcp.close();
        this.#taken.delete(pair);
      };
      return { ...sockets, close };
    }
    throw new DialcastError('RTP_PORTS_EXHAUSTED', `no free pair among ${this.#pairs} from port ${this.#first} on`);
  }
}

function openBoth(
  port: number,
  open: (port: number, role: 'rtp' | 'rtcp') => UdpSocket,
): { rtp: UdpSocket; rtcp: UdpSocket } | null {
  let rtp: UdpSocket | null = null;
  try {
    rtp = open(port, 'rtp');
    return { rtp, rtcp: open(port + 1, 'rtcp') };
  } catch {
    // Taken by another program; the caller goes on to the next pair.
    rtp?.close();
    return null;
  }
}
