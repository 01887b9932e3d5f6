import { DigestClient } from './authentication/index.ts';
import { type BranchPorts, type CallTarget, type CallTargets, ClientSession } from './dialog/index.ts';
import { formatHost, type Header, parseNameAddr, parseUri } from './message/index.ts';
import type { Target as Binding, Registrar } from './registrar/index.ts';
import { type NextHop, nextHop } from './resolution/index.ts';
import type { Trace } from './trace/index.ts';
import type { Connection, Flow, Target } from './transport/index.ts';
import type { CallIdentity, CallRequest, OutgoingCall, Rejection } from './types.ts';

export interface OutgoingCallsOptions {
  readonly ports: BranchPorts;
  readonly registrar: Pick<Registrar, 'find'>;
  readonly resolve: (hop: NextHop) => Promise<readonly Target[]>;
  readonly connect: (target: Target) => Promise<Connection>;
  /** Is this the address of a proxy of ours. */
  readonly isTrusted: (address: string) => boolean;
  /** May anybody register: then the address of a datagram may be forged. */
  readonly guests: boolean;
  /** A tag, Call-ID or client nonce: unique, and nobody's guess. */
  readonly token: () => string;
  readonly trace?: Trace | undefined;
}

type PlatformWay = NonNullable<CallIdentity['registration']>;

const RING_TIMEOUT_MS = 60_000;
/**
 * Phones of one guest over UDP that are asked, each with one datagram until it answers. Sent again for 32 seconds to
 * eight that somebody made up, a REFER would be a hundred times its size to whoever is named there.
 */
const MOST_UNPROVED = 2;
const NEEDS_WEBRTC: Rejection = { status: 488, reason: 'A browser takes no plain RTP' };

/** The calls that we make, and whom we may reach: who registered here, and the users of a platform through that platform. */
export class OutgoingCalls {
  readonly #options: OutgoingCallsOptions;
  readonly #calls = new Set<ClientSession>();

  constructor(options: OutgoingCallsOptions) {
    this.#options = options;
  }

  /** Is it somebody who is registered here, or a user of the platform to which this identity belongs. */
  mayCall(to: string, identity: CallIdentity): boolean {
    return this.#way(to, identity) !== null || this.#options.registrar.find(to).length > 0;
  }

  /** Calls somebody; what becomes of it, the handlers hear. */
  call(request: CallRequest): OutgoingCall {
    const { ports, token, trace } = this.#options;
    const { to, identity, offer, handlers, replaces, referredBy, ringTimeoutMs = RING_TIMEOUT_MS } = request;
    const registration = this.#way(to, identity);
    const headers: Header[] = [];
    // RFC 3891 §4: whoever does not know Replaces would ring as for any call.
    if (replaces !== null) headers.push(['replaces', replaces], ['require', 'replaces']);
    if (referredBy !== null) headers.push(['referred-by', referredBy]);
    const session: ClientSession = new ClientSession({
      identity: { uri: identity.uri, registration },
      invitation: {
        callId: token(),
        localTag: token(),
        from: registration === null ? `<${identity.uri}>` : `<${addressOf(registration)}>`,
        to: `<${to}>`,
        localUser: registration?.account.channel ?? parseUri(identity.uri)?.user ?? '',
        headers,
        digest: registration === null ? null : new DigestClient(registration.account, token),
      },
      offer,
      targets: () => this.#find(to, registration),
      redirect: async uri => {
        const found = await this.#find(uri, registration);
        return 'status' in found ? [] : found.flat();
      },
      ringTimeoutMs,
      handlers,
      ports,
      settled: () => {
        this.#calls.delete(session);
        // The dialogs that it led to have begun by themselves.
        trace?.end(session.sipCallId);
      },
    });
    this.#calls.add(session);
    trace?.begin(session.id, session.sipCallId);
    void session.start();
    return session;
  }

  /** A connection closed. */
  disconnected(flow: Flow): void {
    for (const call of this.#calls) call.disconnected(flow);
  }

  /** Ends what has no answer yet. */
  abandon(reason: string): void {
    for (const call of [...this.#calls]) call.abandon(reason);
  }

  /** The registration through which he is called; null calls him as one who is registered here. */
  #way(uri: string, { registration }: CallIdentity): CallIdentity['registration'] {
    return parseUri(uri)?.host === registration?.account.registrar.host.toLowerCase() ? registration : null;
  }

  async #find(uri: string, registration: PlatformWay | null): Promise<CallTargets> {
    return registration === null ? this.#findRegistered(uri) : this.#findThrough(registration, uri);
  }

  /** A user of the platform, by way of the connection on which it knows us. */
  #findThrough({ account, flow }: PlatformWay, uri: string): CallTargets {
    // A redirection may name somebody else's domain.
    if (flow === null || parseUri(uri)?.host !== account.registrar.host.toLowerCase()) return [];
    return [[{ uri, route: [], flow, isProved: true }]];
  }

  async #findRegistered(uri: string): Promise<CallTargets> {
    const bindings = this.#options.registrar.find(uri);
    const found = await Promise.all(oneOfEachDevice(bindings).map(binding => this.#reach(binding)));
    const reached = found.filter(each => each !== null);
    // Our offer is plain RTP.
    const phones = reached.filter(({ flow }) => flow.transport !== 'ws' && flow.transport !== 'wss');
    if (phones.length === 0 && reached.length > 0) return NEEDS_WEBRTC;
    // RFC 3261 §20.10: in rounds of one q.
    const unproved = phones.filter(({ isProved }) => !isProved).slice(MOST_UNPROVED);
    const rounds = Map.groupBy(
      phones.filter(phone => !unproved.includes(phone)),
      ({ q }) => q,
    );
    return [...rounds.values()];
  }

  /**
   * Whoever registers may name any host as the one where he is: he is called at the far end of his own flow, or through
   * a proxy of ours that put itself in the path, and nowhere else.
   */
  async #reach({ uri, path, flow, q }: Binding): Promise<(CallTarget & { readonly q: number }) | null> {
    if (flow !== null) return { uri, route: path, flow, q, isProved: flow.reliable || !this.#options.guests };
    const [first] = path;
    const router = first === undefined ? null : parseUri(parseNameAddr(first)?.uri ?? '');
    const hop = router === null ? null : nextHop(router);
    if (hop === null) return null;
    for (const target of await this.#options.resolve(hop)) {
      if (!this.#options.isTrusted(target.address)) continue;
      const connection = await this.#options.connect(target);
      if ('flow' in connection) return { uri, route: path, flow: connection.flow, q, isProved: true };
    }
    return null;
  }
}

/** RFC 5626 §7: a device with several flows is asked by the first of them. */
function oneOfEachDevice(bindings: readonly Binding[]): readonly Binding[] {
  return bindings.filter(
    ({ instance }, index) => instance === null || bindings.findIndex(each => each.instance === instance) === index,
  );
}

/** The address of a subscriber of a platform. */
function addressOf({ account }: PlatformWay): string {
  return `sip:${encodeURIComponent(account.user)}@${formatHost(account.registrar.host)}`;
}
