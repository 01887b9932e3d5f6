import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';
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
    this.#socket = createSocket({
      type,
      ipv6Only: type === 'udp6',
      recvBufferSize: RECEIVE_BUFFER_BYTES,
      // It is asked before each datagram as well, and an address would take longer through the resolver than to its peer.
      lookup: (name, options, found) => {
        const family = isIP(name);
        if (family === 0) lookup(name, options, found);
        else found(null, name, family);
      },
    });
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
    return new UdpFlow(this, remoteAddress, remotePort);
  }

  /** Where the peer reaches us. */
  localAddress(remoteAddress: string): string {
    return this.#locals.towards(remoteAddress, this.#bound);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** False when nothing was sent. */
  send(bytes: Buffer, flow: Flow): boolean {
    // A port of 0 comes from a forged source; nobody is there.
    if (flow.remotePort === 0 || this.#closed) return false;
    this.#socket.send(bytes, flow.remotePort, flow.remoteAddress);
    this.#handlers.sent(flow, bytes);
    return true;
  }
}

/** There is one for each datagram, and it lasts as long as its transaction: it holds little, and works out the rest. */
class UdpFlow implements Flow {
  readonly #transport: UdpTransport;
  readonly remoteAddress: string;
  readonly remotePort: number;

  constructor(transport: UdpTransport, remoteAddress: string, remotePort: number) {
    this.#transport = transport;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  get transport() {
    return 'udp' as const;
  }

  get reliable(): boolean {
    return false;
  }

  get localAddress(): string {
    return this.#transport.localAddress(this.remoteAddress);
  }

  get localPort(): number {
    return this.#transport.port;
  }

  get closed(): boolean {
    return this.#transport.closed;
  }

  send(bytes: Buffer): boolean {
    return this.#transport.send(bytes, this);
  }

  close(): void {}

  toPort(port: number): Flow {
    return this.#transport.flow(this.remoteAddress, port);
  }
}
