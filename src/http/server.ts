import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { DialcastError } from '../errors.ts';
import type { Logger } from '../observe/index.ts';
import type { App, TypeBoxProvider } from './app.ts';
import type { HttpPorts } from './ports.ts';
import { answerProblems } from './problem.ts';
import { callRoutes } from './routes/calls.ts';
import { channelRoutes } from './routes/channels.ts';
import { healthRoutes } from './routes/health.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { watchRoutes } from './routes/watch.ts';
import { sendSecurityHeaders } from './security.ts';
import { SipUpgrade } from './sip-upgrade.ts';

export interface HttpServerOptions extends HttpPorts {
  readonly address: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** SIP domain that the watch page calls. */
  readonly domain: string;
  /** Folder with the built watch page. */
  readonly webRoot: string;
  readonly log: Logger;
  /** Origins besides our own whose pages may speak SIP to us. */
  readonly allowedOrigins?: readonly string[];
}

/** A request must have come in whole within this time: a slow sender holds a connection no longer. */
const REQUEST_TIMEOUT_MS = 10_000;
/** No route takes a body yet. */
const BODY_LIMIT_OCTETS = 64 * 1024;
const CLOSE_TIMEOUT_MS = 500;

/** The API, the watch page, and the door for SIP over WebSocket. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #app: App;
  readonly #upgrade: SipUpgrade;

  constructor(options: HttpServerOptions) {
    const { log, webRoot, domain } = options;
    this.#options = options;
    this.#upgrade = new SipUpgrade(options.acceptWebSocket, options.allowedOrigins ?? []);
    this.#app = fastify({
      forceCloseConnections: true,
      requestTimeout: REQUEST_TIMEOUT_MS,
      bodyLimit: BODY_LIMIT_OCTETS,
      routerOptions: { ignoreTrailingSlash: true },
    }).withTypeProvider<TypeBoxProvider>();
    sendSecurityHeaders(this.#app);
    answerProblems(this.#app, log);
    healthRoutes(this.#app, options);
    channelRoutes(this.#app, options);
    callRoutes(this.#app, options);
    metricsRoutes(this.#app, options);
    watchRoutes(this.#app, options, { webRoot, domain, log });
    this.#app.server.on('upgrade', (request, socket, head) => this.#upgrade.handle(request, socket, head));
  }

  /** Opens the socket and returns its port. Rejects with LISTEN_FAILED. */
  async listen(): Promise<number> {
    const { address, port } = this.#options;
    try {
      await this.#app.listen({ host: address, port });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DialcastError('LISTEN_FAILED', `http ${address}:${port}: ${reason}`, { cause: error });
    }
    return (this.#app.server.address() as AddressInfo).port;
  }

  /** Ends every connection and WebSocket within a second. */
  async close(): Promise<void> {
    await Promise.all([this.#upgrade.close(CLOSE_TIMEOUT_MS), this.#app.close()]);
  }
}
