import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { KeyPair } from '../../config/index.ts';
import type { Clock } from '../clock.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { FlowHandlers } from './flow.ts';
import { STREAM_LIMITS, type StreamLimits, streamFlow } from './stream-flow.ts';

export interface StreamOptions {
  readonly address: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** With a certificate the transport is TLS, without it is TCP. */
  readonly tls: KeyPair | null;
  readonly clock: Clock;
  readonly connections: ConnectionLimits;
  readonly handlers: FlowHandlers;
  readonly limits?: Partial<StreamLimits & HandshakeLimit>;
}

interface HandshakeLimit {
  readonly handshakeMs: number;
}

/** A handshake is two flights each way; time for those over the worst of mobile networks. */
const LIMITS = { ...STREAM_LIMITS, handshakeMs: 10_000 };

/** SIP over TCP or TLS: a flow for each connection. */
export class StreamTransport {
  readonly #server: Server;
  /** The same, when it speaks TLS. */
  readonly #tls: TlsServer | null;
  readonly #sockets = new Set<Socket>();

  /** Resolves once bound; rejects with the system's error. */
  static async listen(options: StreamOptions): Promise<StreamTransport> {
    const transport = new StreamTransport(options);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    transport.#server.once('error', reject);
    transport.#server.listen({ host: options.address, port: options.port, ipv6Only: true }, resolve);
    await promise;
    // From now on an error concerns one connection that could not be accepted, not the server.
    transport.#server.off('error', reject).on('error', () => undefined);
    return transport;
  }

  private constructor(options: StreamOptions) {
    const { tls } = options;
    const limits = { ...LIMITS, ...options.limits };
    this.#tls =
      tls === null
        ? null
        : createTlsServer({ ...secureOptions(tls), noDelay: true, handshakeTimeout: limits.handshakeMs });
    this.#server = this.#tls ?? createServer({ noDelay: true });
    this.#server.on('connection', socket => admit(socket, options.connections));
    this.#server.on(tls === null ? 'connection' : 'secureConnection', socket => {
      // A handshake that was under way when we closed; and what was not admitted.
      if (!this.#server.listening || socket.destroyed) return void socket.destroy();
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      streamFlow(socket, { ...options, transport: tls === null ? 'tcp' : 'tls', limits, pingRandom: null });
    });
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
}

/** Before any handshake, which costs us more than it costs the peer. */
function admit(socket: Socket, connections: ConnectionLimits): void {
  const release = socket.remoteAddress === undefined ? null : connections.admit(socket.remoteAddress);
  if (release === null) return void socket.destroy();
  socket.on('close', release);
}

function secureOptions({ certificate, key }: KeyPair) {
  // RFC 8996: nothing before TLS 1.2.
  return { cert: certificate, key, minVersion: 'TLSv1.2' } as const;
}
