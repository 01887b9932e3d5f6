/** A message as it is kept: little is done with it before somebody reads it. */
export interface KeptMessage {
  /** 1 for the first of its call, as it is told when it is kept; what is missing was dropped. */
  order: number;
  /** Unix time in milliseconds. */
  readonly atMs: number;
  readonly direction: 'in' | 'out';
  readonly transport: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /**
   * Its beginning, an octet a character: a text of its own, since the octets are a piece of some larger buffer, which a
   * Buffer would keep from being freed.
   */
  readonly octets: string;
  /** Octets of the whole message. */
  readonly size: number;
}

/** What the fields of a message cost beside its text, and what a call costs without messages. */
const FIELDS_BYTES = 256;
const CALL_BYTES = 512;

export function bytesOf({ octets }: KeptMessage): number {
  return octets.length + FIELDS_BYTES;
}

/** The messages of one Call-ID: the first and the last ones, `mostBytes` of them. */
export class CallMessages {
  /** Sessions that have not ended. */
  live = 0;
  /** By the clock's time; meaningless while it is live. */
  endedAtMs = 0;
  /** Our names for its sessions; a caller may try again with the same Call-ID. */
  readonly ids: string[] = [];
  readonly sipCallId: string;
  readonly sinceMs: number;
  readonly #mostBytes: number;
  readonly #first: KeptMessage[] = [];
  readonly #last: KeptMessage[] = [];
  #firstBytes = 0;
  #lastBytes = 0;
  #firstIsFull = false;
  #count = 0;

  constructor(sipCallId: string, mostBytes: number, sinceMs: number) {
    this.sipCallId = sipCallId;
    this.#mostBytes = mostBytes;
    this.sinceMs = sinceMs;
  }

  get bytes(): number {
    // A caller chooses its Call-ID, which is held as the key as well.
    return CALL_BYTES + 4 * this.sipCallId.length + this.#firstBytes + this.#lastBytes;
  }

  /** Of the messages that came, those that are not kept. */
  get dropped(): number {
    return this.#count - this.#first.length - this.#last.length;
  }

  get messages(): readonly KeptMessage[] {
    return [...this.#first, ...this.#last];
  }

  /** Takes a message in; the oldest of the last ones go to make room. */
  add(message: KeptMessage): void {
    message.order = ++this.#count;
    const bytes = bytesOf(message);
    const half = this.#mostBytes / 2;
    if (!this.#firstIsFull && this.#firstBytes + bytes <= half) {
      this.#first.push(message);
      this.#firstBytes += bytes;
      return;
    }
    this.#firstIsFull = true;
    this.#last.push(message);
    this.#lastBytes += bytes;
    while (this.#lastBytes > half) this.#lastBytes -= bytesOf(this.#last.shift()!);
  }

  /** Counts a message that is not taken in. */
  drop(): void {
    this.#count++;
  }
}
