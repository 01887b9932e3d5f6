import { DigestClient } from '../authentication/index.ts';
import type { Clock } from '../clock.ts';
import { formatHost, type Header, parseNameAddr, Request, type Response } from '../message/index.ts';
import type { Flow } from '../transport/index.ts';
import type { Target } from './targets.ts';

/** A subscriber of a foreign platform that stands for one of our channels. */
export interface PlatformAccount {
  /** Host of the platform's registrar, which is its SIP domain; a port leaves out the look-up of services. */
  readonly registrar: { readonly host: string; readonly port: number | null };
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
  readonly resolve: (registrar: PlatformAccount['registrar']) => Promise<readonly Target[]>;
  /** The way to a target; null when it is of an address family that we have no socket for. */
  readonly flow: (target: Target) => Flow | null;
  readonly via: (flow: Flow) => string;
  readonly contact: (flow: Flow, user: string) => string;
  /** Sends a request and tells its final response, null when there is none in time. */
  readonly request: (request: Request, flow: Flow, answered: (response: Response | null) => void) => void;
  readonly changed: (status: RegistrationStatus) => void;
}

/** A password is tried once on a fresh nonce, and once more when the platform says that the nonce was stale. */
const CHALLENGES_PER_ROUND = 2;
/** The first pause after a failure, doubled with each one that follows, up to the last. */
const FIRST_PAUSE_MS = 2_000;
const LAST_PAUSE_MS = 300_000;
/** When of the time granted to register again: early enough for another target, and not all subscribers at once. */
const REFRESH_FROM = 0.7;
const REFRESH_TO = 0.9;

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
  #timer: unknown = null;
  #status: RegistrationStatus = { state: 'trying', reason: null };
  /** The way that the platform knows; null before it does. */
  #registeredOver: Flow | null = null;
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

  async #round(): Promise<void> {
    const targets = await this.#ports.resolve(this.account.registrar);
    if (this.#stopped) return;
    const flows = targets.map(target => this.#ports.flow(target)).filter(flow => flow !== null);
    if (flows.length === 0) return this.#failed('the registrar has no address that can be reached');
    this.#try(flows, CHALLENGES_PER_ROUND);
  }

  /** Asks the first flow's target; the rest are for when it does not answer. */
  #try([flow, ...rest]: readonly Flow[], challengesLeft: number): void {
    const request = this.#register(flow!, this.#expiresSeconds);
    this.#ports.request(request, flow!, response => {
      if (this.#stopped) return;
      const again = (challenges: number) => this.#try([flow!, ...rest], challenges);
      if (response === null || response.status >= 500) {
        const reason = response === null ? 'no answer' : describe(response);
        return rest.length > 0 ? this.#try(rest, CHALLENGES_PER_ROUND) : this.#failed(reason);
      }
      if (response.status < 300) return this.#succeeded(response, flow!);
      if (response.status === 401 || response.status === 407) {
        const mayTry = challengesLeft > 0 && this.#digest.take(response);
        return mayTry ? again(challengesLeft - 1) : this.#failed('user or password is wrong');
      }
      const least = Number(response.get('min-expires'));
      // RFC 3261 §10.2.8.
      if (response.status === 423 && least > this.#expiresSeconds) {
        this.#expiresSeconds = least;
        return again(challengesLeft);
      }
      this.#failed(describe(response));
    });
  }

  #succeeded(response: Response, flow: Flow): void {
    this.#failures = 0;
    this.#registeredOver = flow;
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
    const authorization = this.#digest.authorization({ method: 'REGISTER', uri: domain });
    const headers: Header[] = [
      ['via', this.#ports.via(flow)],
      ['max-forwards', '70'],
      ['from', `${address};tag=${this.#tag}`],
      ['to', address],
      ['call-id', this.#callId],
      ['cseq', `${++this.#sequence} REGISTER`],
      ['contact', this.#contact(flow)],
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
  return `${status} ${reason}`;
}
