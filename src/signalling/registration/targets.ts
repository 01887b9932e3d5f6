import { isIP } from 'node:net';

/** Where a request can be sent. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

/** The part of node:dns/promises that is used here. Both reject when there is nothing. */
export interface Resolver {
  resolveSrv(name: string): Promise<readonly { name: string; port: number; priority: number; weight: number }[]>;
  lookup(name: string, options: { all: true }): Promise<readonly { address: string }[]>;
}

/** RFC 3261 §19.1.2. */
const DEFAULT_PORT = 5060;

/**
 * Where to send to over UDP, the best first (RFC 3263 §4.2): an address or a port stands for itself; a bare name is
 * looked up in SRV and, when it has none, as a host. Empty when the name is unknown.
 */
export async function resolveTargets(
  host: string,
  port: number | null,
  resolver: Resolver,
  random: () => number,
): Promise<Target[]> {
  if (isIP(host) !== 0) return [{ address: host, port: port ?? DEFAULT_PORT }];
  if (port !== null) return addresses(host, port, resolver);
  const services = await resolver.resolveSrv(`_sip._udp.${host}`).catch(() => []);
  if (services.length === 0) return addresses(host, DEFAULT_PORT, resolver);
  // RFC 2782: lower priorities first; within one, a lot in which weights count.
  const drawn = services.map(service => ({ ...service, lot: random() ** (1 / Math.max(service.weight, 0.001)) }));
  drawn.sort((a, b) => a.priority - b.priority || b.lot - a.lot);
  const found = await Promise.all(drawn.map(service => addresses(service.name, service.port, resolver)));
  return found.flat();
}

async function addresses(host: string, port: number, resolver: Resolver): Promise<Target[]> {
  const found = await resolver.lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => ({ address, port }));
}
