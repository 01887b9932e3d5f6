/** What the rest of the house sees of SIP: calls that come in and go out, and what can be done with them. */

import type { Registration } from './registration/index.ts';

export type SipTransport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

export interface SignallingHandlers {
  /** A new, well-formed INVITE outside a dialog. `accept` or `reject` must follow, once; meanwhile the caller is told to wait. */
  invite(call: IncomingCall): void;
  /** A text, in a call or outside (RFC 3428); null takes it. Without this, every text is taken and forgotten. */
  message?(text: TextMessage): Rejection | null;
  /** What may be seen of a target by who subscribes to it; null when there is none. Without this, nothing is watched. */
  look?(target: string): WatchedTarget | null;
}

/** What can be watched of a target (RFC 6665). */
export interface WatchedTarget {
  /** The one by which its changes are told, whatever other names it has. */
  readonly name: string;
  /** Can it be called. */
  readonly isOpen: boolean;
  /** What is on, in words. */
  readonly title: string;
  /** Calls with it that are answered, by whomever. */
  readonly viewers: number;
  /** Those of them that came in. */
  readonly calls: readonly WatchedCall[];
}

export type WatchedCall = Pick<IncomingCall, 'sipCallId' | 'localTag' | 'remoteTag' | 'from' | 'subscriber'>;

export interface TextMessage {
  /** User part of the Request-URI, unescaped; empty when there is none. */
  readonly target: string;
  readonly from: Caller;
  readonly text: string;
}

export interface Caller {
  readonly uri: string;
  readonly user: string;
  readonly displayName: string;
}

/** A final refusal: an RFC 3261 status code with its reason phrase and, with 503, when to come back. */
export interface Rejection {
  readonly status: number;
  /** Defaults to the phrase of the RFC. */
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
}

/** RFC 3326 Reason header of a BYE. */
export interface EndCause {
  readonly protocol: 'SIP' | 'Q.850';
  readonly cause: number;
  readonly text: string;
}

export type CallEnd =
  | { readonly by: 'peer'; readonly cause: EndCause | null }
  | { readonly by: 'us'; readonly cause: EndCause | null }
  /** No ACK within 64·T1, a phone's connection that closed and did not come back in that time, or our own end. */
  | { readonly by: 'failure'; readonly reason: string };

/** A server INVITE session: one dialog from the INVITE to the BYE. */
export interface IncomingCall {
  /** Unique in this process. */
  readonly id: string;
  readonly sipCallId: string;
  /** With the Call-ID, the tags name the dialog; who knows them can end it. */
  readonly localTag: string;
  readonly remoteTag: string | null;
  /** User part of the Request-URI, unescaped; empty when there is none. */
  readonly target: string;
  readonly from: Caller;
  readonly identity: CallIdentity;
  /** User name of the account whose password the caller has proved to know; null for a guest. */
  readonly subscriber: string | null;
  /** The call that this one takes the place of (RFC 3891), whatever its target; that one ends when this is accepted. */
  readonly replaces: string | null;
  readonly userAgent: string | null;
  readonly transport: SipTransport;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The local address at which the peer reaches us, as in our Contact. */
  readonly localAddress: string;
  /** The SDP of the INVITE; null when it has none (delayed offer). */
  readonly offer: string | null;
  /** Set by whoever takes the call, before `invite` returns. */
  handlers: IncomingCallHandlers | null;
  /** 180 Ringing. */
  ring(): void;
  /** 200 OK with the answer, or with our offer if there was none, sent again until the ACK (RFC 3261 §13.3.1.4). */
  accept(description: string): void;
  reject(rejection: Rejection): void;
  /** BYE (after the ACK, as §15 wants), with a Reason header. */
  hangUp(cause: EndCause): void;
}

/** `accept` or `reject` (488 leaves the session as it was) must follow, once. */
export interface Reoffer {
  /** Null when we are to offer: `accept` does, and `answered` follows. */
  readonly offer: string | null;
  accept(description: string): void;
  reject(rejection: Rejection): void;
}

/** The peer wants us to go on with somebody else: a transfer (RFC 3515). `accept` or `reject` must follow, once. */
export interface Referral {
  /** A SIP URI without headers. */
  readonly to: string;
  /** RFC 3891: the call of the peer's that ours is to take the place of. */
  readonly replaces: string | null;
  /** RFC 3892. */
  readonly referredBy: string | null;
  /** From now on the peer hears what `report` says, until that is final. */
  accept(): void;
  reject(rejection: Rejection): void;
  report(status: number, reason: string): void;
}

/** What a call's user hears of it once it is answered, whoever made it. */
export interface SessionHandlers {
  /** The ACK to a 200 that had our offer: the answer, or null when it has none. */
  answered(answer: string | null): void;
  /** A re-INVITE, or an UPDATE with an offer. */
  reinvite(request: Reoffer): void;
  /** A key of a phone: a digit, *, #, or A to D. */
  readonly pressed?: (key: string) => void;
  /** Without this, nobody can be referred to. */
  referred?(referral: Referral): void;
  /** The dialog is over; called once, also after `hangUp`. */
  ended(end: CallEnd): void;
}

export interface IncomingCallHandlers extends SessionHandlers {
  /** CANCEL before a final answer; 487 was sent already. */
  cancelled(): void;
  /** The first ACK to our 200; comes after `answered`. */
  acknowledged(): void;
}

/** Who we are in a call. */
export interface CallIdentity {
  /** Our SIP URI. */
  readonly uri: string;
  /** As whose subscriber; null where the peer calls us by our own name. */
  readonly registration: Pick<Registration, 'account' | 'flow'> | null;
}

/** Who a call is with, as far as the network shows. */
export interface CallPeer {
  readonly transport: SipTransport;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The local address at which the peer reaches us, as in our Contact. */
  readonly localAddress: string;
}

/** A call that we make. */
export interface OutgoingCall {
  /** Unique in this process. */
  readonly id: string;
  readonly sipCallId: string;
  readonly identity: CallIdentity;
  /** Who has answered; null before. */
  readonly peer: CallPeer | null;
  /** CANCEL before the answer, BYE after it. */
  hangUp(cause: EndCause): void;
}

/** One of `accepted`, `refused` and `ended` is the first word after `progress`; after `refused` there is none. */
export interface OutgoingCallHandlers extends SessionHandlers {
  /** 180, 183 …: somebody is asked. Several may ring at once. */
  progress(status: number, reason: string): void;
  /** Somebody took it: the answer to our offer; null when he gave none. */
  accepted(answer: string | null): void;
  /** Nobody took it. */
  refused(rejection: Rejection): void;
}

export interface CallRequest {
  /** Who is called: a SIP URI without headers, of somebody who is registered here or with the platform. */
  readonly to: string;
  /** As in the call that this one goes on from. */
  readonly identity: CallIdentity;
  /**
   * Makes the offer, once somebody was found who is reached from this local address; or says why nobody is called.
   * Must not reject.
   */
  readonly offer: (localAddress: string) => Promise<string | Rejection>;
  /** RFC 3891: the call that this one takes the place of. */
  readonly replaces: string | null;
  /** RFC 3892: who wants it. */
  readonly referredBy: string | null;
  /** 60 s where not said otherwise. */
  readonly ringTimeoutMs?: number;
  readonly handlers: OutgoingCallHandlers;
}
