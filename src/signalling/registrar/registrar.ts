import type { Clock } from '../clock.ts';
import {
  type Header,
  type NameAddr,
  parseNameAddr,
  parseUri,
  type Request,
  type Response,
  respond,
} from '../message/index.ts';

export interface RegistrarOptions {
  readonly clock: Clock;
  /** May anybody register. */
  readonly guests: boolean;
}

interface Binding {
  readonly contact: string;
  readonly callId: string;
  readonly sequence: number;
  readonly expiresAtMs: number;
}

const DEFAULT_EXPIRES_SECONDS = 600;
const MIN_EXPIRES_SECONDS = 30;
const MAX_EXPIRES_SECONDS = 3_600;
const MOST_BINDINGS = 8;
const MOST_ADDRESSES = 50_000;

/** Who can be reached where (RFC 3261 §10.3). Bindings live in memory and end by themselves. */
export class Registrar {
  readonly #options: RegistrarOptions;
  /** By address of record, those that were renewed last at the end. */
  readonly #bindings = new Map<string, Binding[]>();

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  /** Addresses of record that have a binding which has not expired. */
  get size(): number {
    this.#expire();
    return this.#bindings.size;
  }

  /** Answers a REGISTER. */
  register(request: Request): Response {
    if (!this.#options.guests) return respond(request, 403, { reason: 'Only subscribers may register' });
    const address = addressOfRecord(request);
    if (address === null) return respond(request, 400, { reason: 'Bad To' });
    this.#expire();
    const contacts = request.list('contact');
    const bindings = this.#bindings.get(address) ?? [];
    if (contacts.includes('*')) {
      // §10.3 item 6: only alone, and only to remove everything.
      if (contacts.length > 1 || request.get('expires') !== '0')
        return respond(request, 400, { reason: 'Bad Contact *' });
      this.#bindings.delete(address);
      return this.#list(request, []);
    }
    const parsed = contacts.map(parseNameAddr);
    if (!parsed.every(contact => contact !== null)) return respond(request, 400, { reason: 'Bad Contact' });
    return this.#update(request, address, bindings, parsed);
  }

  #update(request: Request, address: string, bindings: Binding[], contacts: readonly NameAddr[]): Response {
    const nowMs = this.#options.clock.nowMs();
    let updated = bindings;
    for (const contact of contacts) {
      const seconds = expiresSeconds(request, contact);
      if (seconds > 0 && seconds < MIN_EXPIRES_SECONDS) {
        return respond(request, 423, { headers: [['min-expires', String(MIN_EXPIRES_SECONDS)]] });
      }
      const sequence = request.cseq!.number;
      const before = updated.find(binding => binding.contact === contact.uri);
      // §10.3 item 7: an older request of the same client changes nothing.
      if (before?.callId === request.callId && before.sequence >= sequence) return respond(request, 500);
      updated = updated.filter(binding => binding !== before);
      if (seconds === 0) continue;
      const expiresAtMs = nowMs + Math.min(seconds, MAX_EXPIRES_SECONDS) * 1000;
      updated = [...updated, { contact: contact.uri, callId: request.callId, sequence, expiresAtMs }];
    }
    if (updated.length > MOST_BINDINGS) return respond(request, 403, { reason: 'Too many contacts' });
    const isNew = !this.#bindings.has(address);
    if (isNew && updated.length > 0 && this.#bindings.size >= MOST_ADDRESSES) {
      return respond(request, 503, { headers: [['retry-after', '60']] });
    }
    this.#bindings.delete(address);
    if (updated.length > 0) this.#bindings.set(address, updated);
    return this.#list(request, updated);
  }

  #list(request: Request, bindings: readonly Binding[]): Response {
    const nowMs = this.#options.clock.nowMs();
    const headers = bindings.map(({ contact, expiresAtMs }): Header => {
      return ['contact', `<${contact}>;expires=${Math.ceil((expiresAtMs - nowMs) / 1000)}`];
    });
    return respond(request, 200, { headers });
  }

  #expire(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const [address, bindings] of this.#bindings) {
      const live = bindings.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
      if (live.length === bindings.length) continue;
      if (live.length === 0) this.#bindings.delete(address);
      else this.#bindings.set(address, live);
    }
  }
}

/** RFC 3261 §10.3 item 5: the To URI without parameters. */
function addressOfRecord(request: Request): string | null {
  const uri = parseUri(request.to?.uri ?? '');
  return uri === null ? null : `${uri.user}@${uri.host}`;
}

function expiresSeconds(request: Request, contact: NameAddr): number {
  const text = contact.parameters.get('expires') ?? request.get('expires');
  return text !== null && text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : DEFAULT_EXPIRES_SECONDS;
}
