import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { connect } from 'node:tls';

/** Takes each TCP connection on to a TLS server on this machine: TLS for a program that has none. */
export class TlsRelay {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** `authority` is a file with the certificate of who must have signed the server's. */
  static async open(serverPort: number, authority: string): Promise<TlsRelay> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TlsRelay(server, serverPort, readFileSync(authority, 'utf8'));
  }

  private constructor(server: Server, serverPort: number, ca: string) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
    server.on('connection', socket => {
      const secured = connect({ host: '127.0.0.1', port: serverPort, ca });
      socket.pipe(secured).pipe(socket);
      // Neither side outlives the other.
      for (const [one, other] of [
        [socket, secured],
        [secured, socket],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => undefined);
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
