import type { Subscriber } from '../admission/index.ts';
import type { Clock } from '../clock.ts';
import {
  type Header,
  type NameAddr,
  parseNameAddr,
  parseUri,
  type Request,
  type Response,
  type ResponseParts,
  respond,
} from '../message/index.ts';

export interface RegistrarOptions {
  readonly clock: Clock;
}

interface Binding {
  readonly contact: string;
  readonly callId: string;
  readonly sequence: number;
  readonly expiresAtMs: number;
}

type Answer = { readonly status: number } & Pick<ResponseParts, 'reason' | 'headers'>;

const OUT_OF_ORDER = 'CSeq is out of order';
const DEFAULT_EXPIRES_SECONDS = 600;
const MIN_EXPIRES_SECONDS = 30;
const MAX_EXPIRES_SECONDS = 3_600;
const MOST_BINDINGS = 8;
const MOST_ADDRESSES = 50_000;
/** How often expired bindings of others are looked for: each look goes through all of them. */
const SWEEP_MS = 10_000;

/** Who can be reached where (RFC 3261 §10.3). Bindings live in memory and end by themselves. */
export class Registrar {
  readonly #options: RegistrarOptions;
  /** By address of record, those that were renewed last at the end. */
  readonly #bindings = new Map<string, readonly Binding[]>();
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  /** Addresses of record that have a binding which has not expired. */
  get size(): number {
    this.#sweep();
    return this.#bindings.size;
  }

  /** Answers a REGISTER of a subscriber, or of a guest (null); `toTag` is a new one. */
  register(request: Request, toTag: string, subscriber: Subscriber | null): Response {
    const { status, ...parts } = this.#register(request, subscriber);
    return respond(request, status, { ...parts, toTag });
  }

  #register(request: Request, subscriber: Subscriber | null): Answer {
    const to = parseUri(request.to?.uri ?? '');
    if (to === null) return { status: 400, reason: 'Bad To' };
    // §10.3 item 4: nobody else's calls may be drawn to oneself.
    if (subscriber !== null && subscriber.user !== to.user) return { status: 403, reason: 'The address is not yours' };
    // §10.3 item 5: the To URI without parameters. A subscriber has one address, by whatever name we were called.
    const address = `${to.user}@${subscriber?.domain ?? to.host}`;
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#sweptAtMs >= SWEEP_MS) this.#sweep();
    const contacts = request.list('contact');
    const bindings = live(this.#bindings.get(address) ?? [], nowMs);
    if (contacts.includes('*')) {
      // §10.3 item 6: only alone, and only to remove everything.
      if (contacts.length > 1 || request.get('expires') !== '0') return { status: 400, reason: 'Bad Contact *' };
      if (bindings.some(binding => isOutOfOrder(request, binding))) return { status: 500, reason: OUT_OF_ORDER };
      this.#bindings.delete(address);
      return this.#list([]);
    }
    const parsed = contacts.map(parseNameAddr);
    if (!parsed.every(contact => contact !== null)) return { status: 400, reason: 'Bad Contact' };
    return this.#update(request, address, bindings, parsed);
  }

  #update(request: Request, address: string, bindings: readonly Binding[], contacts: readonly NameAddr[]): Answer {
    const nowMs = this.#options.clock.nowMs();
    let updated = bindings;
    for (const contact of contacts) {
      const seconds = expiresSeconds(request, contact);
      if (seconds > 0 && seconds < MIN_EXPIRES_SECONDS) {
        return { status: 423, headers: [['min-expires', String(MIN_EXPIRES_SECONDS)]] };
      }
      const sequence = request.cseq!.number;
      const before = updated.find(binding => binding.contact === contact.uri);
      // §10.3 item 7: an older request of the same client changes nothing.
      if (before !== undefined && isOutOfOrder(request, before)) return { status: 500, reason: OUT_OF_ORDER };
      updated = updated.filter(binding => binding !== before);
      if (seconds === 0) continue;
      const expiresAtMs = nowMs + Math.min(seconds, MAX_EXPIRES_SECONDS) * 1000;
      updated = [...updated, { contact: contact.uri, callId: request.callId, sequence, expiresAtMs }];
    }
    if (updated.length > MOST_BINDINGS) return { status: 403, reason: 'Too many contacts' };
    const isNew = !this.#bindings.has(address);
    if (isNew && updated.length > 0 && this.#bindings.size >= MOST_ADDRESSES) {
      return { status: 503, headers: [['retry-after', '60']] };
    }
    this.#bindings.delete(address);
    if (updated.length > 0) this.#bindings.set(address, updated);
    return this.#list(updated);
  }

  #list(bindings: readonly Binding[]): Answer {
    const nowMs = this.#options.clock.nowMs();
    const headers = bindings.map(({ contact, expiresAtMs }): Header => {
      return ['contact', `<${contact}>;expires=${Math.ceil((expiresAtMs - nowMs) / 1000)}`];
    });
    return { status: 200, headers };
  }

  #sweep(): void {
    const nowMs = this.#options.clock.nowMs();
    this.#sweptAtMs = nowMs;
    for (const [address, bindings] of this.#bindings) {
      if (live(bindings, nowMs).length === 0) this.#bindings.delete(address);
    }
  }
}

function live(bindings: readonly Binding[], nowMs: number): readonly Binding[] {
  return bindings.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
}

/** RFC 3261 §10.3 items 6 and 7: numbers of one Call-ID only rise. */
function isOutOfOrder(request: Request, { callId, sequence }: Binding): boolean {
  return callId === request.callId && sequence >= request.cseq!.number;
}

function expiresSeconds(request: Request, contact: NameAddr): number {
  const text = contact.parameters.get('expires') ?? request.get('expires');
  return text !== null && text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : DEFAULT_EXPIRES_SECONDS;
}
