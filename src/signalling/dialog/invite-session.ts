import type { Clock } from '../clock.ts';
import { type Header, parsedUri, parseUri, type Request, type Response, respond } from '../message/index.ts';
import { type ServerTransaction, T1_MS, T2_MS } from '../transaction/index.ts';
import type { Flow } from '../transport/index.ts';
import type { CallEnd, EndCause, IncomingCall, IncomingCallHandlers, Rejection, SipTransport } from '../types.ts';
import { Dialog } from './dialog.ts';
import { parseReason, reasonHeader } from './reason.ts';

/** What a session needs of the endpoint that it belongs to. */
export interface SessionPorts {
  readonly clock: Clock;
  /** Sends a request of ours in the dialog. */
  request(dialog: Dialog, method: string, headers: readonly Header[]): void;
  /** Our Contact on this flow, with the user part that was called. */
  contact(flow: Flow, user: string): string;
  /** Headers that say what we can do, for a 2xx to an INVITE. */
  readonly capabilities: readonly Header[];
  /** The session is over: nothing in its dialog is ours to answer any more. */
  ended(session: InviteSession): void;
  readonly onRetransmission: () => void;
}

type State = 'ringing' | 'answered' | 'acknowledged' | 'ended';

/** An INVITE whose 2xx is on its way and not acknowledged (RFC 3261 §13.3.1.4). */
interface Unacknowledged {
  readonly transaction: ServerTransaction;
  readonly response: Response;
  timer: unknown;
  intervalMs: number;
  readonly giveUp: unknown;
}

const SDP_TYPE = 'application/sdp';

/** An INVITE session as UAS, from the INVITE to the BYE (RFC 3261 §13, §14, §15). */
export class InviteSession implements IncomingCall {
  readonly id: string;
  readonly dialog: Dialog;
  readonly sipCallId: string;
  readonly target: string;
  readonly from: IncomingCall['from'];
  readonly userAgent: string | null;
  readonly transport: SipTransport;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly offer: string | null;
  handlers: IncomingCallHandlers | null = null;
  readonly #ports: SessionPorts;
  readonly #invite: ServerTransaction;
  #state: State = 'ringing';
  #unacknowledged: Unacknowledged | null = null;
  /** A re-INVITE that our user has not answered yet. */
  #reinvite: ServerTransaction | null = null;
  /** The cause with which to say BYE as soon as the ACK is here. */
  #hangUpCause: EndCause | null = null;
  /** Runs while the peer's connection is gone. */
  #comeBackTimer: unknown = null;

  constructor(invite: ServerTransaction, localTag: string, ports: SessionPorts) {
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
    this.userAgent = request.get('user-agent');
    this.transport = flow.transport;
    this.remoteAddress = flow.remoteAddress;
    this.remotePort = flow.remotePort;
    this.localAddress = flow.localAddress;
    this.offer = sdpOf(request);
  }

  ring(): void {
    if (this.#state !== 'ringing') return;
    const { request, flow } = this.#invite;
    const headers: Header[] = [['contact', this.#ports.contact(flow, this.target)], ...recordRoute(request)];
    this.#invite.respond(respond(request, 180, { toTag: this.dialog.localTag, headers }));
  }

  accept(answer: string): void {
    if (this.#state !== 'ringing') return;
    this.#state = 'answered';
    this.#answer(this.#invite, answer);
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

  /** CANCEL found the INVITE unanswered; the endpoint has answered the CANCEL itself. */
  cancel(): void {
    if (this.#state !== 'ringing') return;
    this.#refuse(this.#invite, { status: 487 });
    this.#finish();
    this.handlers?.cancelled();
  }

  /** The ACK to a 2xx. */
  acknowledge(request: Request, flow: Flow): void {
    this.dialog.receive(request, flow);
    if (this.#unacknowledged?.transaction.request.cseq?.number !== request.cseq?.number) return;
    this.#stopRetransmission();
    if (this.#state !== 'answered') return;
    this.#state = 'acknowledged';
    this.handlers?.acknowledged();
    if (this.#hangUpCause !== null) this.hangUp(this.#hangUpCause);
  }

  /** A request in the dialog, other than ACK and CANCEL, whose sequence number is in order. */
  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (request.method === 'BYE') return this.#receiveBye(transaction);
    if (request.method === 'INVITE') return this.#receiveReinvite(transaction);
    // OPTIONS in a dialog says that it is still there.
    transaction.respond(respond(request, 200, { headers: this.#ports.capabilities }));
  }

  /**
   * The connection of the dialog's flow closed. RFC 3261 lets a dialog outlive it, so the peer may come back with a
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

  /** The endpoint closes: no more waiting for anybody. */
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
    // §14.2: one after the other; the second comes back after a moment. 491 is for our own INVITE under way.
    if (this.#reinvite !== null || this.#state === 'ringing' || this.#unacknowledged !== null) {
      const headers: Header[] = [['retry-after', '1']];
      return transaction.respond(respond(request, 500, { headers }));
    }
    const offer = sdpOf(request);
    if (offer === null || this.handlers === null) {
      return this.#refuse(transaction, { status: 488, reason: 'An offer is needed in the INVITE' });
    }
    this.#reinvite = transaction;
    const once = (answer: () => void) => {
      if (this.#reinvite !== transaction) return;
      this.#reinvite = null;
      answer();
    };
    this.handlers.reinvite({
      offer,
      accept: sdp => once(() => this.#answer(transaction, sdp)),
      reject: rejection => once(() => this.#refuse(transaction, rejection)),
    });
  }

  #answer(transaction: ServerTransaction, sdp: string): void {
    const { request, flow } = transaction;
    const response = respond(request, 200, {
      toTag: this.dialog.localTag,
      headers: [
        ['contact', this.#ports.contact(flow, this.target)],
        ...recordRoute(request),
        ...this.#ports.capabilities,
        ['content-type', SDP_TYPE],
      ],
      body: Buffer.from(sdp),
    });
    const { clock } = this.#ports;
    const giveUp = clock.setTimer(64 * T1_MS, () => this.#notAcknowledged());
    this.#unacknowledged = { transaction, response, timer: null, intervalMs: T1_MS, giveUp };
    transaction.respond(response);
    this.#retransmitLater(this.#unacknowledged);
  }

  /** §13.3.1.4: on every transport, since a proxy on the way may use an unreliable one. */
  #retransmitLater(waiting: Unacknowledged): void {
    const { clock, onRetransmission } = this.#ports;
    waiting.timer = clock.setTimer(waiting.intervalMs, () => {
      onRetransmission();
      waiting.transaction.respond(waiting.response);
      waiting.intervalMs = Math.min(waiting.intervalMs * 2, T2_MS);
      this.#retransmitLater(waiting);
    });
  }

  #stopRetransmission(): void {
    if (this.#unacknowledged === null) return;
    this.#ports.clock.clearTimer(this.#unacknowledged.timer);
    this.#ports.clock.clearTimer(this.#unacknowledged.giveUp);
    this.#unacknowledged = null;
  }

  #notAcknowledged(): void {
    this.#ports.request(this.dialog, 'BYE', [reasonHeader({ protocol: 'SIP', cause: 408, text: 'No ACK' })]);
    this.#end({ by: 'failure', reason: 'the answer was not acknowledged' });
  }

  #sayBye(cause: EndCause): void {
    this.#ports.request(this.dialog, 'BYE', [reasonHeader(cause)]);
    this.#end({ by: 'us', cause });
  }

  #refuse(transaction: ServerTransaction, { status, reason, retryAfterSeconds }: Rejection): void {
    const headers: Header[] = retryAfterSeconds === undefined ? [] : [['retry-after', String(retryAfterSeconds)]];
    transaction.respond(respond(transaction.request, status, { reason, toTag: this.dialog.localTag, headers }));
  }

  #end(end: CallEnd): void {
    if (this.#state === 'ended') return;
    // §15.1.2: what is pending in the dialog is answered, too.
    if (this.#state === 'ringing') this.#refuse(this.#invite, { status: 487 });
    if (this.#reinvite !== null) this.#refuse(this.#reinvite, { status: 487 });
    this.#finish();
    this.handlers?.ended(end);
  }

  #finish(): void {
    this.#state = 'ended';
    this.#reinvite = null;
    this.#stopRetransmission();
    this.#ports.clock.clearTimer(this.#comeBackTimer);
    this.#ports.ended(this);
  }
}

function sdpOf(request: Request): string | null {
  return request.body.length === 0 ? null : request.body.toString('utf8');
}

/** RFC 3261 §12.1.1: a response that makes a dialog repeats the Record-Route headers. */
function recordRoute(request: Request): Header[] {
  return request.headers.filter(([name]) => name === 'record-route');
}
