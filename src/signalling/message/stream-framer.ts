import { LIMITS } from './scanner.ts';

/** What a piece of a stream turned out to be. */
export type Framed =
  | { readonly type: 'message'; readonly bytes: Buffer }
  /** CRLF CRLF, to be answered with CRLF (RFC 5626 §3.5.1). */
  | { readonly type: 'ping' }
  /** CRLF, the answer to a ping of ours. */
  | { readonly type: 'pong' }
  /** The stream cannot be read any further; it is to be closed. */
  | { readonly type: 'error'; readonly reason: string };

/**
 * A whole line and what it is folded into. A lone LF ends no line here, as it ends none in the scanner: two readers of
 * one length would let a message smuggle another one through a proxy's connection.
 */
const CONTENT_LENGTH = /\r\n(?:content-length|l)[ \t]*:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)/gi;

/**
 * Cuts a TCP or TLS stream into messages by Content-Length (RFC 3261 §18.3). Holds at most one message, and nothing
 * more after an error: where the next message would begin is not known.
 */
export class StreamFramer {
  #pending: Buffer = Buffer.alloc(0);
  #broken = false;
  /** Why there is no more to read, once what came before was told. */
  #ending: string | null = null;
  /** Where the search for the end of the headers goes on, so that a slow sender costs no more than a fast one. */
  #searched = 0;
  readonly #role: 'answers pings' | 'sends pings';

  /** RFC 5626 §3.5.1: whoever opened a connection sends pings on it, and a CRLF that it gets is a pong. */
  constructor(role: 'answers pings' | 'sends pings' = 'answers pings') {
    this.#role = role;
  }

  push(chunk: Buffer): Framed[] {
    if (this.#broken) return [];
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const framed: Framed[] = [];
    for (;;) {
      const next = this.#next();
      if (next === null) return framed;
      framed.push(next);
    }
  }

  /** Has a message begun that is not whole yet? What may still become a ping is none. */
  get begun(): boolean {
    const { length } = this.#pending;
    return length > 3 || (length > 0 && !'\r\n\r'.startsWith(this.#pending.toString('latin1')));
  }

  #next(): Framed | null {
    if (this.#broken) return null;
    if (this.#ending !== null) return this.#fail(this.#ending);
    if (this.#role === 'sends pings' && this.#pending.length >= 2 && this.#pending.readUInt16BE(0) === 0x0d0a) {
      this.#take(2);
      return { type: 'pong' };
    }
    if (this.#pending.length >= 4 && this.#pending.readUInt32BE(0) === 0x0d0a0d0a) {
      this.#take(4);
      return { type: 'ping' };
    }
    // A lone CRLF before a message is to be ignored (RFC 3261 §7.5); one that ends the buffer may become a ping.
    if (this.#pending.length > 2 && this.#pending.readUInt16BE(0) === 0x0d0a && this.#pending[2] !== 0x0d) {
      this.#take(2);
    }
    const headEnd = this.#pending.indexOf('\r\n\r\n', Math.max(0, this.#searched - 3));
    if (headEnd < 0) {
      this.#searched = this.#pending.length;
      return this.#pending.length > LIMITS.headerBytes ? this.#fail('headers too large') : null;
    }
    const lengths = [...this.#pending.toString('latin1', 0, headEnd).matchAll(CONTENT_LENGTH)];
    if (lengths.length === 0) return this.#fail('no Content-Length');
    const length = /^[ \t\r\n]*(\d{1,9})[ \t\r\n]*$/.exec(lengths[0]![1]!)?.[1];
    if (lengths.length > 1 || length === undefined) return this.#endAfter(headEnd + 4);
    const bytes = headEnd + 4 + Number(length);
    if (bytes > LIMITS.messageBytes) return this.#fail('message too large');
    if (this.#pending.length < bytes) return null;
    return { type: 'message', bytes: this.#take(bytes) };
  }

  /**
   * A length that is none or that there are two of is the scanner's to refuse, so that its sender is answered before
   * the end (RFC 4475 §3.1.2.3, §3.3.9).
   */
  #endAfter(bytes: number): Framed {
    this.#ending = 'bad Content-Length';
    return { type: 'message', bytes: this.#take(bytes) };
  }

  #take(bytes: number): Buffer {
    const taken = this.#pending.subarray(0, bytes);
    this.#pending = this.#pending.subarray(bytes);
    this.#searched = 0;
    return taken;
  }

  #fail(reason: string): Framed {
    this.#broken = true;
    this.#pending = Buffer.alloc(0);
    return { type: 'error', reason };
  }
}
