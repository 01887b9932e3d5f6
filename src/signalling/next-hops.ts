import type { Dialog } from './dialog/index.ts';
import { parseUri, type SipUri } from './message/index.ts';
import type { Platforms } from './platforms.ts';
import type { Registrar } from './registrar/index.ts';
import { type NextHop, nextHop, type resolveTargets } from './resolution/index.ts';
import type { Flow, Transports } from './transport/index.ts';

export interface NextHopPorts {
  readonly transports: Transports;
  readonly registrar: Registrar;
  readonly platforms: Platforms;
  readonly isTrusted: (address: string) => boolean;
  readonly resolve: (hop: NextHop) => ReturnType<typeof resolveTargets>;
}

/** Finds a new way to where a dialog's requests go, when the one that they went by is gone. */
export class NextHops {
  readonly #ports: NextHopPorts;

  constructor(ports: NextHopPorts) {
    this.#ports = ports;
  }

  /**
   * A way to the dialog's next hop that is as private as the one that is gone. A caller may name any host and port as his
   * own: we open connections to the address from which he called and to proxies of ours. Never rejects.
   */
  async reach({ nextHop: uri, flow }: Dialog): Promise<Flow | null> {
    const { transports, platforms, resolve, isTrusted } = this.#ports;
    const parsed = parseUri(uri);
    const hop = parsed === null ? null : nextHop(parsed);
    if (hop === null) return null;
    const secure = hop.secure || flow.transport === 'tls';
    const device = this.#deviceFlow(uri, parsed!, secure);
    if (device !== null) return device;
    for (const target of await resolve({ ...hop, secure })) {
      if (target.address !== flow.remoteAddress && !isTrusted(target.address)) continue;
      const registered = platforms.flowTo(target);
      if (registered !== null) return registered;
      const connection = await transports.connect(target);
      if ('flow' in connection) return connection.flow;
    }
    return null;
  }

  /** The flow that a device has with us now, when the URI is its GRUU and we gave it that (RFC 5627). */
  #deviceFlow(uri: string, { parameters }: SipUri, secure: boolean): Flow | null {
    if (!parameters.has('gr')) return null;
    const flows = this.#ports.registrar.find(uri).map(({ flow }) => flow);
    return flows.find(flow => flow !== null && (!secure || ['tls', 'wss'].includes(flow.transport))) ?? null;
  }
}
