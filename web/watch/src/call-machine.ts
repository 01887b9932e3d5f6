import { backoffMs } from './backoff.ts';
import { type EndCause, endWords, refusalWords } from './words.ts';

/** Where the viewer stands; `target` is the SIP user name of the channel. */
export type CallState =
  | { readonly name: 'idle' }
  | { readonly name: 'calling' | 'connecting' | 'watching'; readonly target: string }
  | { readonly name: 'reconnecting'; readonly target: string; readonly attempt: number }
  | { readonly name: 'ended'; readonly target: string; readonly words: string };

export type CallEvent =
  | { readonly type: 'chosen'; readonly target: string }
  | { readonly type: 'hungUp' }
  /** The WebSocket opened or was lost. */
  | { readonly type: 'lineUp' }
  | { readonly type: 'lineDown' }
  | { readonly type: 'answered' }
  /** The first frame of the picture, or of the sound when there is no picture. */
  | { readonly type: 'shown' }
  | {
      readonly type: 'refused';
      readonly status: number;
      readonly phrase: string;
      readonly retryAfterSeconds: number | null;
    }
  /** The server sent BYE. */
  | { readonly type: 'ended'; readonly cause: EndCause | null }
  /** No answer, ICE failed, or the media stopped. */
  | { readonly type: 'lost' }
  | { readonly type: 'retryDue' }
  | { readonly type: 'networkBack' };

export type CallAction =
  | { readonly type: 'call'; readonly target: string }
  | { readonly type: 'hangUp' }
  /** Sends `retryDue` after the delay; replaces an earlier one. */
  | { readonly type: 'retryAfter'; readonly delayMs: number }
  | { readonly type: 'cancelRetry' };

/** Refusals that pass by themselves: time-out, fault, overload or restart of the server (RFC 3261 §21.4.9, §21.5). */
const PASSING_STATUSES = new Set([408, 500, 502, 503, 504]);

/** What a call does, from the choice of a channel to its end, over losses of the network. Holds no timer and no socket. */
export class CallMachine {
  readonly #random: () => number;
  #state: CallState = { name: 'idle' };
  #lineUp = false;
  /** A call stands or is being set up. */
  #placed = false;
  #retryPending = false;

  constructor(random: () => number) {
    this.#random = random;
  }

  get state(): CallState {
    return this.#state;
  }

  /** Takes what happened; returns what is to be done, in this order. */
  handle(event: CallEvent): CallAction[] {
    switch (event.type) {
      case 'chosen':
        return this.#leave({ name: 'calling', target: event.target });
      case 'hungUp':
        return this.#leave({ name: 'idle' });
      case 'lineUp':
        this.#lineUp = true;
        return this.#place();
      case 'networkBack':
        return [...this.#cancelRetry(), ...this.#place()];
      case 'retryDue':
        this.#retryPending = false;
        return this.#place();
      case 'lineDown':
        return this.#lineDown();
      default:
        return this.#placed ? this.#inCall(event) : [];
    }
  }

  /** What the call that stands goes through. */
  #inCall(
    event: Exclude<CallEvent, { type: 'chosen' | 'hungUp' | `line${string}` | 'networkBack' | 'retryDue' }>,
  ): CallAction[] {
    const target = this.#target;
    if (target === null) return [];
    switch (event.type) {
      case 'answered':
        if (this.#state.name === 'calling') this.#state = { name: 'connecting', target };
        return [];
      case 'shown':
        this.#state = { name: 'watching', target };
        return [];
      case 'lost':
        return [...this.#drop(), ...this.#retry(target, 0)];
      case 'refused': {
        this.#placed = false;
        const { status, phrase, retryAfterSeconds } = event;
        // Who loses a running call to a restart of the server wants it back; who is refused at once wants to know why.
        if (this.#state.name === 'reconnecting' && PASSING_STATUSES.has(status)) {
          return this.#retry(target, 1000 * (retryAfterSeconds ?? 0));
        }
        this.#state = { name: 'ended', target, words: refusalWords(status, phrase, retryAfterSeconds) };
        return [];
      }
      case 'ended': {
        this.#placed = false;
        const { cause } = event;
        if (cause?.protocol === 'SIP' && PASSING_STATUSES.has(cause.cause)) return this.#retry(target, 0);
        this.#state = { name: 'ended', target, words: endWords(cause) };
        return [];
      }
    }
  }

  /** The channel that the viewer wants now. */
  get #target(): string | null {
    return this.#state.name === 'idle' || this.#state.name === 'ended' ? null : this.#state.target;
  }

  /** The viewer's own wish: what was is over, whatever it was. */
  #leave(next: CallState): CallAction[] {
    const actions = [...this.#cancelRetry(), ...this.#drop()];
    this.#state = next;
    return [...actions, ...this.#place()];
  }

  #lineDown(): CallAction[] {
    this.#lineUp = false;
    const actions = this.#drop();
    const target = this.#target;
    // The line comes back by itself, and `lineUp` places the call: no timer is needed.
    if (target !== null) this.#state = { name: 'reconnecting', target, attempt: this.#attempt };
    return actions;
  }

  #retry(target: string, atLeastMs: number): CallAction[] {
    const delayMs = Math.max(backoffMs(this.#attempt, this.#random()), atLeastMs);
    this.#state = { name: 'reconnecting', target, attempt: this.#attempt + 1 };
    this.#retryPending = true;
    return [{ type: 'retryAfter', delayMs }];
  }

  /** Attempts that failed since there was a picture. */
  get #attempt(): number {
    return this.#state.name === 'reconnecting' ? this.#state.attempt : 0;
  }

  #place(): CallAction[] {
    const target = this.#target;
    if (target === null || !this.#lineUp || this.#placed || this.#retryPending) return [];
    this.#placed = true;
    return [{ type: 'call', target }];
  }

  #drop(): CallAction[] {
    if (!this.#placed) return [];
    this.#placed = false;
    return [{ type: 'hangUp' }];
  }

  #cancelRetry(): CallAction[] {
    if (!this.#retryPending) return [];
    this.#retryPending = false;
    return [{ type: 'cancelRetry' }];
  }
}
