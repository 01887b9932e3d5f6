import type { Clock } from '../clock.ts';
import { type Header, type Request, type Response, readBody, respond } from '../message/index.ts';
import { type ServerTransaction, T1_MS } from '../transaction/index.ts';
import type { Flow } from '../transport/index.ts';
import type { CallEnd, EndCause, Rejection, SessionHandlers } from '../types.ts';
import type { Dialog, DialogRequestParts } from './dialog.ts';
import type { DialogUsage } from './dialogs.ts';
import { answerInfo } from './info.ts';
import { parseReason, reasonHeader } from './reason.ts';
import { SessionRefresh } from './session-refresh.ts';
import type { SessionTimerLimits } from './session-timer.ts';
import { Unacknowledged } from './unacknowledged.ts';

/** What a session needs of the endpoint that it belongs to. */
export interface SessionPorts {
  readonly clock: Clock;
  /**
   * Sends a request of ours in the dialog, and the ACKs if it is an INVITE. `answered` gets its final response once,
   * 503 when there is no way to the peer (§8.1.3.1), or null when none came in time.
   */
  request(dialog: Dialog, method: string, parts: DialogRequestParts, answered?: Answered): void;
  /** Our Contact on this flow, with this user part; in a dialog that is secure, if it can be (RFC 3261 §12.1.1). */
  contact(flow: Flow, user: string, secure: boolean): string;
  /** Headers that say what we can do, for a 2xx to an INVITE. */
  readonly capabilities: readonly Header[];
  readonly sessionTimer: SessionTimerLimits;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** The usage is over: nothing in its dialog is ours to answer any more. */
  ended(usage: DialogUsage): void;
  readonly onRetransmission: () => void;
  /** A REFER in the session. */
  refer(transaction: ServerTransaction, session: Session): void;
}

/** A usage that shares the dialog of a session (RFC 5057). */
export interface SharingUsage extends Pick<DialogUsage, 'receive' | 'abandon'> {
  /** Is it the one that this SUBSCRIBE means. */
  isMeantBy(transaction: ServerTransaction): boolean;
}

export interface SessionOptions {
  readonly dialog: Dialog;
  /** User part of our Contact. */
  readonly localUser: string;
  /** The peer's INVITE, which waits for `accept` or `reject`; null where it is ours, whose 2xx `begin` takes. */
  readonly invite: ServerTransaction | null;
  readonly ports: SessionPorts;
  /** The first ACK to our 200 is here. */
  readonly confirmed?: () => void;
  /** Nothing is left of it. */
  readonly finished: () => void;
}

type State = 'early' | 'answered' | 'confirmed' | 'ended';

type Answered = (response: Response | null) => void;

const SDP_TYPE = 'application/sdp';

/** What two agree on with INVITE, in its dialog, up to the BYE (RFC 3261 §13, §14, §15): whoever of them called. */
export class Session implements DialogUsage {
  readonly dialog: Dialog;
  /** They go on when the session is over. */
  readonly sharing = new Set<SharingUsage>();
  handlers: SessionHandlers | null = null;
  readonly #options: SessionOptions;
  readonly #ports: SessionPorts;
  readonly #refresh: SessionRefresh;
  #state: State = 'early';
  /** The INVITE, re-INVITE or UPDATE with an offer that our user has not answered yet. */
  #pending: ServerTransaction | null;
  #unacknowledged: Unacknowledged | null = null;
  /** What we last said of the media. */
  #description = '';
  /** Was it an offer of ours, which is not answered yet. */
  #isOffering: boolean;
  /** The cause with which to say BYE as soon as the ACK is here. */
  #hangUpCause: EndCause | null = null;
  /** Runs while the peer's connection is gone. */
  #comeBackTimer: unknown = null;

  constructor(options: SessionOptions) {
    const { dialog, invite, ports } = options;
    const { transport } = dialog.flow;
    this.dialog = dialog;
    this.#options = options;
    this.#ports = ports;
    this.#pending = invite;
    this.#isOffering = invite === null;
    this.#refresh = new SessionRefresh({
      clock: ports.clock,
      limits: ports.sessionTimer,
      random: ports.random,
      ownsCallId: invite === null,
      // A browser's media tells whether it is there, also while its WebSocket is not.
      always: transport !== 'ws' && transport !== 'wss',
      send: (method, headers, answered) => this.#sendRefresh(method, headers, answered),
      isBusy: () => this.#isNegotiating || (dialog.flow.closed && !dialog.mayCallBack),
      gone: reason => this.#fail('Session timer expired', reason),
    });
    if (invite !== null) this.#refresh.hear(invite.request);
  }

  /** Is the INVITE without a final answer. */
  get isEarly(): boolean {
    return this.#state === 'early';
  }

  get localUser(): string {
    return this.#options.localUser;
  }

  /** Has its INVITE a 200, and nobody said BYE. */
  get isAnswered(): boolean {
    return !this.isEarly && !this.hasEnded;
  }

  get hasEnded(): boolean {
    return this.#state === 'ended';
  }

  /** Takes the 2xx to our INVITE, which had this offer; its ACK is on its way. */
  begin(response: Response, offer: string): void {
    if (this.#state !== 'early') return;
    this.#state = 'confirmed';
    this.#isOffering = false;
    this.#description = offer;
    this.dialog.confirm(response);
    this.#refresh.begin(response);
  }

  /** Answers the INVITE: with the answer to its offer, or with our offer if it has none. */
  accept(description: string): void {
    if (this.#state !== 'early' || this.#pending === null) return;
    this.#state = 'answered';
    this.#answer(this.#pending, description);
  }

  /** Refuses the INVITE; our user is not told. */
  reject(rejection: Rejection): void {
    if (this.#state !== 'early' || this.#pending === null) return;
    this.#refuse(this.#pending, rejection);
    this.#finish();
  }

  hangUp(cause: EndCause): void {
    if (this.#state === 'answered' && this.#hangUpCause === null) {
      // §15: no BYE before the ACK; the time-out for the ACK ends it otherwise.
      this.#hangUpCause = cause;
      return;
    }
    if (this.#state !== 'confirmed') return;
    this.#sayBye(cause);
    this.end({ by: 'us', cause });
  }

  /** A re-INVITE that is cancelled leaves the session as it was (§9.2). */
  cancel(invite: ServerTransaction): void {
    if (invite !== this.#pending || this.#state === 'early') return;
    this.#pending = null;
    this.#refuse(invite, { status: 487 });
  }

  acknowledge(request: Request, flow: Flow): void {
    this.dialog.receive(request, flow);
    if (this.#unacknowledged?.sequence !== request.cseq?.number) return;
    this.#stopRetransmission();
    const isFirst = this.#state === 'answered';
    this.#state = 'confirmed';
    if (this.#isOffering) {
      this.#isOffering = false;
      this.handlers?.answered(sdpOf(request));
    }
    if (!isFirst || this.hasEnded) return;
    this.#options.confirmed?.();
    if (this.#hangUpCause !== null) this.hangUp(this.#hangUpCause);
  }

  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (request.method === 'BYE') return this.#receiveBye(transaction);
    this.#refresh.hear(request);
    if (request.method === 'INVITE') return this.#receiveReinvite(transaction);
    if (request.method === 'UPDATE') return this.#receiveUpdate(transaction);
    if (request.method === 'REFER') return this.#ports.refer(transaction, this);
    if (request.method === 'SUBSCRIBE') return this.#receiveSubscribe(transaction);
    if (request.method === 'INFO') return transaction.respond(answerInfo(request, this.handlers?.pressed));
    // OPTIONS in a dialog says that it is still there.
    transaction.respond(respond(request, 200, { headers: this.#ports.capabilities }));
  }

  /**
   * RFC 3261 lets a dialog outlive it, so the peer may come back with a request on another one; but a phone that does not
   * would be served for ever. A proxy closes its connections when they are idle, and a browser's media tells whether it is
   * there: theirs mean nothing.
   */
  disconnected(): void {
    const { clock } = this.#ports;
    if (!this.dialog.direct || this.dialog.flow.transport !== 'tcp') return;
    clock.clearTimer(this.#comeBackTimer);
    this.#comeBackTimer = clock.setTimer(64 * T1_MS, () => {
      if (this.dialog.flow.closed) this.#fail('The connection was closed', 'the connection was closed');
    });
  }

  abandon(reason: string): void {
    for (const usage of [...this.sharing]) usage.abandon(reason);
    this.end({ by: 'failure', reason });
  }

  /** Over without a BYE; `status` is for an INVITE that has no answer. */
  end(end: CallEnd, status = 487): void {
    if (this.hasEnded) return;
    // §15.1.2: what is pending in the dialog is answered, too.
    if (this.#pending !== null) this.#refuse(this.#pending, { status: this.isEarly ? status : 487 });
    this.#finish();
    this.handlers?.ended(end);
  }

  #receiveBye(transaction: ServerTransaction): void {
    const { request } = transaction;
    transaction.respond(respond(request, 200));
    this.end({ by: 'peer', cause: parseReason(request.list('reason')) });
  }

  #receiveReinvite(transaction: ServerTransaction): void {
    if (this.#refuseWhileNegotiating(transaction)) return;
    this.#receiveOffer(transaction, sdpOf(transaction.request), sdp => this.#answer(transaction, sdp));
  }

  #receiveUpdate(transaction: ServerTransaction): void {
    const offer = sdpOf(transaction.request);
    // RFC 3311 §5.2: without an offer it waits for nothing.
    if (offer === null) return transaction.respond(this.#success(transaction, null));
    if (this.#refuseWhileNegotiating(transaction)) return;
    this.#receiveOffer(transaction, offer, sdp => transaction.respond(this.#success(transaction, sdp)));
  }

  #receiveSubscribe(transaction: ServerTransaction): void {
    const usage = [...this.sharing].find(each => each.isMeantBy(transaction));
    if (usage === undefined) return transaction.respond(respond(transaction.request, 481));
    usage.receive(transaction);
  }

  /** One offer at a time (RFC 3261 §14.2, RFC 3311 §5.2): 491 while ours is out, 500 while theirs is not answered. */
  #refuseWhileNegotiating(transaction: ServerTransaction): boolean {
    if (this.#refresh.inviting || this.#isOffering) this.#refuse(transaction, { status: 491 });
    else if (this.#isNegotiating) this.#refuse(transaction, { status: 500, retryAfterSeconds: 1 });
    else return false;
    return true;
  }

  get #isNegotiating(): boolean {
    return this.#pending !== null || this.#unacknowledged !== null || this.#isOffering;
  }

  #receiveOffer(transaction: ServerTransaction, offer: string | null, accept: (sdp: string) => void): void {
    if (this.handlers === null) return this.#refuse(transaction, { status: 488 });
    this.#pending = transaction;
    const once = (answer: () => void) => {
      if (this.#pending !== transaction) return;
      this.#pending = null;
      answer();
    };
    this.handlers.reinvite({
      offer,
      accept: sdp => once(() => accept(sdp)),
      reject: rejection => once(() => this.#refuse(transaction, rejection)),
    });
  }

  #answer(transaction: ServerTransaction, sdp: string): void {
    this.#pending = null;
    // §13.2.1: without an offer in the INVITE this is ours, and the ACK answers it.
    this.#isOffering = sdpOf(transaction.request) === null;
    this.#unacknowledged = new Unacknowledged({
      clock: this.#ports.clock,
      transaction,
      response: this.#success(transaction, sdp),
      onRetransmission: this.#ports.onRetransmission,
      giveUp: () => this.#fail('No ACK', 'the answer was not acknowledged'),
    });
  }

  /** Our 2xx to an INVITE or UPDATE; with it the session's timer begins anew. */
  #success({ request, flow }: ServerTransaction, sdp: string | null): Response {
    if (sdp !== null) this.#description = sdp;
    const headers: Header[] = [
      ['contact', this.#ports.contact(flow, this.#options.localUser, this.dialog.secure)],
      ...recordRoute(request),
      ...this.#ports.capabilities,
      ...this.#refresh.accept(request),
    ];
    const toTag = this.dialog.localTag;
    if (sdp === null) return respond(request, 200, { toTag, headers });
    headers.push(['content-type', SDP_TYPE]);
    return respond(request, 200, { toTag, headers, body: Buffer.from(sdp) });
  }

  #stopRetransmission(): void {
    this.#unacknowledged?.stop();
    this.#unacknowledged = null;
  }

  #sendRefresh(method: 'UPDATE' | 'INVITE', headers: readonly Header[], answered: Answered): void {
    const { dialog } = this;
    const own: Header[] = [
      ['contact', this.#ports.contact(dialog.flow, this.#options.localUser, dialog.secure)],
      ...headers,
    ];
    if (method === 'UPDATE') return this.#ports.request(dialog, method, { headers: own }, answered);
    // RFC 3264 §8: what was said last, with the same version in o=, changes nothing.
    const body = Buffer.from(this.#description);
    this.#ports.request(dialog, method, { headers: [...own, ['content-type', SDP_TYPE]], body }, answered);
  }

  /** The peer no longer does its part (§13.3.1.4, RFC 4028 §10): a BYE, though it may reach nobody. */
  #fail(text: string, reason: string): void {
    this.#sayBye({ protocol: 'SIP', cause: 408, text });
    this.end({ by: 'failure', reason });
  }

  #sayBye(cause: EndCause): void {
    this.#ports.request(this.dialog, 'BYE', { headers: [reasonHeader(cause)] });
  }

  #refuse(transaction: ServerTransaction, { status, reason, retryAfterSeconds }: Rejection): void {
    const headers: Header[] = retryAfterSeconds === undefined ? [] : [['retry-after', String(retryAfterSeconds)]];
    transaction.respond(respond(transaction.request, status, { reason, toTag: this.dialog.localTag, headers }));
  }

  #finish(): void {
    this.#state = 'ended';
    this.#pending = null;
    this.#refresh.stop();
    this.#stopRetransmission();
    this.#ports.clock.clearTimer(this.#comeBackTimer);
    this.#options.finished();
  }
}

/** The description in a message; null when there is none. */
export function sdpOf(message: Request | Response): string | null {
  return readBody(message)?.sdp ?? null;
}

/** RFC 3261 §12.1.1: a response that makes a dialog repeats the Record-Route headers. */
export function recordRoute(request: Request): Header[] {
  return request.headers.filter(([name]) => name === 'record-route');
}
