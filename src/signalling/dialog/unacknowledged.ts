import type { Clock } from '../clock.ts';
import type { Response } from '../message/index.ts';
import { type ServerTransaction, T1_MS, T2_MS } from '../transaction/index.ts';

export interface UnacknowledgedOptions {
  readonly clock: Clock;
  readonly transaction: ServerTransaction;
  readonly response: Response;
  readonly onRetransmission: () => void;
  /** No ACK within 64·T1. */
  readonly giveUp: () => void;
}

/**
 * A 2xx to an INVITE, sent at construction and again until its ACK (RFC 3261 §13.3.1.4): on every transport, since a
 * proxy on the way may use an unreliable one.
 */
export class Unacknowledged {
  /** CSeq number of the INVITE, which its ACK repeats. */
  readonly sequence: number;
  readonly #options: UnacknowledgedOptions;
  readonly #givingUp: unknown;
  #timer: unknown = null;

  constructor(options: UnacknowledgedOptions) {
    this.#options = options;
    this.sequence = options.transaction.request.cseq!.number;
    this.#givingUp = options.clock.setTimer(64 * T1_MS, options.giveUp);
    options.transaction.respond(options.response);
    this.#later(T1_MS);
  }

  stop(): void {
    this.#options.clock.clearTimer(this.#timer);
    this.#options.clock.clearTimer(this.#givingUp);
  }

  #later(intervalMs: number): void {
    const { clock, transaction, response, onRetransmission } = this.#options;
    this.#timer = clock.setTimer(intervalMs, () => {
      onRetransmission();
      transaction.respond(response);
      this.#later(Math.min(intervalMs * 2, T2_MS));
    });
  }
}
