import type { WebSocket } from 'ws';
import type { Flow, FlowHandlers } from './flow.ts';

/** A browser that does not read is cut off before it fills our memory. */
const UNSENT_BYTES = 2 ** 20;

export interface WebSocketPeer {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly secure: boolean;
}

/** SIP over WebSocket (RFC 7118): a message a frame, on a socket that is already open. */
export function acceptWebSocket(socket: WebSocket, peer: WebSocketPeer, handlers: FlowHandlers): Flow {
  const flow: Flow = {
    ...peer,
    transport: peer.secure ? 'wss' : 'ws',
    reliable: true,
    get closed() {
      return socket.readyState !== socket.OPEN;
    },
    send: bytes => {
      const written = write(bytes);
      if (written) handlers.sent(flow);
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
  socket.on('message', data => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
    // RFC 5626 §3.5.1 as browsers use it: a double CRLF is a ping.
    if (bytes.length === 4 && bytes.toString('latin1') === '\r\n\r\n') write('\r\n');
    else if (bytes.length > 4) handlers.receive(flow, bytes);
  });
  socket.on('close', () => handlers.closed(flow));
  socket.on('error', () => socket.terminate());
  return flow;
}
