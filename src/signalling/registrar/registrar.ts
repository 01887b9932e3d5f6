import type { Subscriber } from '../admission/index.ts';
import type { Clock } from '../clock.ts';
import {
  formatHost,
  type Header,
  parseUri,
  type Request,
  type Response,
  type ResponseParts,
  respond,
  type SipUri,
  uriScheme,
} from '../message/index.ts';
import type { Flow } from '../transport/index.ts';
import { type Binding, Bindings } from './bindings.ts';
import { type Contact, normaliseInstance, parseContact, readSeconds } from './contact.ts';
import { knows, REGISTRAR_EXTENSIONS } from './extensions.ts';
import { type AddressOfRecord, Gruus } from './gruu.ts';
import { flowTo, outboundHeaders, outboundOf } from './outbound.ts';
import { parseRoute } from './path.ts';
import { type UriEquality, uriEquality } from './uri-equality.ts';

export interface RegistrarOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Secret of this server: 32 random bytes. */
  readonly key: Buffer;
}

/** Where a request for somebody goes. */
export interface Target {
  /** The Request-URI. */
  readonly uri: string;
  /** The Route headers, in this order (RFC 3327 §5.4): there the request goes, when there are any. */
  readonly path: readonly string[];
  /** The way to it; null when it goes to the first of the path, or to the URI. */
  readonly flow: Flow | null;
  /** RFC 3261 §20.10: those with a lower one are asked when those with a higher one have refused. */
  readonly q: number;
  /** RFC 5626 §7: two targets of one device are never asked at once, but the second when the first can't be reached. */
  readonly instance: string | null;
}

type Answer = { readonly status: number } & Pick<ResponseParts, 'reason' | 'headers'>;

/** A REGISTER whose sender may say what it says. */
interface Registering {
  readonly request: Request;
  readonly flow: Flow;
  /** What its bindings are kept by. */
  readonly address: string;
  readonly aor: AddressOfRecord;
  readonly path: readonly string[];
  readonly isSame: UriEquality;
}

const OUT_OF_ORDER = 'CSeq is out of order';
const DEFAULT_EXPIRES_SECONDS = 600;
const MIN_EXPIRES_SECONDS = 30;
const MAX_EXPIRES_SECONDS = 3_600;
const MOST_BINDINGS = 8;
/** In one request: all may go, and as many come. */
const MOST_CONTACTS = 2 * MOST_BINDINGS;
/** Of all the text that a binding keeps. */
const MOST_CHARACTERS = 2_048;

/** Who can be reached where (RFC 3261 §10.3). Bindings live in memory and end by themselves. */
export class Registrar {
  readonly #clock: RegistrarOptions['clock'];
  readonly #bindings: Bindings;
  readonly #gruus: Gruus;
  #serial = 0;

  constructor({ clock, key }: RegistrarOptions) {
    this.#clock = clock;
    this.#bindings = new Bindings(clock);
    this.#gruus = new Gruus(key);
  }

  /** Addresses of record that have a binding which has not ended. */
  get size(): number {
    return this.#bindings.size;
  }

  /**
   * Where a request for this address of record or GRUU goes: those that want it most first, and of those the ones that
   * registered last. The host of a subscriber's address is its domain. Nobody is there when the list is empty.
   */
  find(uri: string): readonly Target[] {
    const parsed = parseUri(uri);
    if (parsed === null) return [];
    return this.#addressed(parsed)
      .filter(binding => parseUri(binding.uri) !== null)
      .reverse()
      .sort((a, b) => b.q - a.q)
      .map(({ uri, path, flow, q, instance }) => ({ uri, path, flow, q, instance }));
  }

  /** Answers a REGISTER of a subscriber, or of a guest (null), that came over this flow; `toTag` is a new one. */
  register(request: Request, flow: Flow, toTag: string, subscriber: Subscriber | null): Response {
    const { status, ...parts } = this.#register(request, flow, subscriber);
    return respond(request, status, { ...parts, toTag });
  }

  #register(request: Request, flow: Flow, subscriber: Subscriber | null): Answer {
    const to = parseUri(request.to?.uri ?? '');
    if (to === null) return { status: 400, reason: 'Bad To' };
    // §10.3 item 4: nobody else's calls may be drawn to oneself.
    if (subscriber !== null && subscriber.user !== to.user) return { status: 403, reason: 'The address is not yours' };
    // RFC 3327 §5.3: we would have to send requests there. It counts whether or not the client knows of it: proxies do.
    const path = request.list('path');
    if (path.some(value => parseRoute(value) === null)) return { status: 400, reason: 'Bad Path' };
    // §10.3 item 5: the To URI without parameters. A subscriber has one address, by whatever name we were called.
    const domain = subscriber?.domain ?? formatHost(to.host) + (to.port === null ? '' : `:${to.port}`);
    const aor = { user: to.user, domain };
    const registering = {
      request,
      flow,
      address: key(to.user, subscriber?.domain ?? to.host),
      aor,
      path,
      isSame: uriEquality(),
    };
    const values = request.list('contact');
    if (values.includes('*')) return this.#removeAll(registering, values.length);
    if (values.length > MOST_CONTACTS) return { status: 403, reason: 'Too many contacts' };
    const contacts = values.map(parseContact);
    if (!contacts.every(contact => contact !== null)) return { status: 400, reason: 'Bad Contact' };
    return this.#update(registering, contacts);
  }

  #removeAll(registering: Registering, contacts: number): Answer {
    const { request, address } = registering;
    // §10.3 item 6: only alone, and only to remove everything.
    if (contacts > 1 || request.get('expires') !== '0') return { status: 400, reason: 'Bad Contact *' };
    const bindings = this.#bindings.of(address);
    if (bindings.some(binding => isOutOfOrder(request, binding))) return { status: 500, reason: OUT_OF_ORDER };
    this.#bindings.replace(address, []);
    return this.#list(registering, [], []);
  }

  #update(registering: Registering, contacts: readonly Contact[]): Answer {
    const { request, flow, address, isSame } = registering;
    const outbound = outboundOf(request, flow, contacts);
    if (outbound === 'lacking') return { status: 439 };
    const staying = contacts.filter(contact => secondsOf(request, contact) > 0);
    // RFC 5626 §6: one request registers one flow.
    if (outbound === 'kept' && staying.length > 1 && staying.some(({ regId }) => regId !== null)) {
      return { status: 400, reason: 'More than one Contact beside a reg-id' };
    }
    let bindings = this.#bindings.of(address);
    for (const contact of contacts) {
      const seconds = secondsOf(request, contact);
      if (seconds > 0 && seconds < MIN_EXPIRES_SECONDS) {
        return { status: 423, headers: [['min-expires', String(MIN_EXPIRES_SECONDS)]] };
      }
      if (seconds > 0 && this.#leadsBack(registering, contact)) return { status: 403, reason: 'Contact leads back' };
      const regId = outbound === 'kept' ? contact.regId : null;
      const before = bindings.find(binding => isOf(binding, contact, regId, isSame));
      // §10.3 item 7: an older request of the same client changes nothing.
      if (before !== undefined && isOutOfOrder(request, before)) return { status: 500, reason: OUT_OF_ORDER };
      const others = bindings.filter(binding => binding !== before);
      bindings = seconds === 0 ? others : [...others, this.#bind(registering, contact, regId, bindings)];
    }
    if (bindings.some(binding => charactersOf(address, binding) > MOST_CHARACTERS)) {
      return { status: 403, reason: 'Contact too long' };
    }
    if (bindings.length > MOST_BINDINGS) return { status: 403, reason: 'Too many contacts' };
    if (!this.#bindings.replace(address, bindings)) return { status: 503, headers: [['retry-after', '60']] };
    return this.#list(registering, bindings, outbound === 'kept' ? outboundHeaders(request) : []);
  }

  #bind(registering: Registering, contact: Contact, regId: number | null, before: readonly Binding[]): Binding {
    const { request, flow, path } = registering;
    const { q, instance } = contact;
    const { callId } = request;
    const same = before.find(binding => binding.instance === instance && binding.callId === callId);
    const seconds = Math.min(secondsOf(request, contact), MAX_EXPIRES_SECONDS);
    return {
      uri: owned(contact.uri),
      parameters: owned(contact.parameters),
      q,
      instance: instance === null ? null : owned(instance),
      regId,
      path: path.map(owned),
      flow: flowTo(contact.uri, regId, request, flow),
      serial: same?.serial ?? ++this.#serial,
      callId: owned(callId),
      sequence: request.cseq!.number,
      expiresAtMs: this.#clock.nowMs() + seconds * 1000,
    };
  }

  /** RFC 5627 §5.1: a GRUU that leads to what leads to the GRUU. */
  #leadsBack({ request, address, isSame }: Registering, { uri, instance }: Contact): boolean {
    if (instance === null || !knows(request, 'gruu')) return false;
    if (isSame(uri, request.to!.uri)) return true;
    const parsed = parseUri(uri);
    if (!parsed?.parameters.has('gr')) return false;
    return (this.#gruus.registered(parsed.user)?.address ?? key(parsed.user, parsed.host)) === address;
  }

  #addressed({ user, host, parameters }: SipUri): Binding[] {
    const gr = parameters.get('gr');
    if (gr === undefined) return [...this.#bindings.of(key(user, host))];
    // RFC 5627 §3.1: of the two, the public one has a value, the instance.
    if (gr) return this.#bindings.of(key(user, host)).filter(({ instance }) => instance === normaliseInstance(gr));
    const named = this.#gruus.registered(user);
    if (named === null) return [];
    const bindings = this.#bindings.of(named.address);
    const instance = bindings.find(({ serial }) => serial === named.serial)?.instance ?? null;
    return bindings.filter(binding => instance !== null && binding.instance === instance);
  }

  /** §10.3 item 8: all that there are now. */
  #list(registering: Registering, bindings: readonly Binding[], more: readonly Header[]): Answer {
    const { request, address, aor, path } = registering;
    const nowMs = this.#clock.nowMs();
    const withGruus = knows(request, 'gruu');
    const contacts = bindings.map(({ uri, parameters, instance, expiresAtMs, serial, sequence }): Header => {
      const plain = `<${uri}>${parameters};expires=${Math.ceil((expiresAtMs - nowMs) / 1000)}`;
      if (!withGruus || instance === null) return ['contact', plain];
      const scheme = uriScheme(uri) === 'sips' ? 'sips' : 'sip';
      const temporary = this.#gruus.temporaryUri(aor, scheme, { address, serial }, sequence);
      const permanent = this.#gruus.publicUri(aor, scheme, instance);
      return ['contact', `${plain};pub-gruu="${permanent}";temp-gruu="${temporary}"`];
    });
    // RFC 3327 §5.3.
    const told = knows(request, 'path') ? path.map((value): Header => ['path', value]) : [];
    const supported: Header = ['supported', REGISTRAR_EXTENSIONS.join(', ')];
    return { status: 200, headers: [...contacts, ...told, ...more, supported] };
  }
}

function key(user: string, host: string): string {
  return owned(`${user}@${host}`);
}

/** RFC 5626 §6: a flow is known by its device and number; anything else by its URI, as is whoever removes that. */
function isOf(binding: Binding, { uri, instance }: Contact, regId: number | null, isSame: UriEquality): boolean {
  if (regId !== null) return binding.regId === regId && binding.instance === instance;
  return isSame(binding.uri, uri);
}

/** RFC 3261 §10.3 items 6 and 7: numbers of one Call-ID only rise. */
function isOutOfOrder(request: Request, { callId, sequence }: Binding): boolean {
  return callId === request.callId && sequence >= request.cseq!.number;
}

function secondsOf(request: Request, { expiresSeconds }: Contact): number {
  return expiresSeconds ?? readSeconds(request.get('expires')) ?? DEFAULT_EXPIRES_SECONDS;
}

function charactersOf(address: string, { uri, parameters, callId, path }: Binding): number {
  return [address, uri, parameters, callId, ...path].join('').length;
}

/** Text of its own: one that was cut out of a message would keep the whole message in memory. */
function owned(text: string): string {
  return Buffer.from(text).toString();
}
