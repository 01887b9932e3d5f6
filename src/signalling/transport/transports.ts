import { networkInterfaces } from 'node:os';
import type { WebSocket } from 'ws';
import type { KeyPair } from '../../config/index.ts';
import { DialcastError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import { ConnectionLimits, type MostConnections } from './connection-limits.ts';
import type { Flow, FlowHandlers } from './flow.ts';
import { LocalAddresses } from './local-address.ts';
import { StreamTransport } from './stream.ts';
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
  /** Of TCP, TLS and WebSocket together. */
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
 * Every way into the SIP server: its own sockets, and the WebSockets that it is handed. IPv6 sockets take IPv6 alone, so
 * that an address of one family is never another one's in disguise (RFC 4291 §2.5.5.2).
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

  constructor({ clock, connections = CONNECTIONS, isTrusted, handlers }: TransportsOptions) {
    this.#handlers = handlers;
    this.#clock = clock;
    this.#connections = new ConnectionLimits(connections, isTrusted);
    this.#locals = new LocalAddresses(networkInterfaces, () => clock.nowMs());
  }

  /** Opens the sockets and tells their ports. Rejects with LISTEN_FAILED. */
  async listen({ addresses, udp, tcp, tls }: ListenOptions): Promise<ListenPorts> {
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

  /** The way to an address over UDP; null when no socket of ours leads there. */
  udpFlow(address: string, port: number): Flow | null {
    return this.#udp.find(transport => transport.reaches(address))?.flow(address, port) ?? null;
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
    for (const transport of this.#open) transport.close();
  }
}
