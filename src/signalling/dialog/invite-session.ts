import type { Clock } from '../clock.ts';
import { type Header, parsedUri, parseUri, type Request, type Response, readBody, respond } from '../message/index.ts';
import { type ServerTransaction, T1_MS } from '../transaction/index.ts';
import type { Flow } from '../transport/index.ts';
import type { CallEnd, EndCause, IncomingCall, IncomingCallHandlers, Rejection, SipTransport } from '../types.ts';
import { Dialog, type DialogRequestParts } from './dialog.ts';
import type { DialogUsage } from './dialogs.ts';
import { answerInfo } from './info.ts';
import { parseReason, reasonHeader } from './reason.ts';
import { ReliableProvisional, reliability } from './reliable-provisional.ts';
import { SessionRefresh } from './session-refresh.ts';
import type { SessionTimerLimits } from './session-timer.ts';
import { Unacknowledged } from './unacknowledged.ts';

/** What a session needs of the endpoint that it belongs to. */
export interface SessionPorts {
  readonly clock: Clock;
  /**
   * Sends a request of ours in the dialog, and the ACKs if it is an INVITE. `answered` gets its final response once,
   * or null when none came in time; nobody is told of one that could not be sent because the flow is closed.
   */
  request(dialog: Dialog, method: string, parts: DialogRequestParts, answered?: Answered): void;
  /** Our Contact on this flow, with the user part that was called. */
  contact(flow: Flow, user: string): string;
  /** Headers that say what we can do, for a 2xx to an INVITE. */
  readonly capabilities: readonly Header[];
  readonly sessionTimer: SessionTimerLimits;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** The session is over: nothing in its dialog is ours to answer any more. */
  ended(session: InviteSession): void;
  readonly onRetransmission: () => void;
}

type State = 'ringing' | 'answered' | 'acknowledged' | 'ended';

type Answered = (response: Response | null) => void;

const SDP_TYPE = 'application/sdp';

/** Whoever has no answer by then hears that it rings: a source that opens slowly. */
const RING_AFTER_MS = 200;

/** An INVITE session as UAS, from the INVITE to the BYE (RFC 3261 §13, §14, §15). */
export class InviteSession implements IncomingCall, DialogUsage {
  readonly id: string;
  readonly dialog: Dialog;
  readonly sipCallId: string;
  readonly target: string;
  readonly from: IncomingCall['from'];
  readonly subscriber: string | null;
  readonly userAgent: string | null;
  readonly transport: SipTransport;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly offer: string | null;
  handlers: IncomingCallHandlers | null = null;
  readonly #ports: SessionPorts;
  readonly #invite: ServerTransaction;
  readonly #refresh: SessionRefresh;
  #state: State = 'ringing';
  readonly #ringTimer: unknown;
  #hasRung = false;
  #provisional: ReliableProvisional | null = null;
  #unacknowledged: Unacknowledged | null = null;
  /** A new offer, in a re-INVITE or an UPDATE, that our user has not answered yet. */
  #reoffer: ServerTransaction | null = null;
  /** What we last said of the media. */
  #description = '';
  /** Was it an offer of ours, which the ACK answers (RFC 3261 §13.2.1). */
  #isOffering = false;
  /** The cause with which to say BYE as soon as the ACK is here. */
  #hangUpCause: EndCause | null = null;
  /** Runs while the peer's connection is gone. */
  #comeBackTimer: unknown = null;

  constructor(invite: ServerTransaction, localTag: string, subscriber: string | null, ports: SessionPorts) {
    const { request, flow } = invite;
    this.#invite = invite;
    this.#ports = ports;
    this.dialog = new Dialog(request, localTag, flow);
    // Unique here, and no secret of the dialog's: it is shown in lists.
    this.id = localTag;
    this.sipCallId = request.callId;
    this.target = parseUri(request.uri)?.user ?? '';
    const from = request.from!;
    this.from = { uri: from.uri, user: parsedUri(from)?.user ?? '', displayName: from.displayName };
    this.subscriber = subscriber;
    this.userAgent = request.get('user-agent');
    this.transport = flow.transport;
    this.remoteAddress = flow.remoteAddress;
    this.remotePort = flow.remotePort;
    this.localAddress = flow.localAddress;
    this.offer = sdpOf(request);
    this.#refresh = new SessionRefresh({
      clock: ports.clock,
      limits: ports.sessionTimer,
      random: ports.random,
      // A browser's media tells whether it is there, also while its WebSocket is not.
      always: flow.transport !== 'ws' && flow.transport !== 'wss',
      send: (method, headers, answered) => this.#sendRefresh(method, headers, answered),
      isBusy: () => this.#isNegotiating || this.dialog.flow.closed,
      gone: reason => this.#vanished(reason),
    });
    this.#refresh.hear(request);
    this.#ringTimer = ports.clock.setTimer(RING_AFTER_MS, () => this.ring());
  }

  ring(): void {
    const { request, flow } = this.#invite;
    const manner = reliability(request);
    if (this.#state !== 'ringing' || this.#hasRung || manner === 'none') return;
    this.#hasRung = true;
    const headers: Header[] = [['contact', this.#ports.contact(flow, this.target)], ...recordRoute(request)];
    const response = respond(request, 180, { toTag: this.dialog.localTag, headers });
    if (manner === 'plain') return this.#invite.respond(response);
    const { clock, random, onRetransmission } = this.#ports;
    this.#provisional = new ReliableProvisional({
      clock,
      transaction: this.#invite,
      response,
      // RFC 3262 §3: the first is chosen at random, from 1 to 2^31 − 1.
      sequence: 1 + Math.floor(random() * (2 ** 31 - 1)),
      onRetransmission,
      giveUp: () => this.#end({ by: 'failure', reason: 'the ringing was not acknowledged' }, 504),
    });
  }

  accept(description: string): void {
    if (this.#state !== 'ringing') return;
    this.#state = 'answered';
    this.#stopRinging();
    this.#isOffering = this.offer === null;
    this.#answer(this.#invite, description);
  }

  reject(rejection: Rejection): void {
    if (this.#state !== 'ringing') return;
    this.#refuse(this.#invite, rejection);
    this.#finish();
  }

  hangUp(cause: EndCause): void {
    if (this.#state === 'answered' && this.#hangUpCause === null) {
      // §15: no BYE before the ACK; the time-out for the ACK ends it otherwise.
      this.#hangUpCause = cause;
      return;
    }
    if (this.#state === 'acknowledged') this.#sayBye(cause);
  }

  cancel(invite: ServerTransaction): void {
    // §9.2: a re-INVITE that is cancelled leaves the session as it was.
    if (invite === this.#reoffer) {
      this.#reoffer = null;
      return this.#refuse(invite, { status: 487 });
    }
    if (invite !== this.#invite || this.#state !== 'ringing') return;
    this.#refuse(invite, { status: 487 });
    this.#finish();
    this.handlers?.cancelled();
  }

  acknowledge(request: Request, flow: Flow): void {
    this.dialog.receive(request, flow);
    if (this.#unacknowledged?.sequence !== request.cseq?.number) return;
    this.#stopRetransmission();
    const isFirst = this.#state === 'answered';
    this.#state = 'acknowledged';
    if (this.#isOffering) this.#receiveAnswer(sdpOf(request));
    if (!isFirst || this.#hasEnded) return;
    this.handlers?.acknowledged();
    if (this.#hangUpCause !== null) this.hangUp(this.#hangUpCause);
  }

  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (request.method === 'BYE') return this.#receiveBye(transaction);
    this.#refresh.hear(request);
    if (request.method === 'INVITE') return this.#receiveReinvite(transaction);
    if (request.method === 'UPDATE') return this.#receiveUpdate(transaction);
    if (request.method === 'PRACK') return this.#receivePrack(transaction);
    if (request.method === 'INFO') return transaction.respond(answerInfo(request));
    // OPTIONS in a dialog says that it is still there.
    transaction.respond(respond(request, 200, { headers: this.#ports.capabilities }));
  }

  /**
   * RFC 3261 lets a dialog outlive it, so the peer may come back with a
   * request on another one; but a phone that does not would be served for ever. A proxy closes its connections when
   * they are idle, and a browser's media tells whether it is there: theirs mean nothing.
   */
  disconnected(): void {
    const { clock } = this.#ports;
    if (!this.dialog.direct || this.dialog.flow.transport !== 'tcp') return;
    clock.clearTimer(this.#comeBackTimer);
    this.#comeBackTimer = clock.setTimer(64 * T1_MS, () => {
      if (this.dialog.flow.closed) this.#end({ by: 'failure', reason: 'the connection was closed' });
    });
  }

  abandon(reason: string): void {
    this.#end({ by: 'failure', reason });
  }

  #receiveBye(transaction: ServerTransaction): void {
    const { request } = transaction;
    transaction.respond(respond(request, 200));
    this.#end({ by: 'peer', cause: parseReason(request.list('reason')) });
  }

  #receiveReinvite(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (this.#refuseWhileNegotiating(transaction)) return;
    const offer = sdpOf(request);
    this.#receiveOffer(transaction, offer, sdp => {
      this.#isOffering = offer === null;
      this.#answer(transaction, sdp);
    });
  }

  #receiveUpdate(transaction: ServerTransaction): void {
    const offer = sdpOf(transaction.request);
    // RFC 3311 §5.2: without an offer it waits for nothing.
    if (offer === null) return transaction.respond(this.#success(transaction, null));
    if (this.#refuseWhileNegotiating(transaction)) return;
    this.#receiveOffer(transaction, offer, sdp => transaction.respond(this.#success(transaction, sdp)));
  }

  #receivePrack(transaction: ServerTransaction): void {
    const { request } = transaction;
    // RFC 3262 §5: an offer may come with it, but not before the one of the INVITE is answered.
    if (sdpOf(request) !== null) return this.#refuse(transaction, { status: 500, retryAfterSeconds: 1 });
    const isKnown = this.#provisional?.acknowledge(request) ?? false;
    transaction.respond(respond(request, isKnown ? 200 : 481));
  }

  #stopRinging(): void {
    this.#ports.clock.clearTimer(this.#ringTimer);
    this.#provisional?.stop();
  }

  /** One offer at a time (RFC 3261 §14.2, RFC 3311 §5.2): 491 while ours is out, 500 while theirs is not answered. */
  #refuseWhileNegotiating(transaction: ServerTransaction): boolean {
    if (this.#refresh.inviting || this.#isOffering) this.#refuse(transaction, { status: 491 });
    else if (this.#isNegotiating) this.#refuse(transaction, { status: 500, retryAfterSeconds: 1 });
    else return false;
    return true;
  }

  get #hasEnded(): boolean {
    return this.#state === 'ended';
  }

  get #isNegotiating(): boolean {
    return this.#reoffer !== null || this.#state === 'ringing' || this.#unacknowledged !== null;
  }

  #receiveAnswer(answer: string | null): void {
    this.#isOffering = false;
    this.handlers?.answered(answer);
  }

  #receiveOffer(transaction: ServerTransaction, offer: string | null, accept: (sdp: string) => void): void {
    if (this.handlers === null) return this.#refuse(transaction, { status: 488 });
    this.#reoffer = transaction;
    const once = (answer: () => void) => {
      if (this.#reoffer !== transaction) return;
      this.#reoffer = null;
      answer();
    };
    this.handlers.reinvite({
      offer,
      accept: sdp => once(() => accept(sdp)),
      reject: rejection => once(() => this.#refuse(transaction, rejection)),
    });
  }

  #answer(transaction: ServerTransaction, sdp: string): void {
    this.#unacknowledged = new Unacknowledged({
      clock: this.#ports.clock,
      transaction,
      response: this.#success(transaction, sdp),
      onRetransmission: this.#ports.onRetransmission,
      giveUp: () => this.#notAcknowledged(),
    });
  }

  /** Our 2xx to an INVITE or UPDATE; with it the session's timer begins anew. */
  #success({ request, flow }: ServerTransaction, sdp: string | null): Response {
    if (sdp !== null) this.#description = sdp;
    const headers: Header[] = [
      ['contact', this.#ports.contact(flow, this.target)],
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
    const { dialog, target } = this;
    const own: Header[] = [['contact', this.#ports.contact(dialog.flow, target)], ...headers];
    if (method === 'UPDATE') return this.#ports.request(dialog, method, { headers: own }, answered);
    // RFC 3264 §8: what was said last, with the same version in o=, changes nothing.
    const body = Buffer.from(this.#description);
    this.#ports.request(dialog, method, { headers: [...own, ['content-type', SDP_TYPE]], body }, answered);
  }

  /** RFC 4028 §10: a session that nobody refreshes ends with a BYE, though it may reach nobody. */
  #vanished(reason: string): void {
    this.#ports.request(this.dialog, 'BYE', {
      headers: [reasonHeader({ protocol: 'SIP', cause: 408, text: 'Session timer expired' })],
    });
    this.#end({ by: 'failure', reason });
  }

  #notAcknowledged(): void {
    this.#ports.request(this.dialog, 'BYE', {
      headers: [reasonHeader({ protocol: 'SIP', cause: 408, text: 'No ACK' })],
    });
    this.#end({ by: 'failure', reason: 'the answer was not acknowledged' });
  }

  #sayBye(cause: EndCause): void {
    this.#ports.request(this.dialog, 'BYE', { headers: [reasonHeader(cause)] });
    this.#end({ by: 'us', cause });
  }

  #refuse(transaction: ServerTransaction, { status, reason, retryAfterSeconds }: Rejection): void {
    const headers: Header[] = retryAfterSeconds === undefined ? [] : [['retry-after', String(retryAfterSeconds)]];
    transaction.respond(respond(transaction.request, status, { reason, toTag: this.dialog.localTag, headers }));
  }

  /** `status` is for an INVITE that has no answer. */
  #end(end: CallEnd, status = 487): void {
    if (this.#state === 'ended') return;
    // §15.1.2: what is pending in the dialog is answered, too.
    if (this.#state === 'ringing') this.#refuse(this.#invite, { status });
    if (this.#reoffer !== null) this.#refuse(this.#reoffer, { status: 487 });
    this.#finish();
    this.handlers?.ended(end);
  }

  #finish(): void {
    this.#state = 'ended';
    this.#reoffer = null;
    this.#refresh.stop();
    this.#stopRinging();
    this.#stopRetransmission();
    this.#ports.clock.clearTimer(this.#comeBackTimer);
    this.#ports.ended(this);
  }
}

function sdpOf(request: Request): string | null {
  return readBody(request)?.sdp ?? null;
}

/** RFC 3261 §12.1.1: a response that makes a dialog repeats the Record-Route headers. */
function recordRoute(request: Request): Header[] {
  return request.headers.filter(([name]) => name === 'record-route');
}
