import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { basename, join } from 'node:path';

/** Serves the files of one folder over HTTP, as they are at the moment. */
export class FileServer {
  readonly port: number;
  readonly #server: Server;

  static async start(folder: string): Promise<FileServer> {
    const server = createServer(async ({ url = '' }, response) => {
      const content = await readFile(join(folder, basename(new URL(url, 'http://localhost').pathname))).catch(
        () => null,
      );
      response.writeHead(content === null ? 404 : 200).end(content);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FileServer(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
