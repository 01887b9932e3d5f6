import type { Clock } from '../clock.ts';
import { type Header, type Request, Response } from '../message/index.ts';
import { type ServerTransaction, T1_MS } from '../transaction/index.ts';

export interface ReliableProvisionalOptions {
  readonly clock: Clock;
  /** Of the INVITE. */
  readonly transaction: ServerTransaction;
  readonly response: Response;
  /** RSeq, from 1 to 2^31 − 1. */
  readonly sequence: number;
  readonly onRetransmission: () => void;
  /** No PRACK within 64·T1. */
  readonly giveUp: () => void;
}

/** How a provisional response to this INVITE may go out: not at all where it would have to have an offer. */
export function reliability(invite: Request): 'reliable' | 'plain' | 'none' {
  const has = (name: string) => invite.list(name).some(tag => tag.toLowerCase() === '100rel');
  const isRequired = has('require');
  // RFC 3261 §13.2.1: in a call without an offer the first reliable response has ours, and ours goes in the 200.
  if (invite.body.length === 0) return isRequired ? 'none' : 'plain';
  return isRequired || has('supported') ? 'reliable' : 'plain';
}

/** A provisional response that goes out at construction and again until its PRACK (RFC 3262 §3). */
export class ReliableProvisional {
  readonly #options: ReliableProvisionalOptions;
  readonly #response: Response;
  /** CSeq number of the INVITE. */
  readonly #inviteSequence: number;
  readonly #givingUp: unknown;
  #timer: unknown = null;
  #isAcknowledged = false;

  constructor(options: ReliableProvisionalOptions) {
    const { clock, transaction, response, sequence, giveUp } = options;
    this.#options = options;
    this.#inviteSequence = transaction.request.cseq!.number;
    const headers: Header[] = [
      ['require', '100rel'],
      ['rseq', String(sequence)],
    ];
    this.#response = new Response(response.status, response.reason, [...response.headers, ...headers], response.body);
    this.#givingUp = clock.setTimer(64 * T1_MS, giveUp);
    transaction.respond(this.#response);
    this.#later(T1_MS);
  }

  /** Takes a PRACK; false when its RAck names another response, or one that has had its PRACK (481). */
  acknowledge(prack: Request): boolean {
    const [rseq, number, method] = (prack.get('rack') ?? '').split(/\s+/);
    const named = Number(rseq) === this.#options.sequence && Number(number) === this.#inviteSequence;
    if (!named || method !== 'INVITE' || this.#isAcknowledged) return false;
    this.#isAcknowledged = true;
    this.stop();
    return true;
  }

  /** §3: after a final response it does not go out again, though its PRACK may still come. */
  stop(): void {
    this.#options.clock.clearTimer(this.#timer);
    this.#options.clock.clearTimer(this.#givingUp);
  }

  /** §3: doubles without the limit of T2. */
  #later(intervalMs: number): void {
    const { clock, transaction, onRetransmission } = this.#options;
    this.#timer = clock.setTimer(intervalMs, () => {
      onRetransmission();
      transaction.respond(this.#response);
      this.#later(intervalMs * 2);
    });
  }
}
