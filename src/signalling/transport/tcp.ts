import { createServer, type Server, type Socket } from 'node:net';
import { StreamFramer } from '../message/index.ts';
import type { Flow, FlowHandlers } from './flow.ts';
import { unmapped } from './local-address.ts';

/** A peer that does not read is cut off before it fills our memory. */
const UNSENT_BYTES = 2 ** 20;

/** RFC 3261 §18 leaves it open; longer than the usual registration, so that phones keep their connection. */
const IDLE_TIMEOUT_MS = 2 * 3_600_000;

/** Who opens a connection says something on it. */
const FIRST_MESSAGE_TIMEOUT_MS = 30_000;

const MOST_CONNECTIONS = 10_000;

/** SIP over TCP: a flow for each connection. */
export class TcpTransport {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** Resolves once bound; rejects with the system's error. */
  static async listen(address: string, port: number, handlers: FlowHandlers): Promise<TcpTransport> {
    const transport = new TcpTransport(handlers);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    transport.#server.once('error', reject);
    transport.#server.listen({ host: address, port }, resolve);
    await promise;
    // From now on an error concerns one connection that could not be accepted, not the server.
    transport.#server.off('error', reject).on('error', () => undefined);
    return transport;
  }

  private constructor(handlers: FlowHandlers) {
    this.#server = createServer({ noDelay: true }, socket => this.#accept(socket, handlers));
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroySoon();
  }

  #accept(socket: Socket, handlers: FlowHandlers): void {
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    // Gone before we looked.
    if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy();
    const framer = new StreamFramer();
    const flow: Flow = {
      transport: 'tcp',
      reliable: true,
      remoteAddress: unmapped(remoteAddress),
      remotePort,
      localAddress: unmapped(localAddress!),
      localPort: localPort!,
      get closed() {
        return socket.destroyed || socket.writableEnded;
      },
      send: bytes => {
        const written = write(bytes);
        if (written) handlers.sent(flow);
        return written;
      },
      close: () => socket.destroySoon(),
    };
    const write = (bytes: Buffer | string) => {
      if (flow.closed) return false;
      socket.write(bytes);
      if (socket.writableLength > UNSENT_BYTES) socket.destroy();
      return !socket.destroyed;
    };
    this.#sockets.add(socket);
    socket.setTimeout(FIRST_MESSAGE_TIMEOUT_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      handlers.closed(flow);
    });
    socket.on('data', chunk => {
      for (const framed of framer.push(chunk)) {
        // What was answered before still goes out.
        if (framed.type === 'error') return void socket.destroySoon();
        if (framed.type === 'ping') {
          write('\r\n');
          continue;
        }
        socket.setTimeout(IDLE_TIMEOUT_MS);
        handlers.receive(flow, framed.bytes);
      }
    });
  }
}
