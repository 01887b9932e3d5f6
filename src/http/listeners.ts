import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { DialcastError } from '../errors.ts';
import type { HttpPorts, TlsPair } from './ports.ts';

export interface HttpHandlers {
  readonly admit: HttpPorts['admitConnection'];
  readonly request: (request: IncomingMessage, response: ServerResponse) => void;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface HttpLimits {
  /** A request must have come in whole within this time: a slow sender holds a connection no longer. */
  readonly requestMs: number;
  /** Longer than the minute that load balancers keep an idle connection for, so that they are the ones to close it. */
  readonly keepAliveMs: number;
  readonly handshakeMs: number;
}

const LIMITS: HttpLimits = { requestMs: 10_000, keepAliveMs: 72_000, handshakeMs: 10_000 };

/** The sockets of HTTP or HTTPS: one for each address that is listened at. */
export class HttpListeners {
  readonly #handlers: HttpHandlers;
  readonly #servers: (Server | TlsServer)[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #limits: HttpLimits;
  #pair: TlsPair | null;

  constructor(pair: TlsPair | null, handlers: HttpHandlers, limits: HttpLimits = LIMITS) {
    this.#limits = limits;
    this.#pair = pair;
    this.#handlers = handlers;
  }

  /** Opens them and returns their port, the same at every address. Rejects with LISTEN_FAILED. */
  async listen(addresses: readonly string[], wanted: number): Promise<number> {
    let port = wanted;
    for (const address of addresses) {
      const server = this.#create();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      server.once('error', reject);
      server.listen({ host: address, port, ipv6Only: true }, resolve);
      await promise.catch((cause: Error) => {
        throw new DialcastError('LISTEN_FAILED', `http ${address}:${port}: ${cause.message}`, { cause });
      });
      // From now on an error concerns one connection that could not be accepted, not the server.
      server.off('error', reject).on('error', () => undefined);
      this.#servers.push(server);
      port = (server.address() as AddressInfo).port;
    }
    return port;
  }

  /** Connections from now on get this certificate. */
  renew(pair: TlsPair): void {
    this.#pair = pair;
    for (const server of this.#servers) if ('setSecureContext' in server) server.setSecureContext(secureOptions(pair));
  }

  /** Listens no more and ends every connection that speaks HTTP; WebSockets are left to whoever took them. */
  stop(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  /** Ends what is left: WebSockets, and handshakes that are under way. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #create(): Server | TlsServer {
    const { requestMs, keepAliveMs, handshakeMs } = this.#limits;
    const options = {
      requestTimeout: requestMs,
      headersTimeout: requestMs,
      connectionsCheckingInterval: requestMs / 2,
      keepAliveTimeout: keepAliveMs,
    };
    const server =
      this.#pair === null
        ? createServer(options)
        : createTlsServer({ ...options, ...secureOptions(this.#pair), handshakeTimeout: handshakeMs });
    server.on('connection', (socket: Socket) => {
      // Before any handshake, which costs us more than it costs the peer.
      const release = socket.remoteAddress === undefined ? null : this.#handlers.admit(socket.remoteAddress);
      if (release === null) return void socket.destroy();
      this.#sockets.add(socket);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        release();
      });
    });
    server.on('request', this.#handlers.request);
    server.on('upgrade', this.#handlers.upgrade);
    return server;
  }
}

function secureOptions({ certificate, key }: TlsPair) {
  // RFC 8996: nothing before TLS 1.2.
  return { cert: certificate, key, minVersion: 'TLSv1.2' } as const;
}
