import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { WebSocket } from 'ws';
import type { KeyPair } from '../../config/index.ts';
import { DialcastError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import { ConnectionLimits, type MostConnections } from './connection-limits.ts';
import { type Connection, Connector } from './connector.ts';
import type { Flow, FlowHandlers } from './flow.ts';
import { LocalAddresses } from './local-address.ts';
import { StreamTransport } from './stream.ts';
import type { Target } from './target.ts';
import { UdpTransport } from './udp.ts';
import { acceptWebSocket, type WebSocketPeer } from './websocket.ts';

/** Where to listen; null leaves a transport out, port 0 picks a free one. */
export interface ListenOptions {
  readonly addresses: readonly string[];
  readonly udp: number | null;
  readonly tcp: number | null;
  readonly tls: { readonly port: number; readonly pair: KeyPair } | null;
}

/** One port for each transport, the same at every address. */
export interface ListenPorts {
  readonly udp: number | null;
  readonly tcp: number | null;
  readonly tls: number | null;
}

/** When nothing else is said. */
const CONNECTIONS: MostConnections = { total: 10_000, perSource: 1_000 };

export interface TransportsOptions {
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** Of TCP, TLS and WebSocket together; as many again may be opened by us. */
  readonly connections?: MostConnections;
  /** Is this the address of a proxy of ours; none is by default. */
  readonly isTrusted?: ((address: string) => boolean) | undefined;
  readonly handlers: FlowHandlers;
}

interface Transport {
  readonly port: number;
  close(): void;
}

/**
 * Every way into the SIP server and out of it: its own sockets, and the WebSockets that it is handed. IPv6 sockets take
 * IPv6 alone, so that an address of one family is never another one's in disguise (RFC 4291 §2.5.5.2).
 */
export class Transports {
  readonly #handlers: FlowHandlers;
  readonly #clock: Clock;
  readonly #connections: ConnectionLimits;
  readonly #locals: LocalAddresses;
  readonly #open: Transport[] = [];
  readonly #udp: UdpTransport[] = [];
  readonly #tls: StreamTransport[] = [];
  readonly #webSockets = new Set<Flow>();
  readonly #connector: Connector;
  #addresses: readonly string[] = [];

  constructor({ clock, random, connections = CONNECTIONS, isTrusted, handlers }: TransportsOptions) {
    this.#handlers = handlers;
    this.#clock = clock;
    this.#connections = new ConnectionLimits(connections, isTrusted);
    this.#connector = new Connector({
      clock,
      random,
      connections: new ConnectionLimits(connections, isTrusted),
      handlers,
    });
    this.#locals = new LocalAddresses(networkInterfaces, () => clock.nowMs());
  }

  /** Opens the sockets and tells their ports. Rejects with LISTEN_FAILED. */
  async listen({ addresses, udp, tcp, tls }: ListenOptions): Promise<ListenPorts> {
    this.#addresses = addresses;
    const shared = { clock: this.#clock, connections: this.#connections, handlers: this.#handlers };
    return {
      udp: await this.#listen('udp', addresses, udp, async (address, port) => {
        const transport = await UdpTransport.listen(address, port, this.#locals, this.#handlers);
        this.#udp.push(transport);
        return transport;
      }),
      tcp: await this.#listen('tcp', addresses, tcp, (address, port) =>
        StreamTransport.listen({ ...shared, address, port, tls: null }),
      ),
      tls: await this.#listen('tls', addresses, tls?.port ?? null, async (address, port) => {
        const transport = await StreamTransport.listen({ ...shared, address, port, tls: tls!.pair });
        this.#tls.push(transport);
        return transport;
      }),
    };
  }

  async #listen(
    name: keyof ListenPorts,
    addresses: readonly string[],
    wanted: number | null,
    open: (address: string, port: number) => Promise<Transport>,
  ): Promise<number | null> {
    if (wanted === null) return null;
    let port = wanted;
    for (const address of addresses) {
      const transport = await open(address, port).catch((cause: Error) => {
        throw new DialcastError('LISTEN_FAILED', `sip.${name}: ${address}:${port}: ${cause.message}`, { cause });
      });
      this.#open.push(transport);
      port = transport.port;
    }
    return port;
  }

  /**
   * A way to somebody else: over UDP, or over a TCP or TLS connection that is open or is opened now. `authorities` are
   * certificates in PEM that are trusted in place of the system's. Never rejects.
   */
  async connect(target: Target, authorities: string | null = null): Promise<Connection> {
    const { transport, address, port } = target;
    const local = this.#addresses.find(each => isIPv6(each) === isIPv6(address));
    const udp = this.#udp.find(each => each.reaches(address));
    if (local === undefined || (transport === 'udp' && udp === undefined)) {
      return { fault: `no ${transport.toUpperCase()} socket of ours leads to ${address}` };
    }
    if (transport === 'udp') return { flow: udp!.flow(address, port) };
    const localAddress = isEvery(local) ? undefined : local;
    return this.#connector.connect(target, { localAddress, authorities });
  }

  /** TLS connections from now on get this certificate. */
  renew(pair: KeyPair): void {
    for (const transport of this.#tls) transport.renew(pair);
  }

  /** Counts a connection that may become a WebSocket: returns how to let it go, or null when it is one too many. */
  admitConnection(remoteAddress: string): (() => void) | null {
    return this.#connections.admit(remoteAddress);
  }

  /** Speaks SIP with a browser whose WebSocket is open. */
  acceptWebSocket(socket: WebSocket, peer: WebSocketPeer): void {
    const flow = acceptWebSocket(socket, peer, this.#clock, this.#handlers);
    this.#webSockets.add(flow);
    socket.once('close', () => this.#webSockets.delete(flow));
  }

  /** How many are open. */
  get webSockets(): number {
    return this.#webSockets.size;
  }

  close(): void {
    for (const flow of this.#webSockets) flow.close();
    this.#connector.close();
    for (const transport of this.#open) transport.close();
  }
}

/** Does it stand for every address of its family. */
function isEvery(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
