import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { StreamFramer } from '../message/index.ts';
import type { Flow, FlowHandlers } from './flow.ts';
import { KeepAlive } from './keep-alive.ts';

export interface StreamLimits {
  /** Who opens a connection says something on it, and whom we open one to answers. */
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
  /** Of a connection that we opened: when to ping, from 0 to 1. Null for one that was opened to us, whose pings we answer. */
  readonly pingRandom: (() => number) | null;
}

/** Speaks SIP on a connection that is open: plain TCP, or TLS after its handshake. Null when it is gone already. */
export function streamFlow(socket: Socket, options: StreamFlowOptions): Flow | null {
  const { transport, clock, limits, handlers, pingRandom } = options;
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) {
    socket.destroy();
    return null;
  }
  const framer = new StreamFramer(pingRandom === null ? 'answers pings' : 'sends pings');
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
      if (written) handlers.sent(flow, bytes);
      return written;
    },
    close: () => socket.destroySoon(),
    keepAlive: () => keepAlive?.start(),
  };
  const write = (bytes: Buffer | string) => {
    if (flow.closed) return false;
    socket.write(bytes);
    if (socket.writableLength > limits.unsentBytes) socket.destroy();
    return !socket.destroyed;
  };
  const keepAlive =
    pingRandom === null
      ? null
      : new KeepAlive({
          clock,
          random: pingRandom,
          ping: () => write('\r\n\r\n'),
          lost: () => socket.destroy(),
        });
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
    keepAlive?.stop();
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
      if (framed.type === 'pong') {
        keepAlive?.pong();
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
  return flow;
}
