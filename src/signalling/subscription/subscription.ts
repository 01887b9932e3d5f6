import type { Clock } from '../clock.ts';
import { type Dialog, type DialogRequestParts, type DialogUsage, recordRoute } from '../dialog/index.ts';
import { type Header, NO_BODY, type Response, respond } from '../message/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import type { Flow } from '../transport/index.ts';
import { type EventName, formatEvent, isSameEvent, parseEvent } from './event.ts';
import { type ExpiryLimits, grantedSeconds } from './expiry.ts';

/** A state in words of its package. */
export interface StateDocument {
  /** Its Content-Type. */
  readonly type: string;
  readonly body: Buffer;
}

/**
 * Why a subscription ends (RFC 6665 §4.1.3): it was not refreshed or the subscriber wants no more, what it watches is no
 * longer there, or we go and another may be here later.
 */
export type TerminationReason = 'timeout' | 'noresource' | 'probation';

type Answered = (response: Response | null) => void;

export interface SubscriptionPorts {
  readonly clock: Clock;
  /** As in a session. */
  request(dialog: Dialog, method: string, parts: DialogRequestParts, answered: Answered): void;
  /** Our Contact on this flow, with this user part. */
  contact(flow: Flow, user: string, secure: boolean): string;
}

export interface SubscriptionOptions {
  readonly dialog: Dialog;
  readonly event: EventName;
  /** User part of our Contact. */
  readonly localUser: string;
  /** It ends after so many seconds, unless it is refreshed. */
  readonly seconds: number;
  readonly limits: ExpiryLimits;
  readonly ports: SubscriptionPorts;
  /**
   * The whole state at this moment; null for none. It is asked when a NOTIFY goes out, so the latest state wins.
   * `version` counts the NOTIFYs from 0.
   */
  state(version: number): StateDocument | null;
  /** Is the subscriber known to be where he says: by his connection, his password, or his tags. */
  readonly isProved: boolean;
  /** He has proved it now. */
  readonly proved?: () => void;
  /** It is over; told once. */
  readonly ended: () => void;
}

/** What changes within this time is told together. */
const PAUSE_MS = 1_000;
/** A subscriber who asks for more patience than this has gone. */
const MOST_PATIENCE_SECONDS = 300;
/** When to come back after `probation`. */
const RETRY_AFTER_SECONDS = 10;

/**
 * One subscription at its notifier (RFC 6665 §4.2), in a dialog of its own or, made by a REFER, in that of a call
 * (RFC 5057): NOTIFYs with the whole state, one at a time, and no more of them than one a second.
 *
 * A SUBSCRIBE over UDP may have a forged source. Sent again for 32 seconds as RFC 3261 §17.1.2.2 wants, one NOTIFY
 * would be eleven datagrams to whoever is named there. So until one was answered, which takes its unguessable branch, a
 * guest over UDP gets it once and nothing after it: about three times what he sent, as much as QUIC grants (RFC 9000
 * §8.1). Whoever loses that datagram asks again when his Timer N says so (RFC 6665 §4.1.2.4).
 */
export class Subscription implements DialogUsage {
  readonly dialog: Dialog;
  readonly #options: SubscriptionOptions;
  #isProved: boolean;
  #isOver = false;
  #expiresAtMs = 0;
  #expiryTimer: unknown = null;
  #pauseTimer: unknown = null;
  /** No NOTIFY before this moment, unless the subscriber asked for it. */
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  /** What is to be sent: nothing, the state if it is another than was told last, or the state as it is. */
  #due: 'nothing' | 'changes' | 'everything' = 'nothing';
  /** Is a NOTIFY without an answer. */
  #isTelling = false;
  #version = 0;
  #told: StateDocument | null = null;

  constructor(options: SubscriptionOptions) {
    this.dialog = options.dialog;
    this.#options = options;
    this.#isProved = options.isProved;
    this.#expireAfter(options.seconds);
  }

  /** Answers the SUBSCRIBE that made it, and tells the state. */
  begin(subscribe: ServerTransaction): void {
    this.#grant(subscribe, this.#options.seconds);
  }

  /** The first NOTIFY of one that no SUBSCRIBE made; the request that did has its answer. */
  start(): void {
    this.#tellEverything();
  }

  /** The state may have changed. */
  changed(): void {
    if (this.#due === 'nothing') this.#due = 'changes';
    this.#tell();
  }

  /** The last NOTIFY, with the state as it is now. */
  end(reason: TerminationReason): void {
    if (this.#isOver) return;
    const retryAfter = reason === 'probation' ? `;retry-after=${RETRY_AFTER_SECONDS}` : '';
    if (!this.#isTelling || this.#isProved) this.#notify(`terminated;reason=${reason}${retryAfter}`);
    this.abandon();
  }

  /** Is it the one that a SUBSCRIBE in the dialog means. */
  isMeantBy({ request }: ServerTransaction): boolean {
    return request.method === 'SUBSCRIBE' && isSameEvent(this.#options.event, parseEvent(request.get('event')));
  }

  /** A SUBSCRIBE refreshes it or ends it (§4.2.1.3). In a dialog of its own there is nothing else to ask for. */
  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    // RFC 3261 §11.2: a phone may ask in this way whether we are still there.
    if (request.method === 'OPTIONS') return transaction.respond(respond(request, 200));
    if (!this.isMeantBy(transaction)) return transaction.respond(respond(request, 481));
    const { limits } = this.#options;
    const seconds = grantedSeconds(request, limits);
    if (seconds === null) {
      const headers: Header[] = [['min-expires', String(limits.leastSeconds)]];
      return transaction.respond(respond(request, 423, { headers }));
    }
    this.#prove();
    this.#grant(transaction, seconds);
  }

  acknowledge(): void {}

  cancel(): void {}

  /** A browser that comes back subscribes anew; a phone, or its proxy, may refresh from another connection. */
  disconnected(): void {
    const { transport } = this.dialog.flow;
    if (transport === 'ws' || transport === 'wss') this.abandon();
  }

  /** Over without another word. */
  abandon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { clock } = this.#options.ports;
    clock.clearTimer(this.#expiryTimer);
    clock.clearTimer(this.#pauseTimer);
    this.#options.ended();
  }

  #grant(transaction: ServerTransaction, seconds: number): void {
    const { request, flow } = transaction;
    const headers: Header[] = [
      ['contact', this.#options.ports.contact(flow, this.#options.localUser, this.dialog.secure)],
      ...recordRoute(request),
      ['expires', String(seconds)],
    ];
    transaction.respond(respond(request, 200, { toTag: this.dialog.localTag, headers }));
    // §4.4.3: whoever asks for no time at all gets the state once.
    if (seconds === 0) return this.end('timeout');
    this.#expireAfter(seconds);
    this.#tellEverything();
  }

  #expireAfter(seconds: number): void {
    const { clock } = this.#options.ports;
    this.#expiresAtMs = clock.nowMs() + seconds * 1000;
    clock.clearTimer(this.#expiryTimer);
    this.#expiryTimer = clock.setTimer(seconds * 1000, () => this.end('timeout'));
  }

  #prove(): void {
    if (this.#isProved) return;
    this.#isProved = true;
    this.#options.proved?.();
  }

  #tellEverything(): void {
    this.#due = 'everything';
    this.#tell();
  }

  /** Sends what is due, if now is the time. */
  #tell(): void {
    if (this.#isOver || this.#due === 'nothing' || this.#isTelling) return;
    const { clock } = this.#options.ports;
    const pauseMs = this.#pausedUntilMs - clock.nowMs();
    if (this.#due === 'changes' && pauseMs > 0) {
      this.#pauseTimer ??= clock.setTimer(pauseMs, () => {
        this.#pauseTimer = null;
        this.#tell();
      });
      return;
    }
    const isNews = this.#due === 'everything' || this.#hasChanged();
    this.#due = 'nothing';
    if (!isNews) return;
    this.#pausedUntilMs = clock.nowMs() + PAUSE_MS;
    const seconds = Math.ceil((this.#expiresAtMs - clock.nowMs()) / 1000);
    this.#notify(`active;expires=${seconds}`);
  }

  /** Would what was told last be told in other words now. */
  #hasChanged(): boolean {
    const now = this.#options.state(this.#version - 1);
    return this.#told === null || now === null || !this.#told.body.equals(now.body);
  }

  #notify(subscriptionState: string): void {
    const { event, localUser, ports, state } = this.#options;
    const { dialog } = this;
    const document = state(this.#version++);
    this.#told = document;
    this.#isTelling = true;
    const headers: Header[] = [
      ['contact', ports.contact(dialog.flow, localUser, dialog.secure)],
      ['event', formatEvent(event)],
      ['subscription-state', subscriptionState],
      ...(document === null ? [] : [['content-type', document.type] as const]),
    ];
    const parts = { headers, body: document?.body ?? NO_BODY, once: !this.#isProved };
    ports.request(dialog, 'NOTIFY', parts, response => this.#answered(response));
  }

  #answered(response: Response | null): void {
    this.#isTelling = false;
    if (response !== null) this.#prove();
    if (this.#isOver) return;
    if (response !== null && response.status < 300) return this.#tell();
    // §4.2.2: who says when to try again keeps his subscription; one whose NOTIFY failed has none.
    const patience = response?.get('retry-after')?.match(/^\d{1,9}/)?.[0];
    if (patience === undefined || Number(patience) > MOST_PATIENCE_SECONDS) return this.abandon();
    this.#pausedUntilMs = this.#options.ports.clock.nowMs() + Math.max(Number(patience) * 1000, PAUSE_MS);
    this.#told = null;
    this.changed();
  }
}
