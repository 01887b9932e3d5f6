import type { Socket } from 'node:net';
import { StreamFramer } from '../message/index.ts';
import type { Flow, FlowHandlers } from './flow.ts';

/** A peer that does not read is cut off before it fills our memory. */
const UNSENT_BYTES = 2 ** 20;

/** RFC 3261 §18 leaves it open; longer than the usual registration, so that phones keep their connection. */
const IDLE_TIMEOUT_MS = 2 * 3_600_000;

/** Who opens a connection says something on it. */
const FIRST_MESSAGE_TIMEOUT_MS = 30_000;

/** Speaks SIP on a connection that is open: plain TCP, or TLS after its handshake. */
export function acceptStream(socket: Socket, transport: 'tcp' | 'tls', handlers: FlowHandlers): void {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  // Gone before we looked.
  if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy();
  const framer = new StreamFramer();
  const flow: Flow = {
    transport,
    reliable: true,
    remoteAddress,
    remotePort,
    localAddress: localAddress!,
    localPort: localPort!,
    get closed() {
      return socket.destroyed || socket.writableEnded;
    },
    send: bytes => {
      const written = write(bytes);
      if (written) handlers.sent(flow);
      return written;
    },
    close: () => socket.destroySoon(),
  };
  const write = (bytes: Buffer | string) => {
    if (flow.closed) return false;
    socket.write(bytes);
    if (socket.writableLength > UNSENT_BYTES) socket.destroy();
    return !socket.destroyed;
  };
  socket.setTimeout(FIRST_MESSAGE_TIMEOUT_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('close', () => handlers.closed(flow));
  socket.on('data', chunk => {
    for (const framed of framer.push(chunk)) {
      // What was answered before still goes out.
      if (framed.type === 'error') return void socket.destroySoon();
      if (framed.type === 'ping') {
        write('\r\n');
        continue;
      }
      socket.setTimeout(IDLE_TIMEOUT_MS);
      handlers.receive(flow, framed.bytes);
    }
  });
}
