import type { Channel, FilmUse } from '../channels/index.ts';
import type {
  CallEnd,
  CallIdentity,
  CallRequest,
  EndCause,
  OutgoingCall,
  Referral,
  Rejection,
} from '../signalling/index.ts';
import type { Call, CallOutcome } from './call.ts';
import { CallMedia, type CallMediaOptions, type MediaPeer } from './call-media.ts';
import { SlateTime } from './slate-time.ts';

export interface PlacedCallOptions extends Omit<CallMediaOptions, 'id'> {
  /** Who wants it, and whom to call. */
  readonly referral: Referral;
  readonly identity: CallIdentity;
  readonly place: (request: CallRequest) => OutgoingCall;
  /** Whom we called wants the channel to go on to somebody else. */
  readonly onReferred: (referral: Referral) => void;
  readonly onAnswered: () => void;
  /** Called once, when nothing of the call is left. */
  readonly onEnded: (call: Call, outcome: CallOutcome) => void;
}

/** A call that we make because a viewer hands his channel on (RFC 3515), from the INVITE to the end. */
export class PlacedCall implements Call {
  readonly id: string;
  readonly channel: Channel;
  readonly incoming = null;
  answeredAtMs: number | null = null;
  readonly slate = new SlateTime();
  readonly #options: PlacedCallOptions;
  #media: CallMedia | null = null;
  readonly #outgoing: OutgoingCall;
  #over = false;

  constructor(options: PlacedCallOptions) {
    const { channel, referral, identity, place, onReferred } = options;
    this.#options = options;
    this.channel = channel;
    this.#outgoing = place({
      to: referral.to,
      identity,
      replaces: referral.replaces,
      referredBy: referral.referredBy,
      offer: localAddress => this.#offer({ localAddress, remoteAddress: null }),
      handlers: {
        progress: (status, reason) => referral.report(status, reason),
        accepted: answer => void this.#accepted(answer),
        refused: rejection => this.#refused(rejection),
        answered: answer => void this.#answered(answer),
        reinvite: request => void this.#media?.renegotiate(request),
        pressed: key => this.#media?.pressed(key),
        referred: onReferred,
        ended: end => this.#ended(end),
      },
    });
    this.id = this.#outgoing.id;
  }

  get transport(): string {
    return this.#outgoing.peer?.transport ?? '';
  }

  get codecs(): string[] {
    return this.#media?.codecs ?? [];
  }

  get held(): boolean {
    return this.#media?.held ?? false;
  }

  get film(): FilmUse | null {
    return this.#media?.film ?? null;
  }

  hangUp(cause: EndCause): void {
    if (!this.#over) this.#outgoing.hangUp(cause);
  }

  viewerLost(reason: string): void {
    this.hangUp({ protocol: 'SIP', cause: 408, text: reason });
  }

  async #offer(peer: MediaPeer): Promise<string | Rejection> {
    this.#media = new CallMedia({ ...this.#options, id: this.id }, peer);
    const offer = await this.#media.open(null, reason => this.hangUp({ protocol: 'SIP', cause: 480, text: reason }));
    return offer ?? { status: 487 };
  }

  /** RFC 3261 §13.2.2.4: an answer that will not do ends the call, which began with the ACK. */
  async #accepted(answer: string | null): Promise<void> {
    const { referral, nowUnixMs, onAnswered } = this.#options;
    this.answeredAtMs = nowUnixMs();
    this.slate.change(this.channel.outage !== null, this.answeredAtMs);
    onAnswered();
    const problem = await this.#take(answer);
    if (this.#over) return;
    if (problem === null) {
      this.#media?.confirm();
      return referral.report(200, 'OK');
    }
    referral.report(problem.status, problem.reason ?? '');
    this.hangUp({ protocol: 'SIP', cause: problem.status, text: problem.reason ?? '' });
  }

  /** The answer to an offer of ours in a re-INVITE of the peer's. */
  async #answered(answer: string | null): Promise<void> {
    const problem = await this.#take(answer);
    if (problem !== null) this.hangUp({ protocol: 'SIP', cause: problem.status, text: problem.reason ?? '' });
  }

  async #take(answer: string | null): Promise<Rejection | null> {
    const { peer } = this.#outgoing;
    if (answer === null || this.#media === null || peer === null) return { status: 488, reason: 'There is no answer' };
    return this.#media.takeAnswer(answer, peer);
  }

  #refused({ status, reason = '' }: Rejection): void {
    this.#options.referral.report(status, reason);
    this.#end('refused');
  }

  #ended(end: CallEnd): void {
    const { log, nowUnixMs } = this.#options;
    const slateMs = this.slate.totalMs(nowUnixMs());
    log.info({ call: this.id, channel: this.channel.config.name, end, slateMs }, 'call ended');
    // Of one that was never answered nobody else tells.
    this.#options.referral.report(487, 'Request Terminated');
    this.#end(this.answeredAtMs === null ? 'cancelled' : 'watched');
  }

  #end(outcome: CallOutcome): void {
    if (this.#over) return;
    this.#over = true;
    this.#media?.close();
    this.#options.onEnded(this, outcome);
  }
}
