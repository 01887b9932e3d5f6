import { BlockList, isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

/** How long a look at the interfaces is good for. */
const REFRESH_MS = 10_000;

/** Tells which of our addresses a peer reaches us at, for sockets that are bound to all of them. */
export class LocalAddresses {
  readonly #interfaces: () => NodeJS.Dict<NetworkInterfaceInfo[]>;
  readonly #nowMs: () => number;
  #known: { address: string; family: 'ipv4' | 'ipv6'; internal: boolean; subnet: BlockList }[] = [];
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(interfaces: () => NodeJS.Dict<NetworkInterfaceInfo[]>, nowMs: () => number) {
    this.#interfaces = interfaces;
    this.#nowMs = nowMs;
  }

  /** `bound` when that is one address; else ours in the peer's subnet, else the first that is not loopback. */
  towards(remote: string, bound: string): string {
    if (bound !== '0.0.0.0' && bound !== '::') return bound;
    this.#look();
    const family = isIPv6(remote) ? 'ipv6' : 'ipv4';
    const candidates = this.#known.filter(known => known.family === family);
    const near = candidates.find(({ subnet }) => subnet.check(remote, family));
    const any = candidates.find(({ internal }) => !internal);
    return (near ?? any ?? candidates[0])?.address ?? bound;
  }

  #look(): void {
    if (this.#nowMs() - this.#lookedAtMs < REFRESH_MS) return;
    this.#lookedAtMs = this.#nowMs();
    const all = Object.values(this.#interfaces()).flatMap(list => list ?? []);
    this.#known = all.map(({ address, cidr, internal }) => {
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      const subnet = new BlockList();
      subnet.addSubnet(address, Number(cidr?.split('/')[1] ?? (family === 'ipv6' ? 128 : 32)), family);
      return { address, family, internal, subnet };
    });
  }
}
