import { UA, WebSocketInterface } from 'jssip';
import { backoffMs } from './backoff.ts';
import { SipCall, type SipCallHandlers } from './sip-call.ts';

export interface SipLineOptions {
  /** WebSocket URL of the server. */
  readonly url: string;
  /** SIP domain of the channels. */
  readonly domain: string;
  readonly onUp: () => void;
  readonly onDown: () => void;
}

/** JsSIP's own recovery waits at least a second; this one is quicker, so that one is put off for ever. */
const NEVER_SECONDS = 86_400;

/** The SIP connection to the server: opened at once, and again whenever it is lost. */
export class SipLine {
  readonly #options: SipLineOptions;
  /** One certificate for all calls, made while the viewer still looks at the guide: each call starts sooner for it. */
  readonly #certificate: Promise<RTCCertificate>;
  #certificates: RTCCertificate[] = [];
  #ua: UA | null = null;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SipLineOptions) {
    this.#options = options;
    this.#certificate = RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' } as EcKeyGenParams);
    this.#certificate.then(
      certificate => this.#certificates.push(certificate),
      () => undefined,
    );
  }

  open(): void {
    clearTimeout(this.#timer);
    const { url, domain, onUp } = this.#options;
    const ua = new UA({
      sockets: new WebSocketInterface(url),
      uri: `sip:guest@${domain}`,
      register: false,
      session_timers: false,
      connection_recovery_min_interval: NEVER_SECONDS,
      connection_recovery_max_interval: NEVER_SECONDS,
    });
    this.#ua = ua;
    ua.on('connected', () => {
      this.#attempt = 0;
      onUp();
    });
    ua.on('disconnected', () => this.#lost(ua));
    ua.start();
  }

  /** Tries again now rather than when the back-off ends. */
  hurry(): void {
    if (this.#ua === null) this.open();
  }

  /** Gives up a connection that is open but dead, as after a change of the network, and opens another one. */
  renew(): void {
    if (this.#ua !== null) this.#lost(this.#ua);
  }

  /** Calls a channel. The line must be up. */
  call(target: string, handlers: SipCallHandlers): SipCall {
    const uri = `sip:${encodeURIComponent(target)}@${this.#options.domain}`;
    return new SipCall(this.#ua!, uri, this.#certificates, handlers);
  }

  #lost(ua: UA): void {
    if (ua !== this.#ua) return;
    this.#ua = null;
    this.#options.onDown();
    ua.stop();
    this.#timer = setTimeout(() => this.open(), backoffMs(this.#attempt++, Math.random()));
  }
}
