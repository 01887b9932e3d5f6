import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { KeyPair } from '../../config/index.ts';
import type { FlowHandlers } from './flow.ts';
import { acceptStream } from './stream-flow.ts';

export interface StreamOptions {
  readonly address: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** With a certificate the transport is TLS, without it is TCP. */
  readonly tls: KeyPair | null;
  readonly handshakeTimeoutMs?: number;
}

const MOST_CONNECTIONS = 10_000;

/** Two flights each way, over the worst of mobile networks. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** SIP over TCP or TLS: a flow for each connection. */
export class StreamTransport {
  readonly #server: Server;
  /** The same, when it speaks TLS. */
  readonly #tls: TlsServer | null;
  readonly #sockets = new Set<Socket>();

  /** Resolves once bound; rejects with the system's error. */
  static async listen(options: StreamOptions, handlers: FlowHandlers): Promise<StreamTransport> {
    const transport = new StreamTransport(options, handlers);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    transport.#server.once('error', reject);
    transport.#server.listen({ host: options.address, port: options.port, ipv6Only: true }, resolve);
    await promise;
    // From now on an error concerns one connection that could not be accepted, not the server.
    transport.#server.off('error', reject).on('error', () => undefined);
    return transport;
  }

  private constructor({ tls, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS }: StreamOptions, handlers: FlowHandlers) {
    this.#tls =
      tls === null
        ? null
        : createTlsServer({ ...secureOptions(tls), noDelay: true, handshakeTimeout: handshakeTimeoutMs });
    this.#server = this.#tls ?? createServer({ noDelay: true });
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.on(tls === null ? 'connection' : 'secureConnection', socket => this.#accept(socket, handlers));
    // A handshake that failed, or took too long.
    this.#tls?.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Connections from now on get this certificate. */
  renew(pair: KeyPair): void {
    this.#tls?.setSecureContext(secureOptions(pair));
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroySoon();
  }

  #accept(socket: Socket, handlers: FlowHandlers): void {
    // A handshake that was under way when we closed.
    if (!this.#server.listening) return void socket.destroy();
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    acceptStream(socket, this.#tls === null ? 'tcp' : 'tls', handlers);
  }
}

function secureOptions({ certificate, key }: KeyPair) {
  // RFC 8996: nothing before TLS 1.2.
  return { cert: certificate, key, minVersion: 'TLSv1.2' } as const;
}
