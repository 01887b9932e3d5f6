import { DigestClient } from '../authentication/index.ts';
import type { Clock } from '../clock.ts';
import { formatHost, type Header, parseNameAddr, Request, type Response } from '../message/index.ts';
import type { NextHop } from '../resolution/index.ts';
import type { Connection, Flow, OutgoingTransport, Target } from '../transport/index.ts';

/** A subscriber of a foreign platform that stands for one of our channels. */
export interface PlatformAccount {
  /** Its host is the platform's SIP domain. What DNS is to tell is null; a port leaves out the look-up of services. */
  readonly registrar: {
    readonly host: string;
    readonly port: number | null;
    readonly transport: OutgoingTransport | null;
  };
  /** Certificates in PEM, one of which must have signed the platform's; null for those that the system trusts. */
  readonly authorities: string | null;
  readonly user: string;
  readonly password: string;
  /** SIP user name of the channel: calls for the subscriber arrive with it. */
  readonly channel: string;
  /** Asked for; the platform decides. */
  readonly expiresSeconds: number;
}

export interface RegistrationStatus {
  readonly state: 'trying' | 'registered' | 'failed';
  /** Why it failed last; null while all is well. */
  readonly reason: string | null;
}

export interface RegistrationPorts {
  readonly clock: Clock;
  readonly random: () => number;
  /** A tag, Call-ID or client nonce: unique, and nobody's guess. */
  readonly token: () => string;
  readonly resolve: (hop: NextHop) => Promise<readonly Target[]>;
  readonly connect: (target: Target, authorities: string | null) => Promise<Connection>;
  readonly via: (flow: Flow) => string;
  readonly contact: (flow: Flow, user: string) => string;
  /** Sends a request and tells its final response, null when there is none in time. */
  readonly request: (request: Request, flow: Flow, answered: (response: Response | null) => void) => void;
  readonly changed: (status: RegistrationStatus) => void;
}

/** A password is tried once on a fresh nonce, and once more when the platform says that the nonce was stale. */
const CHALLENGES_PER_TARGET = 2;
/** The first pause after a failure, doubled with each one that follows, up to the last. */
const FIRST_PAUSE_MS = 2_000;
const LAST_PAUSE_MS = 300_000;
/** When of the time granted to register again: early enough for another target, and not all subscribers at once. */
const REFRESH_FROM = 0.7;
const REFRESH_TO = 0.9;

const CLOSED = 'the connection was closed';

/**
 * Keeps one subscriber registered with a foreign platform (RFC 3261 §10.2): answers its challenges, registers again
 * before the time is over, goes from target to target, and after failures waits longer and longer.
 */
export class Registration {
  readonly account: PlatformAccount;
  readonly #ports: RegistrationPorts;
  readonly #digest: DigestClient;
  readonly #callId: string;
  readonly #tag: string;
  #sequence = 0;
  #expiresSeconds: number;
  #failures = 0;
  /** Until the next round; null while one is under way. */
  #timer: unknown = null;
  #status: RegistrationStatus = { state: 'trying', reason: null };
  /** The way that the platform knows; null before it does. */
  #registeredOver: Flow | null = null;
  /** The Contact that the platform has of us, as far as we know. */
  #binding: string | null = null;
  /** Where an answer is waited for, and how to wait no longer. */
  #asked: { readonly flow: Flow; readonly giveUp: () => void } | null = null;
  #stopped = false;

  constructor(account: PlatformAccount, ports: RegistrationPorts) {
    this.account = account;
    this.#ports = ports;
    this.#digest = new DigestClient(account, ports.token);
    this.#callId = ports.token();
    this.#tag = ports.token();
    this.#expiresSeconds = account.expiresSeconds;
  }

  get status(): RegistrationStatus {
    return this.#status;
  }

  /** The way over which the platform calls us; null while we are not registered. */
  get flow(): Flow | null {
    return this.#registeredOver;
  }

  start(): void {
    void this.#round();
  }

  /** Takes the subscriber off the platform, if he is on it, and does nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#ports.clock.clearTimer(this.#timer);
    if (this.#registeredOver === null) return;
    this.#ports.request(this.#register(this.#registeredOver, 0), this.#registeredOver, () => undefined);
  }

  /** A connection closed: nobody can be called over it any more, and no answer comes. */
  disconnected(flow: Flow): void {
    if (this.#asked?.flow === flow) return this.#asked.giveUp();
    // A round that is under way finds another one.
    if (this.#stopped || this.#registeredOver !== flow || this.#timer === null) return;
    this.#ports.clock.clearTimer(this.#timer);
    this.#failed(CLOSED);
  }

  /** Goes from target to target until one has decided. */
  async #round(): Promise<void> {
    this.#timer = null;
    const { registrar, authorities } = this.account;
    let reason = 'the registrar has no address';
    for (const target of await this.#ports.resolve({ ...registrar, secure: false })) {
      if (this.#stopped) return;
      const connection = await this.#ports.connect(target, authorities);
      if (this.#stopped) return;
      if ('fault' in connection) {
        reason = connection.fault;
        continue;
      }
      const { flow } = connection;
      const response = await this.#ask(flow);
      if (this.#stopped) return;
      if (response !== null && response.status < 300) return this.#succeeded(response, flow);
      if (response !== null && response.status < 500) return this.#failed(describe(response));
      reason = response === null ? 'no answer' : describe(response);
      // RFC 5626 §4.2.1: a connection on which nobody answers leads nowhere; the next round opens another one.
      if (response === null) flow.close();
    }
    if (!this.#stopped) this.#failed(reason);
  }

  /** The last word of one target, after its challenges and its wish for a longer time; null when it does not answer. */
  async #ask(flow: Flow): Promise<Response | null> {
    let challengesLeft = CHALLENGES_PER_TARGET;
    let mayExtend = true;
    for (;;) {
      const response = await this.#answer(flow);
      if (response === null || this.#stopped) return response;
      const { status } = response;
      const least = Number(response.get('min-expires'));
      if (status === 401 || status === 407) {
        if (challengesLeft-- === 0 || !this.#digest.take(response)) return response;
      } else if (status === 423 && mayExtend && least > this.#expiresSeconds) {
        // RFC 3261 §10.2.8.
        this.#expiresSeconds = least;
        mayExtend = false;
      } else return response;
    }
  }

  #answer(flow: Flow): Promise<Response | null> {
    const { promise, resolve } = Promise.withResolvers<Response | null>();
    this.#asked = { flow, giveUp: () => resolve(null) };
    this.#ports.request(this.#register(flow, this.#expiresSeconds), flow, resolve);
    return promise.finally(() => {
      this.#asked = null;
    });
  }

  #succeeded(response: Response, flow: Flow): void {
    if (flow.closed) return this.#failed(CLOSED);
    this.#failures = 0;
    this.#registeredOver = flow;
    this.#binding = this.#contact(flow);
    flow.keepAlive?.();
    this.#tell({ state: 'registered', reason: null });
    const share = REFRESH_FROM + (REFRESH_TO - REFRESH_FROM) * this.#ports.random();
    this.#later(this.#granted(response, flow) * 1000 * share);
  }

  #failed(reason: string): void {
    this.#registeredOver = null;
    this.#tell({ state: 'failed', reason });
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, LAST_PAUSE_MS);
    // RFC 5626 §4.5: between half of it and all, so that a platform that comes back is not run over.
    this.#later(pauseMs * (0.5 + 0.5 * this.#ports.random()));
  }

  #later(delayMs: number): void {
    this.#timer = this.#ports.clock.setTimer(delayMs, () => void this.#round());
  }

  #tell(status: RegistrationStatus): void {
    const isNews = status.state !== this.#status.state || status.reason !== this.#status.reason;
    this.#status = status;
    if (isNews) this.#ports.changed(status);
  }

  /** RFC 3261 §10.2.4: what our Contact in the response says, else the whole response, else what we asked for. */
  #granted(response: Response, flow: Flow): number {
    const ours = parseNameAddr(this.#contact(flow))?.uri;
    const contact = response
      .list('contact')
      .map(parseNameAddr)
      .find(each => each?.uri === ours);
    const seconds = Number(contact?.parameters.get('expires') ?? response.get('expires') ?? Number.NaN);
    return seconds > 0 ? seconds : this.#expiresSeconds;
  }

  #register(flow: Flow, expiresSeconds: number): Request {
    const { registrar, user } = this.account;
    const host = formatHost(registrar.host);
    const domain = `sip:${registrar.port === null ? host : `${host}:${registrar.port}`}`;
    const address = `<sip:${encodeURIComponent(user)}@${host}>`;
    const contact = this.#contact(flow);
    const stale = this.#binding === null || this.#binding === contact ? [] : [`${this.#binding};expires=0`];
    const authorization = this.#digest.authorization({ method: 'REGISTER', uri: domain });
    const headers: Header[] = [
      ['via', this.#ports.via(flow)],
      ['max-forwards', '70'],
      ['from', `${address};tag=${this.#tag}`],
      ['to', address],
      ['call-id', this.#callId],
      ['cseq', `${++this.#sequence} REGISTER`],
      // §10.2.2: where we were called before a connection was lost is not kept beside where we are called now.
      ...[contact, ...stale].map((each): Header => ['contact', each]),
      ['expires', String(expiresSeconds)],
      ...(authorization === null ? [] : [authorization]),
    ];
    return new Request('REGISTER', domain, headers);
  }

  #contact(flow: Flow): string {
    return this.#ports.contact(flow, this.account.channel);
  }
}

function describe({ status, reason }: Response): string {
  if (status === 401 || status === 407) return 'user or password is wrong';
  return `${status} ${reason}`;
}
