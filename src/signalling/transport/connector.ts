import { isIP, connect as openTcp, type Socket } from 'node:net';
import {
  checkServerIdentity,
  createSecureContext,
  getCACertificates,
  connect as openTls,
  type SecureContext,
} from 'node:tls';
import type { Clock } from '../clock.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { Flow, FlowHandlers } from './flow.ts';
import { STREAM_LIMITS, streamFlow } from './stream-flow.ts';
import type { Target } from './target.ts';

/** A way to a target, or why there is none. */
export type Connection = { readonly flow: Flow } | { readonly fault: string };

export interface ConnectorOptions {
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** Apart from those of connections that are opened to us: who floods us does not keep us from going out. */
  readonly connections: ConnectionLimits;
  readonly handlers: FlowHandlers;
}

export interface ConnectOptions {
  /** Where to go out. */
  readonly localAddress: string | undefined;
  /** Certificates in PEM that are trusted in place of the system's; null for those. */
  readonly authorities: string | null;
}

/** For the handshakes of TCP and TLS together; another target may be waiting for its turn. */
export const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Opens TCP and TLS connections to others, one at a time to each, and uses them again while they are open (RFC 3261 §18).
 * A connection that was opened to us is none of them: nothing proves that its far end may speak for an address and port
 * at which somebody else listens (RFC 5923 §9).
 */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #open = new Map<string, Flow>();
  readonly #opening = new Map<string, Promise<Connection>>();
  readonly #sockets = new Set<Socket>();
  #systemContext: SecureContext | null = null;
  #closed = false;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  connect(target: Target, options: ConnectOptions): Promise<Connection> {
    const { transport, address, port, serverName } = target;
    const proof = transport === 'tls' ? [serverName, options.authorities] : [];
    const key = JSON.stringify([transport, address, port, ...proof]);
    const open = this.#open.get(key);
    if (open !== undefined && !open.closed) return Promise.resolve({ flow: open });
    const opening =
      this.#opening.get(key) ??
      this.#dial(target, options, key).finally(() => {
        this.#opening.delete(key);
      });
    this.#opening.set(key, opening);
    return opening;
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroySoon();
  }

  async #dial(target: Target, options: ConnectOptions, key: string): Promise<Connection> {
    const { clock, random, connections, handlers } = this.#options;
    if (this.#closed) return { fault: 'the server is closing' };
    const release = connections.admit(target.address);
    if (release === null) return { fault: 'too many connections are open' };
    const { promise, resolve } = Promise.withResolvers<Connection>();
    const isTls = target.transport === 'tls';
    const socket = isTls ? this.#openTls(target, options) : openTcp(addressOf(target, options));
    this.#sockets.add(socket);
    const timer = clock.setTimer(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('no connection in time')));
    let fault = 'the connection was closed';
    socket.once('error', ({ message }) => {
      fault = message;
    });
    socket.once('close', () => {
      clock.clearTimer(timer);
      release();
      this.#sockets.delete(socket);
      resolve({ fault });
    });
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      clock.clearTimer(timer);
      const transport = isTls ? 'tls' : 'tcp';
      const flow = streamFlow(socket, { transport, clock, limits: STREAM_LIMITS, handlers, pingRandom: random });
      if (flow === null) return;
      this.#open.set(key, flow);
      socket.once('close', () => {
        if (this.#open.get(key) === flow) this.#open.delete(key);
      });
      resolve({ flow });
    });
    return promise;
  }

  #openTls(target: Target, options: ConnectOptions): Socket {
    const { serverName } = target;
    const socket = openTls({
      ...addressOf(target, options),
      secureContext: this.#trusting(options.authorities),
      rejectUnauthorized: true,
      // RFC 6066 §3: an address is no name to ask for.
      servername: isIP(serverName) === 0 ? serverName : '',
      checkServerIdentity: (_name, certificate) => checkServerIdentity(serverName, certificate),
    });
    return socket.setNoDelay(true);
  }

  #trusting(authorities: string | null): SecureContext {
    if (authorities !== null) return context(authorities);
    // Hundreds of certificates are read once.
    this.#systemContext ??= context(systemAuthorities());
    return this.#systemContext;
  }
}

function addressOf({ address, port }: Target, { localAddress }: ConnectOptions) {
  return { host: address, port, localAddress, noDelay: true };
}

function context(ca: string | string[]): SecureContext {
  // RFC 8996: nothing before TLS 1.2.
  return createSecureContext({ ca, minVersion: 'TLSv1.2' });
}

/** What the machine's operator trusts; on a machine that has no such list, what Node carries. */
function systemAuthorities(): string[] {
  const system = getCACertificates('system');
  return system.length > 0 ? system : getCACertificates('default');
}
