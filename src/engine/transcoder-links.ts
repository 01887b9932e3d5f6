import { timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import {
  channelToken,
  type EngineMessage,
  encodeMessage,
  type TranscoderMessage,
  WireReader,
} from '../transcoder/wire.ts';
import { isWellFormed } from './well-formed.ts';

export interface TranscoderLinksOptions {
  readonly socketPath: string;
  /** Of which each channel's token is made. */
  readonly secret: string;
  /** A transcoder of this channel said hello; an earlier one's link is closed. */
  readonly onHello: (channel: string) => void;
  /** It is there no more, and no other has taken its place. */
  readonly onGone: (channel: string) => void;
  readonly onMessage: (channel: string, message: Exclude<TranscoderMessage, { type: 'hello' }>) => void;
  readonly onRefused: (reason: string) => void;
}

/** Who has not said hello by then is not a transcoder. */
const HELLO_TIMEOUT_MS = 5_000;

/** The transcoders' connections, one for each channel on air. */
export class TranscoderLinks {
  readonly #options: TranscoderLinksOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #links = new Map<string, Socket>();

  constructor(options: TranscoderLinksOptions) {
    this.#options = options;
    this.#server = createServer(socket => this.#accept(socket));
  }

  listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    // Transcoders may run as somebody else; who gets to the socket at all is up to its folder.
    this.#server.listen({ path: this.#options.socketPath, writableAll: true }, resolve);
    return promise;
  }

  /** Tells the channel's transcoder something; nothing happens while none is connected: it is told after its hello. */
  send(channel: string, message: EngineMessage): void {
    this.#links.get(channel)?.write(encodeMessage(message));
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    const reader = new WireReader<TranscoderMessage>();
    let channel: string | null = null;
    const refuse = (reason: string) => {
      this.#options.onRefused(reason);
      socket.destroy();
    };
    this.#sockets.add(socket);
    socket.setTimeout(HELLO_TIMEOUT_MS, () => refuse('no hello in time'));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (channel === null || this.#links.get(channel) !== socket) return;
      this.#links.delete(channel);
      this.#options.onGone(channel);
    });
    socket.on('data', chunk => {
      const { messages, error } = reader.push(chunk);
      for (const message of messages) {
        if (!isWellFormed(message)) return refuse('a message that is not of the protocol');
        if (message.type === 'hello') {
          if (channel !== null || !this.#isToken(message)) return refuse('wrong token');
          channel = message.channel;
          socket.setTimeout(0);
          this.#links.get(channel)?.destroy();
          this.#links.set(channel, socket);
          this.#options.onHello(channel);
        } else if (channel === null) {
          return refuse('no hello before the first message');
        } else if (this.#links.get(channel) === socket) {
          this.#options.onMessage(channel, message);
        }
      }
      if (error !== null) refuse(error);
    });
  }

  #isToken({ channel, token }: Extract<TranscoderMessage, { type: 'hello' }>): boolean {
    const given = Buffer.from(token);
    const expected = Buffer.from(channelToken(this.#options.secret, channel));
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}
