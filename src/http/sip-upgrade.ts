import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AcceptWebSocket } from './ports.ts';
import { PROBLEM_TYPE, problem } from './problem.ts';
import { isOriginAllowed } from './security.ts';

const PATH = '/sip';
const SUBPROTOCOL = 'sip';
const MAX_MESSAGE_OCTETS = 64 * 1024;
/** RFC 6455 §7.4.1: going away. */
const GOING_AWAY = 1001;

/** Turns HTTP upgrades at /sip into WebSockets that speak SIP (RFC 7118), and refuses all others. */
export class SipUpgrade {
  readonly #webSockets: WebSocketServer;
  readonly #accept: AcceptWebSocket;
  readonly #allowedOrigins: readonly string[];

  constructor(accept: AcceptWebSocket, allowedOrigins: readonly string[]) {
    this.#accept = accept;
    this.#allowedOrigins = allowedOrigins;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_MESSAGE_OCTETS,
      // SIP messages are small and rare; compression would cost each client memory for its window.
      perMessageDeflate: false,
      handleProtocols: () => SUBPROTOCOL,
    });
  }

  /** Listener for the `upgrade` event of an HTTP server. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A peer that resets in the middle of the handshake is no fault of ours.
    const ignore = () => socket.destroy();
    socket.on('error', ignore);
    const refusal = this.#refusal(request);
    if (refusal !== null) {
      refuse(socket, refusal.status, refusal.detail);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, webSocket => {
      socket.off('error', ignore);
      this.#handOver(webSocket, request);
    });
  }

  /** Says goodbye to every WebSocket, and resets those that don't answer in time. */
  async close(timeoutMs: number): Promise<void> {
    const open = [...this.#webSockets.clients];
    this.#webSockets.close();
    if (open.length === 0) return;
    const closed = Promise.all(open.map(socket => new Promise<void>(resolve => void socket.once('close', resolve))));
    for (const socket of open) socket.close(GOING_AWAY);
    const timer = setTimeout(() => {
      for (const socket of open) socket.terminate();
    }, timeoutMs);
    await closed;
    clearTimeout(timer);
  }

  #refusal({ url, headers }: IncomingMessage): { status: number; detail: string } | null {
    if (url?.split('?', 1)[0] !== PATH) return { status: 404, detail: `WebSockets are served at ${PATH} alone` };
    if (!isOriginAllowed(headers.origin, headers.host, this.#allowedOrigins)) {
      return { status: 403, detail: 'Pages of this origin may not open a WebSocket here' };
    }
    // RFC 7118 §4.1: the client must offer "sip".
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map(name => name.trim());
    return offered.includes(SUBPROTOCOL) ? null : { status: 400, detail: 'The subprotocol "sip" must be offered' };
  }

  #handOver(webSocket: WebSocket, { socket }: IncomingMessage): void {
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    // Node forgets the addresses of a connection that is already gone.
    if (remoteAddress === undefined || localAddress === undefined) {
      webSocket.terminate();
      return;
    }
    // What breaks the WebSocket protocol is told by `close`; an `error` that nobody hears would end the process.
    webSocket.on('error', () => undefined);
    this.#accept(webSocket, {
      remoteAddress,
      remotePort: remotePort ?? 0,
      localAddress,
      localPort: localPort ?? 0,
      secure: socket instanceof TLSSocket,
    });
  }
}

function refuse(socket: Duplex, status: number, detail: string): void {
  const body = JSON.stringify(problem(status, detail));
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Connection: close',
      `Content-Type: ${PROBLEM_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}
