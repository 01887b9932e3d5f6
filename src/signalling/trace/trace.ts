import type { Clock } from '../clock.ts';
import { formatHost } from '../message/index.ts';
import type { Flow } from '../transport/index.ts';
import { callIdOf } from './call-id.ts';
import { bytesOf, CallMessages, type KeptMessage } from './call-messages.ts';
import { readable } from './readable.ts';

export interface TraceLimits {
  /** Of one message its beginning is kept. */
  readonly messageBytes: number;
  /** Half for the first messages of a call, half for the last. */
  readonly callBytes: number;
  readonly calls: number;
  /** Of all calls together. */
  readonly totalBytes: number;
  /** A call that ended is remembered for so long, or until others need its room. */
  readonly endedMs: number;
  /** INVITEs of which no call came, yet, and what was answered: a caller is asked for credentials, and comes again. */
  readonly pendingBytes: number;
  readonly pendingMs: number;
}

/** An INVITE of a browser has up to 10 kB, a whole call of a phone 5. */
export const TRACE_LIMITS: TraceLimits = {
  messageBytes: 16_384,
  callBytes: 65_536,
  calls: 10_000,
  totalBytes: 32 * 2 ** 20,
  endedMs: 3_600_000,
  pendingBytes: 2 ** 20,
  pendingMs: 32_000,
};

/** A message as it was on the wire. */
export interface WireMessage {
  /** Unix time in milliseconds. */
  readonly atMs: number;
  readonly direction: 'in' | 'out';
  readonly flow: Flow;
  readonly bytes: Buffer;
  /** Its Call-ID; null when it has none. */
  readonly sipCallId: string | null;
}

/** A message to be read by people, without credentials and private texts. */
export interface TracedMessage {
  /** 1 for the first of its call; what is missing was dropped. */
  readonly order: number;
  /** Unix time in milliseconds. */
  readonly atMs: number;
  readonly direction: 'in' | 'out';
  readonly transport: string;
  /** `address:port`, here and below. */
  readonly local: string;
  readonly remote: string;
  readonly startLine: string;
  readonly text: string;
}

export interface TracedCall {
  readonly sipCallId: string;
  readonly messages: readonly TracedMessage[];
  /** Messages that were left out for want of room. */
  readonly dropped: number;
}

export interface TraceOptions {
  readonly clock: Clock;
  readonly nowUnixMs: () => number;
  /** Takes credentials out of a text. */
  readonly redact: (text: string) => string;
  /** Gets every message, also of those that are no calls. */
  readonly onMessage?: ((message: WireMessage) => void) | undefined;
  /** {@link TRACE_LIMITS} where not said otherwise. */
  readonly limits?: Partial<TraceLimits>;
}

/** Of one Call-ID; a caller that was refused may try again with it (RFC 3261 §8.1.3.5). */
const MOST_NAMES = 8;

/**
 * The messages of live calls and of those that ended lately. A call is what got a session: whoever was not admitted, and
 * all that is no INVITE, leaves nothing here that lasts, and a live call loses its room to nobody.
 */
export class Trace {
  readonly #options: TraceOptions;
  readonly #limits: TraceLimits;
  /** By Call-ID. */
  readonly #calls = new Map<string, CallMessages>();
  /** The same by our own names. */
  readonly #names = new Map<string, CallMessages>();
  /** Those that ended, oldest first. A list, since a Set is slow to find its first after many were deleted. */
  readonly #ended: CallMessages[] = [];
  /** By Call-ID, oldest first. */
  readonly #pending = new Map<string, CallMessages>();
  #bytes = 0;
  #pendingBytes = 0;
  #expiry: unknown = null;

  constructor(options: TraceOptions) {
    this.#options = options;
    this.#limits = { ...TRACE_LIMITS, ...options.limits };
  }

  /** Bytes that are held, as the limits count them. */
  get bytes(): number {
    return this.#bytes + this.#pendingBytes;
  }

  /** Every message that is received or sent. */
  see(direction: 'in' | 'out', flow: Flow, bytes: Buffer): void {
    const octets = bytes.toString('latin1', 0, this.#limits.messageBytes);
    const sipCallId = callIdOf(bytes, octets);
    const atMs = this.#options.nowUnixMs();
    this.#options.onMessage?.({ atMs, direction, flow, bytes, sipCallId });
    if (sipCallId === null) return;
    const call = this.#calls.get(sipCallId);
    if (call !== undefined) return this.#keep(call, kept(atMs, direction, flow, octets, bytes.length));
    const isInvite = direction === 'in' && octets.startsWith('INVITE ');
    const pending = this.#pending.get(sipCallId) ?? (isInvite ? this.#await(sipCallId) : undefined);
    if (pending !== undefined) this.#keepPending(pending, kept(atMs, direction, flow, octets, bytes.length));
  }

  /** A call, or one of the dialogs that its INVITE led to, has begun; it is to be found by this id. */
  begin(id: string, sipCallId: string): void {
    const known = this.#calls.get(sipCallId);
    const call = known ?? this.#admit(sipCallId);
    if (call === null) return;
    if (known?.live === 0) this.#ended.splice(this.#ended.indexOf(known), 1);
    call.live++;
    if (call.ids.includes(id) || call.ids.length === MOST_NAMES) return;
    call.ids.push(id);
    this.#names.set(id, call);
  }

  /** Once for each that has begun. */
  end(sipCallId: string): void {
    const call = this.#calls.get(sipCallId);
    // One for which there was no room may end as well.
    if (call === undefined || call.live === 0 || --call.live > 0) return;
    call.endedAtMs = this.#options.clock.nowMs();
    this.#ended.push(call);
    this.#expiry ??= this.#options.clock.setTimer(this.#limits.endedMs, () => this.#expire());
  }

  /** What is kept of a call, by its id; null when it is not known (any more). */
  find(id: string): TracedCall | null {
    const call = this.#names.get(id);
    if (call === undefined) return null;
    const { sipCallId, messages, dropped } = call;
    return { sipCallId, messages: messages.map(message => this.#read(message)), dropped };
  }

  #read({ octets, size, localAddress, localPort, remoteAddress, remotePort, ...rest }: KeptMessage): TracedMessage {
    const text = readable(Buffer.from(octets, 'latin1'), size, this.#options.redact);
    return {
      ...rest,
      local: `${formatHost(localAddress)}:${localPort}`,
      remote: `${formatHost(remoteAddress)}:${remotePort}`,
      startLine: text.split('\r\n', 1)[0]!,
      text,
    };
  }

  #keep(call: CallMessages, message: KeptMessage): void {
    // A late message of a call that ended may find it forgotten.
    if (!this.#makeRoom(bytesOf(message)) || !this.#calls.has(call.sipCallId)) return call.drop();
    const before = call.bytes;
    call.add(message);
    this.#bytes += call.bytes - before;
  }

  /** Forgets calls that ended until there is room for so many bytes; false when there are live ones alone. */
  #makeRoom(bytes: number): boolean {
    while (this.#bytes + bytes > this.#limits.totalBytes) {
      if (this.#ended.length === 0) return false;
      this.#forgetOldest();
    }
    return true;
  }

  /** A place for a new call, with what came of it before; null when live calls have them all. */
  #admit(sipCallId: string): CallMessages | null {
    if (this.#calls.size >= this.#limits.calls) {
      if (this.#ended.length === 0) return null;
      this.#forgetOldest();
    }
    this.#forgetPending();
    const call = this.#pending.get(sipCallId) ?? this.#newCall(sipCallId);
    if (!this.#makeRoom(call.bytes)) return null;
    if (this.#pending.delete(sipCallId)) this.#pendingBytes -= call.bytes;
    this.#bytes += call.bytes;
    this.#calls.set(sipCallId, call);
    return call;
  }

  #forgetOldest(): void {
    const call = this.#ended.shift()!;
    this.#bytes -= call.bytes;
    for (const id of call.ids) this.#names.delete(id);
    this.#calls.delete(call.sipCallId);
  }

  #expire(): void {
    const { clock } = this.#options;
    this.#expiry = null;
    while (this.#ended.length > 0) {
      const leftMs = this.#ended[0]!.endedAtMs + this.#limits.endedMs - clock.nowMs();
      if (leftMs > 0) {
        this.#expiry = clock.setTimer(leftMs, () => this.#expire());
        return;
      }
      this.#forgetOldest();
    }
  }

  #newCall(sipCallId: string): CallMessages {
    return new CallMessages(sipCallId, this.#limits.callBytes, this.#options.clock.nowMs());
  }

  #await(sipCallId: string): CallMessages {
    const call = this.#newCall(sipCallId);
    this.#pending.set(sipCallId, call);
    this.#pendingBytes += call.bytes;
    return call;
  }

  #keepPending(call: CallMessages, message: KeptMessage): void {
    const before = call.bytes;
    call.add(message);
    this.#pendingBytes += call.bytes - before;
    this.#forgetPending();
  }

  /** Those that are too old, and the oldest of too many. */
  #forgetPending(): void {
    const { pendingBytes, pendingMs } = this.#limits;
    const nowMs = this.#options.clock.nowMs();
    for (const [sipCallId, call] of this.#pending) {
      if (this.#pendingBytes <= pendingBytes && call.sinceMs + pendingMs > nowMs) return;
      this.#pendingBytes -= call.bytes;
      this.#pending.delete(sipCallId);
    }
  }
}

function kept(atMs: number, direction: 'in' | 'out', flow: Flow, octets: string, size: number): KeptMessage {
  const { transport, localAddress, localPort, remoteAddress, remotePort } = flow;
  return { order: 0, atMs, direction, transport, localAddress, localPort, remoteAddress, remotePort, octets, size };
}
