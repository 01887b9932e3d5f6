import { fastify } from 'fastify';
import type { Logger } from '../observe/index.ts';
import type { App, TypeBoxProvider } from './app.ts';
import { HttpListeners } from './listeners.ts';
import type { HttpPorts, TlsPair } from './ports.ts';
import { answerProblems } from './problem.ts';
import { callRoutes } from './routes/calls.ts';
import { channelRoutes } from './routes/channels.ts';
import { channelsM3uRoutes } from './routes/channels-m3u.ts';
import { encoderRoutes } from './routes/encoders.ts';
import { guideRoutes } from './routes/guide.ts';
import { healthRoutes } from './routes/health.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { platformRoutes } from './routes/platforms.ts';
import { sipTraceRoutes } from './routes/sip-trace.ts';
import { thumbnailRoutes } from './routes/thumbnails.ts';
import { watchRoutes } from './routes/watch.ts';
import { sendSecurityHeaders } from './security.ts';
import { SipUpgrade } from './sip-upgrade.ts';

export interface HttpServerOptions extends HttpPorts {
  /** Where to listen. */
  readonly addresses: readonly string[];
  /** 0 picks a free one. */
  readonly port: number;
  /** With it everything is served with TLS, and nothing without. */
  readonly tls: TlsPair | null;
  /** SIP domain that the watch page calls. */
  readonly domain: string;
  /** Folder with the built watch page. */
  readonly webRoot: string;
  readonly log: Logger;
  /** Origins besides our own whose pages may speak SIP to us. */
  readonly allowedOrigins?: readonly string[];
}

/** No route takes a body yet. */
const BODY_LIMIT_OCTETS = 64 * 1024;
const CLOSE_TIMEOUT_MS = 500;

/** The API, the watch page, and the door for SIP over WebSocket. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #app: App;
  readonly #upgrade: SipUpgrade;
  readonly #listeners: HttpListeners;

  constructor(options: HttpServerOptions) {
    const { log, webRoot, domain } = options;
    this.#options = options;
    this.#upgrade = new SipUpgrade(options.acceptWebSocket, options.allowedOrigins ?? []);
    this.#app = fastify({
      bodyLimit: BODY_LIMIT_OCTETS,
      routerOptions: { ignoreTrailingSlash: true },
    }).withTypeProvider<TypeBoxProvider>();
    sendSecurityHeaders(this.#app, options);
    answerProblems(this.#app, log);
    healthRoutes(this.#app, options);
    channelRoutes(this.#app, options);
    channelsM3uRoutes(this.#app, options, domain);
    thumbnailRoutes(this.#app, options);
    guideRoutes(this.#app, options);
    callRoutes(this.#app, options);
    sipTraceRoutes(this.#app, options);
    platformRoutes(this.#app, options);
    encoderRoutes(this.#app, options);
    metricsRoutes(this.#app, options);
    watchRoutes(this.#app, options, { webRoot, domain, log });
    this.#listeners = new HttpListeners(options.tls, {
      admit: options.admitConnection,
      request: (request, response) => this.#app.routing(request, response),
      upgrade: (request, socket, head) => this.#upgrade.handle(request, socket, head),
    });
  }

  /** Opens the sockets and returns their port. Rejects with LISTEN_FAILED. */
  async listen(): Promise<number> {
    await this.#app.ready();
    return this.#listeners.listen(this.#options.addresses, this.#options.port);
  }

  /** Connections from now on get this certificate. */
  renewCertificate(pair: TlsPair): void {
    this.#listeners.renew(pair);
  }

  /** Ends every connection and WebSocket within a second. */
  async close(): Promise<void> {
    this.#listeners.stop();
    await Promise.all([this.#upgrade.close(CLOSE_TIMEOUT_MS), this.#app.close()]);
    this.#listeners.destroy();
  }
}
