import { type Header, parsedUri, parseUri, type Request, respond } from '../message/index.ts';
import type { Registration } from '../registration/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import type { Flow } from '../transport/index.ts';
import type { CallIdentity, EndCause, IncomingCall, IncomingCallHandlers, Rejection, SipTransport } from '../types.ts';
import { Dialog } from './dialog.ts';
import type { DialogUsage } from './dialogs.ts';
import { ReliableProvisional, reliability } from './reliable-provisional.ts';
import { recordRoute, Session, type SessionPorts, sdpOf } from './session.ts';

export interface ServerSessionOptions {
  readonly invite: ServerTransaction;
  readonly localTag: string;
  readonly subscriber: string | null;
  /** The call that this one takes the place of; null for none. */
  readonly replaced: Pick<Session, 'dialog' | 'hangUp'> | null;
  /** With the platform that the INVITE came from. */
  readonly registration: Registration | null;
  readonly ports: SessionPorts;
}

/** How a call ends whose place another took. */
const REPLACED: EndCause = { protocol: 'SIP', cause: 200, text: 'Replaced' };

/**
 * Whoever has no answer by then hears that it rings: a source that opens slowly. It is just before the transaction would
 * say 100 (RFC 3261 §17.2.1), so that this need not be said as well.
 */
const RING_AFTER_MS = 190;

/** A session as UAS: who calls, the ringing, and a CANCEL before the answer (RFC 3261 §13.3, RFC 3262). */
export class ServerSession implements IncomingCall, DialogUsage {
  readonly id: string;
  readonly dialog: Dialog;
  readonly sipCallId: string;
  readonly localTag: string;
  readonly remoteTag: string | null;
  readonly target: string;
  readonly from: IncomingCall['from'];
  readonly identity: CallIdentity;
  readonly subscriber: string | null;
  readonly userAgent: string | null;
  readonly transport: SipTransport;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly offer: string | null;
  readonly #ports: SessionPorts;
  readonly #invite: ServerTransaction;
  readonly #session: Session;
  readonly #replaced: ServerSessionOptions['replaced'];
  readonly #ringTimer: unknown;
  #handlers: IncomingCallHandlers | null = null;
  #hasRung = false;
  #provisional: ReliableProvisional | null = null;

  constructor({ invite, localTag, subscriber, replaced, registration, ports }: ServerSessionOptions) {
    const { request, flow } = invite;
    this.#invite = invite;
    this.#ports = ports;
    this.dialog = Dialog.asServer(request, localTag, flow);
    // Unique here, and no secret of the dialog's: it is shown in lists.
    this.id = localTag;
    this.sipCallId = request.callId;
    this.localTag = localTag;
    this.remoteTag = request.fromTag;
    this.target = parseUri(request.uri)?.user ?? '';
    const from = request.from!;
    this.from = { uri: from.uri, user: parsedUri(from)?.user ?? '', displayName: from.displayName };
    this.identity = { uri: request.to!.uri, registration };
    this.subscriber = subscriber;
    this.#replaced = replaced;
    this.userAgent = request.get('user-agent');
    this.transport = flow.transport;
    this.remoteAddress = flow.remoteAddress;
    this.remotePort = flow.remotePort;
    this.localAddress = flow.localAddress;
    this.offer = sdpOf(request);
    this.#session = new Session({
      dialog: this.dialog,
      localUser: this.target,
      invite,
      ports,
      confirmed: () => this.#handlers?.acknowledged(),
      finished: () => {
        this.#stopRinging();
        ports.ended(this);
      },
    });
    this.#ringTimer = ports.clock.setTimer(RING_AFTER_MS, () => this.ring());
  }

  get replaces(): string | null {
    // The id of every call is its local tag.
    return this.#replaced?.dialog.localTag ?? null;
  }

  get isAnswered(): boolean {
    return this.#session.isAnswered;
  }

  get handlers(): IncomingCallHandlers | null {
    return this.#handlers;
  }

  set handlers(handlers: IncomingCallHandlers | null) {
    this.#handlers = handlers;
    this.#session.handlers = handlers;
  }

  ring(): void {
    if (!this.#session.isEarly || this.#hasRung) return;
    const { request, flow } = this.#invite;
    const manner = reliability(request);
    if (manner === 'none') return;
    this.#hasRung = true;
    const headers: Header[] = [
      ['contact', this.#ports.contact(flow, this.target, this.dialog.secure)],
      ...recordRoute(request),
    ];
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
      giveUp: () => this.#session.end({ by: 'failure', reason: 'the ringing was not acknowledged' }, 504),
    });
  }

  accept(description: string): void {
    this.#stopRinging();
    this.#session.accept(description);
    // RFC 3891 §3: once this is answered, that is over.
    if (this.isAnswered) this.#replaced?.hangUp(REPLACED);
  }

  reject(rejection: Rejection): void {
    this.#session.reject(rejection);
  }

  hangUp(cause: EndCause): void {
    this.#session.hangUp(cause);
  }

  cancel(invite: ServerTransaction): void {
    if (invite !== this.#invite) return this.#session.cancel(invite);
    if (!this.#session.isEarly) return;
    this.#session.reject({ status: 487 });
    this.#handlers?.cancelled();
  }

  receive(transaction: ServerTransaction): void {
    if (transaction.request.method === 'PRACK') return this.#receivePrack(transaction);
    this.#session.receive(transaction);
  }

  acknowledge(request: Request, flow: Flow): void {
    this.#session.acknowledge(request, flow);
  }

  disconnected(): void {
    this.#session.disconnected();
  }

  abandon(reason: string): void {
    this.#session.abandon(reason);
  }

  #receivePrack(transaction: ServerTransaction): void {
    const { request } = transaction;
    // RFC 3262 §5: an offer may come with it, but not before the one of the INVITE is answered.
    if (sdpOf(request) !== null) return transaction.respond(respond(request, 500, { headers: [['retry-after', '1']] }));
    const isKnown = this.#provisional?.acknowledge(request) ?? false;
    transaction.respond(respond(request, isKnown ? 200 : 481));
  }

  #stopRinging(): void {
    this.#ports.clock.clearTimer(this.#ringTimer);
    this.#provisional?.stop();
  }
}
