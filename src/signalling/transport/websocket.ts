import type { WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import type { Flow, FlowHandlers } from './flow.ts';

/** A browser that does not read is cut off before it fills our memory. */
const UNSENT_BYTES = 2 ** 20;

/**
 * How often a browser is asked whether it is still there (RFC 6455 §5.5.2); it answers by itself. A page may say nothing
 * for hours and be welcome, so silence alone is no reason to close.
 */
export const PING_INTERVAL_MS = 30_000;

export interface WebSocketPeer {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly secure: boolean;
}

/** SIP over WebSocket (RFC 7118): a message a frame, on a socket that is already open. */
export function acceptWebSocket(socket: WebSocket, peer: WebSocketPeer, clock: Clock, handlers: FlowHandlers): Flow {
  const flow: Flow = {
    ...peer,
    transport: peer.secure ? 'wss' : 'ws',
    reliable: true,
    get closed() {
      return socket.readyState !== socket.OPEN;
    },
    send: bytes => {
      const written = write(bytes);
      if (written) handlers.sent(flow, bytes);
      return written;
    },
    close: () => socket.close(1001),
  };
  const write = (bytes: Buffer | string) => {
    if (flow.closed) return false;
    // As text, so that the messages can be read in a browser's own tools; SDP and headers are UTF-8.
    socket.send(bytes, { binary: false });
    if (socket.bufferedAmount > UNSENT_BYTES) socket.terminate();
    return !flow.closed;
  };
  let alive = true;
  const ask = () => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
    timer = clock.setTimer(PING_INTERVAL_MS, ask);
  };
  let timer = clock.setTimer(PING_INTERVAL_MS, ask);
  socket.on('pong', () => {
    alive = true;
  });
  socket.on('message', data => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
    // RFC 5626 §3.5.1 as browsers use it: a double CRLF is a ping.
    if (bytes.length === 4 && bytes.toString('latin1') === '\r\n\r\n') write('\r\n');
    else if (bytes.length > 4) handlers.receive(flow, bytes);
  });
  socket.on('close', () => {
    clock.clearTimer(timer);
    handlers.closed(flow);
  });
  socket.on('error', () => socket.terminate());
  return flow;
}
