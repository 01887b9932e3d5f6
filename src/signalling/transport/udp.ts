import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Flow, FlowHandlers } from './flow.ts';
import type { LocalAddresses } from './local-address.ts';

/** Bursts of a few thousand requests fit in the kernel. */
const RECEIVE_BUFFER_BYTES = 4 * 2 ** 20;

/** SIP over UDP: one socket, and a flow for each datagram's two ends. */
export class UdpTransport {
  readonly #socket: Socket;
  readonly #bound: string;
  readonly #locals: LocalAddresses;
  readonly #handlers: FlowHandlers;
  #port = 0;
  #closed = false;

  /** Resolves once bound; rejects with the system's error. */
  static async listen(
    address: string,
    port: number,
    locals: LocalAddresses,
    handlers: FlowHandlers,
  ): Promise<UdpTransport> {
    const transport = new UdpTransport(address, locals, handlers);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    transport.#socket.once('error', reject);
    transport.#socket.bind({ address, port, exclusive: true }, resolve);
    await promise.catch(error => {
      transport.close();
      throw error;
    });
    transport.#port = transport.#socket.address().port;
    // From now on an error concerns one datagram (an ICMP message, say), not the socket.
    transport.#socket.off('error', reject).on('error', () => undefined);
    return transport;
  }

  private constructor(address: string, locals: LocalAddresses, handlers: FlowHandlers) {
    this.#bound = address;
    this.#locals = locals;
    this.#handlers = handlers;
    const type = isIPv6(address) ? 'udp6' : 'udp4';
    this.#socket = createSocket({ type, ipv6Only: type === 'udp6', recvBufferSize: RECEIVE_BUFFER_BYTES });
    this.#socket.on('message', (bytes, remote) => {
      // A lone CRLF or NUL keeps a NAT open (RFC 5626 §4.4, and what phones send instead); it asks for nothing.
      if (bytes.length > 4) handlers.receive(this.flow(remote.address, remote.port), bytes);
    });
  }

  get port(): number {
    return this.#port;
  }

  /** Has it a way to this address: IPv4 and IPv6 have sockets of their own. */
  reaches(remoteAddress: string): boolean {
    return isIPv6(remoteAddress) === isIPv6(this.#bound);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  /** The way to a peer. */
  flow(remoteAddress: string, remotePort: number): Flow {
    const isClosed = () => this.#closed;
    const flow: Flow = {
      transport: 'udp',
      reliable: false,
      remoteAddress,
      remotePort,
      localAddress: this.#locals.towards(remoteAddress, this.#bound),
      localPort: this.#port,
      get closed() {
        return isClosed();
      },
      send: bytes => {
        // A port of 0 comes from a forged source; nobody is there.
        if (remotePort === 0 || this.#closed) return false;
        this.#socket.send(bytes, remotePort, remoteAddress, () => undefined);
        this.#handlers.sent(flow, bytes);
        return true;
      },
      close: () => undefined,
      toPort: port => this.flow(remoteAddress, port),
    };
    return flow;
  }
}
