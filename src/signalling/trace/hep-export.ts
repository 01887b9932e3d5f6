import { encodeHep } from './hep.ts';
import { readable } from './readable.ts';
import type { WireMessage } from './trace.ts';

export interface HepExportOptions {
  readonly captureId: number;
  /** Takes credentials out of a text. */
  readonly redact: (text: string) => string;
  /** Sends a datagram to the collector, or does not: what is lost is not missed. */
  readonly send: (packet: Buffer) => void;
}

/** Tells a Homer server every SIP message, as people may read it. */
export class HepExport {
  readonly #options: HepExportOptions;

  constructor(options: HepExportOptions) {
    this.#options = options;
  }

  export({ atMs, direction, flow, bytes, sipCallId }: WireMessage): void {
    const { captureId, redact, send } = this.#options;
    const local = { address: flow.localAddress, port: flow.localPort };
    const remote = { address: flow.remoteAddress, port: flow.remotePort };
    const packet = encodeHep({
      source: direction === 'in' ? remote : local,
      destination: direction === 'in' ? local : remote,
      protocol: flow.transport === 'udp' ? 'udp' : 'tcp',
      atMs,
      captureId,
      correlationId: sipCallId,
      payload: Buffer.from(readable(bytes, bytes.length, redact)),
    });
    send(packet);
  }
}
