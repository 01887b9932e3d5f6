import type { DigestClient } from '../authentication/index.ts';
import { type Header, Request, type Response, serialise, uriScheme } from '../message/index.ts';
import { cancellation, T1_MS } from '../transaction/index.ts';
import type { Flow } from '../transport/index.ts';
import type { EndCause } from '../types.ts';
import { Dialog } from './dialog.ts';
import type { DialogUsage } from './dialogs.ts';
import { reasonHeader } from './reason.ts';
import { Session, type SessionPorts, sdpOf } from './session.ts';
import { minimumOf, proposedTimer } from './session-timer.ts';

/** What an INVITE of ours needs of the endpoint beside what its sessions need. */
export interface BranchPorts extends SessionPorts {
  /** The Via of a new transaction on this flow. */
  readonly via: (flow: Flow) => string;
  /**
   * Sends an INVITE outside a dialog and tells every response, or null when none came in time; with `once` it is not
   * sent again while none comes. Returns how to forget it.
   */
  invite(request: Request, flow: Flow, heard: (response: Response | null) => void, once: boolean): () => void;
  /** Sends a request whose answer says nothing. */
  send(request: Request, flow: Flow): void;
  /** Requests in this usage's dialog are its own from now on. */
  begun(usage: DialogUsage): void;
}

/** What the INVITEs of one call have in common, wherever they go. */
export interface Invitation {
  readonly callId: string;
  readonly localTag: string;
  /** Both as name-addr, without tags. */
  readonly from: string;
  readonly to: string;
  /** User part of our Contact. */
  readonly localUser: string;
  readonly offer: string;
  readonly headers: readonly Header[];
  /** Proves who calls, where that is asked for. */
  readonly digest: DigestClient | null;
}

/** One place where somebody may be asked. */
export interface CallTarget {
  /** The Request-URI. */
  readonly uri: string;
  /** Route headers, the next hop first. */
  readonly route: readonly string[];
  readonly flow: Flow;
  /** Is it known that he is there. */
  readonly isProved: boolean;
}

/** One of `answered` and `refused` comes, once; not after `cancel` or `disconnected` though. */
export interface BranchUser {
  progress(response: Response): void;
  /** With the answer to our offer; null when there is none. */
  answered(session: Session, answer: string | null): void;
  /** Null when nobody answers. */
  refused(response: Response | null): void;
}

interface EarlyDialog {
  readonly session: Session;
  /** The first description of the peer's answers our offer (RFC 3261 §13.2.1). */
  answer: string | null;
  /** RSeq of the last reliable response; null before the first. */
  sequence: number | null;
}

const SDP_TYPE = 'application/sdp';
/** Proxies on the way may fork as well; more dialogs than this are none of an honest one's. */
const MOST_DIALOGS = 16;
/** A password is tried once on a fresh nonce, and once more when the nonce was stale. */
const MOST_CHALLENGES = 2;

/** An INVITE to one target, from the first word to the answer, with every dialog that comes of it (RFC 3261 §13.2). */
export class InviteBranch {
  readonly #invitation: Invitation;
  readonly #target: CallTarget;
  readonly #ports: BranchPorts;
  readonly #user: BranchUser;
  #state: 'calling' | 'proceeding' | 'answered' | 'over' = 'calling';
  #request!: Request;
  #forget: () => void = () => undefined;
  #sequence = 0;
  #challengesLeft = MOST_CHALLENGES;
  /** Min-SE of a 422. */
  #leastSeconds: number | null = null;
  /** By To tag. */
  readonly #early = new Map<string, EarlyDialog>();
  /** Sends the ACK to a 2xx, again with each of these that comes again. By To tag. */
  readonly #acknowledgements = new Map<string, () => void>();
  #cancelCause: EndCause | null = null;
  #cancelTimer: unknown = null;

  constructor(invitation: Invitation, target: CallTarget, ports: BranchPorts, user: BranchUser) {
    this.#invitation = invitation;
    this.#target = target;
    this.#user = user;
    const { digest } = invitation;
    this.#ports = digest === null ? ports : { ...ports, request: withCredentials(ports, digest) };
  }

  start(): void {
    this.#state = 'calling';
    this.#request = this.#makeInvite();
    const { flow, isProved } = this.#target;
    const heard = (response: Response | null) => {
      if (response === null) return this.#refused(null);
      if (response.status < 200) return this.#proceed(response);
      if (response.status < 300) return this.#succeed(response);
      this.#fail(response);
    };
    this.#forget = this.#ports.invite(this.#request, flow, heard, !isProved);
  }

  /** Nobody needs an answer any more; one that comes nevertheless is acknowledged and ended. */
  cancel(cause: EndCause): void {
    if (this.#isDecided || this.#cancelCause !== null) return;
    this.#cancelCause = cause;
    // §9.1: not before a provisional response.
    if (this.#state === 'proceeding') this.#sendCancel(cause);
  }

  /** A connection closed; no answer comes over it. */
  disconnected(flow: Flow): void {
    if (flow !== this.#target.flow || this.#isDecided) return;
    this.#forget();
    this.#refused(null);
  }

  /** No more waiting for anybody. */
  abandon(): void {
    this.#forget();
    this.#over();
  }

  get #isDecided(): boolean {
    return this.#state === 'answered' || this.#state === 'over';
  }

  #makeInvite(): Request {
    const { callId, localTag, from, to, localUser, offer, headers, digest } = this.#invitation;
    const { uri, route, flow } = this.#target;
    const proof = digest?.authorization({ method: 'INVITE', uri }) ?? null;
    const all: Header[] = [
      ['via', this.#ports.via(flow)],
      ['max-forwards', '70'],
      ...route.map((each): Header => ['route', each]),
      ['from', `${from};tag=${localTag}`],
      ['to', to],
      ['call-id', callId],
      ['cseq', `${++this.#sequence} INVITE`],
      ['contact', this.#ports.contact(flow, localUser, uriScheme(uri) === 'sips')],
      ...this.#ports.capabilities,
      ...proposedTimer(this.#ports.sessionTimer.intervalSeconds, this.#leastSeconds),
      ...headers,
      ...(proof === null ? [] : [proof]),
      ['content-type', SDP_TYPE],
    ];
    return new Request('INVITE', uri, all, Buffer.from(offer));
  }

  #proceed(response: Response): void {
    if (this.#isDecided) return;
    const isFirst = this.#state === 'calling';
    this.#state = 'proceeding';
    if (this.#cancelCause !== null) {
      if (isFirst) this.#sendCancel(this.#cancelCause);
      return;
    }
    if (response.status > 100 && response.toTag !== null) this.#hearEarly(response, response.toTag);
    this.#user.progress(response);
  }

  #hearEarly(response: Response, tag: string): void {
    const early = this.#early.get(tag) ?? this.#openEarly(response, tag);
    if (early === null) return;
    const sequence = reliableSequence(response);
    // RFC 3262 §4: in their order; one that comes again has had its PRACK.
    if (sequence !== null && early.sequence !== null && sequence !== early.sequence + 1) return;
    early.answer ??= sdpOf(response);
    if (sequence === null) return;
    early.sequence = sequence;
    const rack = `${sequence} ${response.cseq!.number} INVITE`;
    this.#ports.request(early.session.dialog, 'PRACK', { headers: [['rack', rack]] });
  }

  #openEarly(response: Response, tag: string): EarlyDialog | null {
    if (this.#early.size >= MOST_DIALOGS) return null;
    const early = { session: this.#openSession(response), answer: null, sequence: null };
    this.#early.set(tag, early);
    return early;
  }

  #openSession(response: Response): Session {
    const session: Session = new Session({
      dialog: Dialog.asClient(this.#request, response, this.#target.flow),
      localUser: this.#invitation.localUser,
      invite: null,
      ports: this.#ports,
      finished: () => this.#ports.ended(session),
    });
    this.#ports.begun(session);
    return session;
  }

  #succeed(response: Response): void {
    const tag = response.toTag ?? '';
    const again = this.#acknowledgements.get(tag);
    if (again !== undefined) return again();
    if (this.#acknowledgements.size >= MOST_DIALOGS) return;
    const early = this.#early.get(tag);
    const session = early?.session;
    const dialog = session?.dialog ?? Dialog.asClient(this.#request, response, this.#target.flow);
    dialog.confirm(response);
    // RFC 3261 §22.1: with the credentials of its INVITE.
    const proof = this.#request.headers.filter(([name]) => /^(?:proxy-)?authorization$/.test(name));
    const acknowledgement = serialise(dialog.acknowledgement(response, this.#ports.via(dialog.flow), proof));
    const acknowledge = () => void dialog.flow.send(acknowledgement);
    this.#acknowledgements.set(tag, acknowledge);
    acknowledge();
    if (this.#isDecided || this.#cancelCause !== null || session?.hasEnded) return this.#decline(dialog);
    this.#state = 'answered';
    this.#take(session ?? this.#openSession(response), response, early?.answer ?? sdpOf(response));
  }

  #take(session: Session, response: Response, answer: string | null): void {
    this.#endEarly(session);
    session.begin(response, this.#invitation.offer);
    this.#user.answered(session, answer);
  }

  /** §13.2.2.4: each 2xx makes a dialog; one that nobody wants is ended at once. */
  #decline(dialog: Dialog): void {
    const headers = [reasonHeader(this.#cancelCause ?? ANSWERED_ELSEWHERE)];
    this.#ports.request(dialog, 'BYE', { headers });
    if (!this.#isDecided) this.#refused(null);
  }

  #fail(response: Response): void {
    if (this.#cancelCause === null && this.#mayRetry(response)) {
      this.#endEarly(null);
      return this.start();
    }
    this.#refused(response);
  }

  #mayRetry(response: Response): boolean {
    const { digest } = this.#invitation;
    if (response.status === 401 || response.status === 407) {
      return digest !== null && this.#challengesLeft-- > 0 && digest.take(response);
    }
    // RFC 4028 §7.3; once, since the peer could go on raising it.
    if (response.status !== 422 || this.#leastSeconds !== null) return false;
    this.#leastSeconds = minimumOf(response);
    return this.#leastSeconds !== null;
  }

  #refused(response: Response | null): void {
    if (this.#state === 'over') return;
    this.#over();
    if (this.#cancelCause === null) this.#user.refused(response);
  }

  #over(): void {
    this.#ports.clock.clearTimer(this.#cancelTimer);
    if (this.#state !== 'answered') this.#endEarly(null);
    this.#state = 'over';
  }

  #endEarly(but: Session | null): void {
    for (const { session } of this.#early.values()) {
      if (session !== but) session.abandon('the INVITE is answered');
    }
    this.#early.clear();
  }

  #sendCancel(cause: EndCause): void {
    this.#ports.send(cancellation(this.#request, [reasonHeader(cause)]), this.#target.flow);
    // §9.1: a final response that is not there by then does not come.
    this.#cancelTimer = this.#ports.clock.setTimer(64 * T1_MS, () => {
      this.#forget();
      this.#refused(null);
    });
  }
}

/** RFC 3326: with this, a phone does not list the call as one that was missed. */
export const ANSWERED_ELSEWHERE: EndCause = { protocol: 'SIP', cause: 200, text: 'Call completed elsewhere' };

/** RSeq of a response that wants a PRACK (RFC 3262 §4); null when it wants none. */
function reliableSequence(response: Response): number | null {
  const isReliable = response.list('require').some(tag => tag.toLowerCase() === '100rel');
  const text = response.get('rseq') ?? '';
  return isReliable && /^\d{1,10}$/.test(text) ? Number(text) : null;
}

/** Requests in a dialog with whoever may ask who we are; one that is challenged is sent once more. */
function withCredentials({ request }: SessionPorts, digest: DigestClient): SessionPorts['request'] {
  return (dialog, method, parts, answered) => {
    const proven = { ...parts, credentials: (line: Pick<Request, 'method' | 'uri'>) => digest.authorization(line) };
    request(dialog, method, proven, response => {
      const isChallenge = response?.status === 401 || response?.status === 407;
      if (isChallenge && digest.take(response)) request(dialog, method, proven, answered);
      else answered?.(response);
    });
  };
}
