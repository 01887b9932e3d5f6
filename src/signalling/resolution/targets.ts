import { isIP } from 'node:net';
import type { OutgoingTransport, Target } from '../transport/index.ts';
import type { NextHop } from './next-hop.ts';

/** The part of node:dns/promises that is used here. All reject when there is nothing. */
export interface Resolver {
  resolveNaptr(name: string): Promise<readonly Naptr[]>;
  resolveSrv(name: string): Promise<readonly Srv[]>;
  lookup(name: string, options: { all: true }): Promise<readonly { address: string }[]>;
}

/** RFC 3403 §4.1. */
interface Naptr {
  readonly flags: string;
  readonly service: string;
  readonly replacement: string;
  readonly order: number;
  readonly preference: number;
}

/** RFC 2782. */
interface Srv {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** A host, or its address, at which one transport is served. */
interface Server {
  readonly transport: OutgoingTransport;
  readonly name: string;
  readonly port: number;
}

/** What DNS calls each transport (RFC 3263 §4.1), and its port (RFC 3261 §19.1.2). */
const TRANSPORTS: Readonly<
  Record<OutgoingTransport, { readonly naptr: string; readonly srv: string; readonly port: number }>
> = {
  udp: { naptr: 'SIP+D2U', srv: '_sip._udp', port: 5060 },
  tcp: { naptr: 'SIP+D2T', srv: '_sip._tcp', port: 5060 },
  tls: { naptr: 'SIPS+D2T', srv: '_sips._tcp', port: 5061 },
};
/** Where the other side prefers none. */
const PREFERENCE: readonly OutgoingTransport[] = ['udp', 'tcp', 'tls'];

/** Names are somebody else's: no more of their records are followed, and no more targets told. */
const MOST_RECORDS = 8;
const MOST_TARGETS = 16;

/**
 * Where to send to, the best first (RFC 3263 §4): whoever gets no answer at one target goes on to the next. Empty when
 * the name is unknown, or offers no transport that may be used.
 */
export async function resolveTargets(hop: NextHop, resolver: Resolver, random: () => number): Promise<Target[]> {
  const found = await Promise.all(
    (await servers(hop, resolver, random)).map(async ({ name, ...server }) => {
      const addresses =
        isIP(name) === 0 ? await resolver.lookup(name, { all: true }).catch(() => []) : [{ address: name }];
      return addresses
        .slice(0, MOST_RECORDS)
        .map(({ address }): Target => ({ ...server, address, serverName: hop.host }));
    }),
  );
  return found.flat().slice(0, MOST_TARGETS);
}

async function servers(hop: NextHop, resolver: Resolver, random: () => number): Promise<readonly Server[]> {
  const { host, port } = hop;
  const transport = hop.secure ? 'tls' : (hop.transport ?? 'udp');
  const self = { transport, name: host, port: port ?? TRANSPORTS[transport].port };
  // §4.2: an address or a port leaves nothing to be asked.
  if (isIP(host) !== 0 || port !== null) return [self];
  const offers = await Promise.all(
    (await services(hop, resolver)).map(async ({ name, transport }) => {
      const records = await resolver.resolveSrv(name).catch(() => []);
      return drawn(records, random).map(record => ({ transport, name: record.name, port: record.port }));
    }),
  );
  const offered = offers.flat();
  // §4.2: a name without services is a host. RFC 2782: a service at the root is not to be had.
  return offered.length === 0 ? [self] : offered.filter(({ name }) => name !== '').slice(0, MOST_TARGETS);
}

/** Which SRV records to ask for (§4.1): those that NAPTR names, else those of every transport that may be used. */
async function services({ host, transport, secure }: NextHop, resolver: Resolver) {
  const usable = secure ? (['tls'] as const) : transport === null ? PREFERENCE : [transport];
  // Whoever names the transport has nothing to learn from NAPTR.
  const records = transport === null ? await resolver.resolveNaptr(host).catch(() => []) : [];
  const named = [...records]
    .sort((a, b) => a.order - b.order || a.preference - b.preference)
    .flatMap(({ flags, service, replacement }) => {
      const transport = usable.find(each => TRANSPORTS[each].naptr === service.toUpperCase());
      return transport === undefined || flags.toLowerCase() !== 's' ? [] : [{ transport, name: replacement }];
    });
  const usual = usable.map(each => ({ transport: each, name: `${TRANSPORTS[each].srv}.${host}` }));
  return named.length === 0 ? usual : named.slice(0, MOST_RECORDS);
}

/** RFC 2782: lower priorities first; within one, a lot in which weights count. */
function drawn(records: readonly Srv[], random: () => number): readonly Srv[] {
  return records
    .map(record => ({ ...record, lot: random() ** (1 / Math.max(record.weight, 0.001)) }))
    .sort((a, b) => a.priority - b.priority || b.lot - a.lot)
    .slice(0, MOST_RECORDS);
}
