import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { loadNative, type Path, type UdpSocket } from '../../src/engine/native.ts';

/** Somebody who gets datagrams on the loopback interface, through Node's own sockets. */
export class Receiver {
  readonly #socket: Socket;
  readonly #datagrams: Buffer[] = [];
  /** From where the last datagram came. */
  lastAddress = '';
  #arrived = Promise.withResolvers<void>();

  static async open(t: TestContext, address = '127.0.0.1'): Promise<Receiver> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    t.after(() => socket.close());
    socket.bind(0, address);
    await once(socket, 'listening');
    return new Receiver(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (datagram, { address }) => {
      this.lastAddress = address;
      this.#datagrams.push(datagram);
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    });
  }

  /** The way to this receiver. */
  get path(): Path {
    const { address, port } = this.#socket.address();
    return { remoteAddress: address, remotePort: port, localAddress: '' };
  }

  /** The next `count` datagrams. */
  async take(count: number): Promise<Buffer[]> {
    while (this.#datagrams.length < count) await this.#arrived.promise;
    return this.#datagrams.splice(0, count);
  }

  /** Everything that came before what `socket` sends now: one socket's datagrams keep their order on loopback. */
  async drain(socket: UdpSocket): Promise<Buffer[]> {
    const end = Buffer.from('the end');
    if (!socket.send(end, this.path)) throw new Error('the last datagram could not be sent');
    while (!this.#datagrams.at(-1)?.equals(end)) await this.#arrived.promise;
    return this.#datagrams.splice(0).slice(0, -1);
  }

  send(datagram: Uint8Array, port: number, address = '127.0.0.1'): void {
    this.#socket.send(datagram, port, address);
  }
}

/** A socket of the add-on's, bound to the loopback interface. */
export function openSocket(
  t: TestContext,
  onDatagram: (datagram: Buffer, path: Path) => void = () => undefined,
): UdpSocket {
  const socket = new (loadNative().UdpSocket)({ address: '127.0.0.1', port: 0, onDatagram });
  t.after(() => socket.close());
  return socket;
}
