import type { Channel, FilmUse } from '../channels/index.ts';
import { negotiate } from '../sdp/index.ts';
import type { CallEnd, EndCause, IncomingCall, Referral, Rejection } from '../signalling/index.ts';
import type { Call, CallOutcome } from './call.ts';
import { CAPABILITIES, CallMedia, type CallMediaOptions } from './call-media.ts';
import { SlateTime } from './slate-time.ts';

export interface AnsweredCallOptions extends Omit<CallMediaOptions, 'id'> {
  readonly incoming: IncomingCall;
  /** The caller wants the channel to go on to somebody else. */
  readonly onReferred: (referral: Referral) => void;
  readonly onAnswered: () => void;
  /** Called once, when nothing of the call is left. */
  readonly onEnded: (call: Call, outcome: CallOutcome) => void;
}

/** A call that came in, from the INVITE to the end. */
export class AnsweredCall implements Call {
  readonly id: string;
  readonly channel: Channel;
  readonly transport: string;
  readonly incoming: IncomingCall;
  answeredAtMs: number | null = null;
  readonly slate = new SlateTime();
  readonly #options: AnsweredCallOptions;
  readonly #media: CallMedia;
  #over = false;

  constructor(options: AnsweredCallOptions) {
    const { incoming, channel } = options;
    this.#options = options;
    this.id = incoming.id;
    this.channel = channel;
    this.transport = incoming.transport;
    this.incoming = incoming;
    this.#media = new CallMedia({ ...options, id: incoming.id }, incoming);
  }

  get codecs(): string[] {
    return this.#media.codecs;
  }

  get held(): boolean {
    return this.#media.held;
  }

  get film(): FilmUse | null {
    return this.#media.film;
  }

  /** Answers the INVITE, or refuses it with the status that says why. */
  async start(): Promise<void> {
    const { incoming, nowUnixMs, onAnswered, onReferred } = this.#options;
    incoming.handlers = {
      cancelled: () => this.#end('cancelled'),
      answered: answer => void this.#answered(answer),
      acknowledged: () => this.#media.confirm(),
      reinvite: request => void this.#media.renegotiate(request),
      pressed: key => this.#media.pressed(key),
      referred: onReferred,
      ended: end => this.#ended(end),
    };
    // Before anything is spent: an offer that has nothing in common must not start a transcoder.
    const impossible = this.#impossible();
    if (impossible !== null) return this.#refuse(impossible);
    const description = await this.#media.open(incoming.offer, reason => {
      this.hangUp({ protocol: 'SIP', cause: 480, text: reason });
    });
    if (this.#over || description === null) return;
    if (typeof description !== 'string') return this.#refuse(description);
    this.answeredAtMs = nowUnixMs();
    this.slate.change(this.channel.outage !== null, this.answeredAtMs);
    incoming.accept(description);
    onAnswered();
  }

  hangUp(cause: EndCause): void {
    if (this.#over) return;
    if (this.answeredAtMs === null) return this.#refuse({ status: cause.cause, reason: cause.text });
    this.#options.incoming.hangUp(cause);
  }

  viewerLost(reason: string): void {
    this.hangUp({ protocol: 'SIP', cause: 408, text: reason });
  }

  #impossible(): Rejection | null {
    const { offer, transport } = this.#options.incoming;
    if (offer === null) {
      // Ours would be plain RTP, which no browser takes.
      const isBrowser = transport === 'ws' || transport === 'wss';
      return isBrowser ? { status: 488, reason: 'An offer is needed in the INVITE' } : null;
    }
    const possible = negotiate(offer, CAPABILITIES);
    return possible.ok ? null : possible;
  }

  /** The ACK to an offer of ours. RFC 3261 §13.2.2.4: an answer that will not do ends the call. */
  async #answered(answer: string | null): Promise<void> {
    if (answer === null) return this.hangUp({ protocol: 'SIP', cause: 488, text: 'The ACK has no answer' });
    const problem = await this.#media.takeAnswer(answer);
    if (problem !== null) this.hangUp({ protocol: 'SIP', cause: problem.status, text: problem.reason ?? '' });
  }

  #refuse(rejection: Rejection): void {
    if (this.#over) return;
    this.#options.incoming.reject(rejection);
    this.#end('refused');
  }

  #ended(end: CallEnd): void {
    const { log, nowUnixMs } = this.#options;
    const slateMs = this.slate.totalMs(nowUnixMs());
    log.info({ call: this.id, channel: this.channel.config.name, end, slateMs }, 'call ended');
    this.#end('watched');
  }

  #end(outcome: CallOutcome): void {
    if (this.#over) return;
    this.#over = true;
    this.#media.close();
    this.#options.onEnded(this, outcome);
  }
}
