import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { StreamFramer } from '../message/index.ts';
import type { Flow, FlowHandlers } from './flow.ts';

export interface StreamLimits {
  /** Who opens a connection says something on it. */
  readonly firstMessageMs: number;
  /** From the first byte of a message to its last. */
  readonly messageMs: number;
  /** RFC 3261 §18 leaves it open; longer than the usual registration, so that phones keep their connection. */
  readonly idleMs: number;
  /** A peer that does not read is cut off before it fills our memory. */
  readonly unsentBytes: number;
}

export const STREAM_LIMITS: StreamLimits = {
  firstMessageMs: 30_000,
  messageMs: 10_000,
  idleMs: 2 * 3_600_000,
  unsentBytes: 2 ** 20,
};

export interface StreamFlowOptions {
  readonly transport: 'tcp' | 'tls';
  readonly clock: Clock;
  readonly limits: StreamLimits;
  readonly handlers: FlowHandlers;
}

/** Speaks SIP on a connection that is open: plain TCP, or TLS after its handshake. */
export function acceptStream(socket: Socket, { transport, clock, limits, handlers }: StreamFlowOptions): void {
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
    if (socket.writableLength > limits.unsentBytes) socket.destroy();
    return !socket.destroyed;
  };
  let timer: unknown = null;
  const expireIn = (ms: number) => {
    clock.clearTimer(timer);
    timer = clock.setTimer(ms, () => socket.destroy());
  };
  let heard = false;
  let inMessage = false;
  expireIn(limits.firstMessageMs);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    clock.clearTimer(timer);
    handlers.closed(flow);
  });
  socket.on('data', chunk => {
    const pieces = framer.push(chunk);
    for (const framed of pieces) {
      // What was answered before still goes out.
      if (framed.type === 'error') return void socket.destroySoon();
      if (framed.type === 'ping') {
        write('\r\n');
        continue;
      }
      heard = true;
      handlers.receive(flow, framed.bytes);
    }
    if (flow.closed) return;
    // Its time runs from a message's first byte, however often another one comes.
    if (framer.begun && !(inMessage && pieces.length === 0)) expireIn(limits.messageMs);
    else if (heard && pieces.length > 0) expireIn(limits.idleMs);
    inMessage = framer.begun;
  });
}
