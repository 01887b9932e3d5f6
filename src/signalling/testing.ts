import assert from 'node:assert/strict';
import { type Credentials, type DigestAlgorithm, digestHa1, digestResponse } from './authentication/index.ts';
import type { Clock } from './clock.ts';
import { type Header, Request, Response, scan, serialise } from './message/index.ts';
import type { Flow } from './transport/index.ts';

/** Tools of this room's tests: time that stands still until it is told to go on, and a network that only remembers. */

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #nowMs = 0;
  /** By moment, each in the order in which they were set. */
  readonly #timers = new Map<number, Set<Timer>>();

  nowMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): unknown {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    const others = this.#timers.get(timer.atMs) ?? new Set();
    this.#timers.set(timer.atMs, others.add(timer));
    return timer;
  }

  clearTimer(handle: unknown): void {
    if (handle === null || handle === undefined) return;
    const timer = handle as Timer;
    const others = this.#timers.get(timer.atMs);
    others?.delete(timer);
    if (others?.size === 0) this.#timers.delete(timer.atMs);
  }

  /** Timers that have not fired. */
  get pending(): number {
    return [...this.#timers.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Goes on to a moment; timers fire at theirs. */
  advanceTo(untilMs: number): void {
    for (;;) {
      const nextMs = Math.min(...this.#timers.keys());
      if (nextMs > untilMs) break;
      this.#nowMs = nextMs;
      for (const timer of this.#timers.get(nextMs)!) {
        this.clearTimer(timer);
        timer.callback();
      }
    }
    this.#nowMs = untilMs;
  }

  advance(ms: number): void {
    this.advanceTo(this.#nowMs + ms);
  }
}

export class FakeFlow implements Flow {
  readonly transport: Flow['transport'];
  readonly reliable: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number = 5062;
  readonly localAddress: string = '192.0.2.1';
  readonly localPort: number = 5060;
  closed = false;
  /** What was sent and when: `500 INVITE`, `1000 200`. */
  readonly timeline: string[] = [];
  readonly #clock: Clock;
  #untaken: (Request | Response)[] = [];

  constructor(clock: Clock, transport: Flow['transport'] = 'udp', remoteAddress = '192.0.2.7') {
    this.#clock = clock;
    this.remoteAddress = remoteAddress;
    this.transport = transport;
    this.reliable = transport !== 'udp';
  }

  send(bytes: Buffer): boolean {
    if (this.closed) return false;
    const message = parsed(bytes);
    const name = message instanceof Request ? message.method : message.status;
    this.timeline.push(`${this.#clock.nowMs()} ${name}`);
    this.#untaken.push(message);
    return true;
  }

  close(): void {
    this.closed = true;
  }

  /** What was sent since the last call. */
  take(): (Request | Response)[] {
    const taken = this.#untaken;
    this.#untaken = [];
    return taken;
  }

  /** The one response that was sent since the last call. */
  takeResponse(): Response {
    const [message, ...more] = this.take();
    assert.ok(message instanceof Response && more.length === 0, 'one response and nothing else');
    return message;
  }

  /** The one request that was sent since the last call. */
  takeRequest(): Request {
    const [message, ...more] = this.take();
    assert.ok(message instanceof Request && more.length === 0, 'one request and nothing else');
    return message;
  }
}

export interface RequestParts {
  readonly uri?: string;
  readonly via?: string;
  readonly branch?: string;
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
  readonly sequence?: number;
  /** Method of the CSeq header, when it is another one. */
  readonly cseqMethod?: string;
  readonly headers?: readonly Header[];
  readonly body?: string;
}

/** A well-formed request of a phone at 192.0.2.7:5062. */
export function makeRequest(method: string, parts: RequestParts = {}): Request {
  const { uri = 'sip:news@192.0.2.1', branch = `z9hG4bK-${method.toLowerCase()}`, headers = [], body = '' } = parts;
  const mandatory: Header[] = [
    ['via', parts.via ?? `SIP/2.0/UDP 192.0.2.7:5062;branch=${branch}`],
    ['max-forwards', '70'],
    ['from', parts.from ?? '"Ann" <sip:ann@example.org>;tag=ann'],
    ['to', parts.to ?? '<sip:news@192.0.2.1>'],
    ['call-id', parts.callId ?? 'call-1'],
    ['cseq', `${parts.sequence ?? 1} ${parts.cseqMethod ?? method}`],
  ];
  return new Request(method, uri, [...mandatory, ...headers], Buffer.from(body));
}

/** An INVITE with an offer and a Contact. */
export function makeInvite(parts: RequestParts = {}): Request {
  const headers: Header[] = [
    ['contact', '<sip:ann@192.0.2.7:5062>'],
    ['content-type', 'application/sdp'],
    ...(parts.headers ?? []),
  ];
  return makeRequest('INVITE', { body: 'offer', ...parts, headers });
}

/** What the bytes say; for messages that must be right. */
export function parsed(bytes: Buffer): Request | Response {
  const result = scan(bytes);
  assert.ok(result.ok, `not a message: ${bytes}`);
  return result.message;
}

/** The message as the other side reads it. */
export function travelled(message: Request): Request {
  return parsed(serialise(message)) as Request;
}

/** Accounts with passwords in the clear. */
export function memoryCredentials(passwords: Readonly<Record<string, string>>): Credentials {
  return {
    ha1: (user, realm, algorithm) =>
      Object.hasOwn(passwords, user) ? digestHa1(algorithm, user, realm, passwords[user]!) : null,
  };
}

export interface LoginParts {
  readonly method?: string;
  readonly uri?: string;
  readonly user?: string;
  readonly password?: string;
  readonly algorithm?: DigestAlgorithm;
  readonly count?: number;
  /** False answers as RFC 2069 does. */
  readonly quality?: boolean;
  readonly omit?: 'algorithm' | 'half the response';
}

/** The Authorization with which a client answers a WWW-Authenticate. */
export function authorization(challenge: string, parts: LoginParts): string {
  const { method = 'REGISTER', uri = 'sip:news@192.0.2.1', user = 'ann', password = '', count = 1, omit } = parts;
  const { algorithm = 'SHA-256' } = parts;
  const [realm, nonce] = ['realm', 'nonce'].map(name => new RegExp(`${name}="([^"]*)"`).exec(challenge)![1]!);
  const countText = count.toString(16).padStart(8, '0');
  const quality = parts.quality === false ? null : { count, countText, clientNonce: 'ours' };
  const answer = { username: user, realm: realm!, nonce: nonce!, uri, algorithm, quality };
  const response = digestResponse(answer, method, digestHa1(algorithm, user, realm!, password));
  const pieces = [
    `Digest username="${user}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `response="${omit === 'half the response' ? response.slice(response.length / 2) : response}"`,
    ...(omit === 'algorithm' ? [] : [`algorithm=${algorithm}`]),
    ...(quality === null ? [] : ['qop=auth', `nc=${countText}`, 'cnonce="ours"']),
  ];
  return pieces.join(', ');
}
