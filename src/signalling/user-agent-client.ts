import type { Clock } from './clock.ts';
import type { Dialog } from './dialog/index.ts';
import { newVia } from './identifiers.ts';
import { type Request, type Response, serialise } from './message/index.ts';
import { ClientTransaction, clientKey } from './transaction/index.ts';
import type { Flow } from './transport/index.ts';

/** The requests of ours that wait for an answer (RFC 3261 §8.1). */
export class UserAgentClient {
  readonly #clock: Clock;
  readonly #onRetransmission: () => void;
  readonly #transactions = new Map<string, ClientTransaction>();
  /** Requests that have no final response yet. */
  #unanswered = 0;
  #onSettled: () => void = () => undefined;

  constructor(clock: Clock, onRetransmission: () => void) {
    this.#clock = clock;
    this.#onRetransmission = onRetransmission;
  }

  /** Transactions that have not ended. */
  get size(): number {
    return this.#transactions.size;
  }

  /** Sends a request, in a dialog or not, and tells its final response, null when there is none in time, or no way. */
  request(
    request: Request,
    flow: Flow,
    dialog: Dialog | null,
    answered: (response: Response | null) => void = () => undefined,
  ): void {
    if (flow.closed) return answered(null);
    this.#unanswered++;
    const finish = (response: Response | null) => {
      this.#unanswered--;
      answered(response);
      if (this.#unanswered === 0) this.#onSettled();
    };
    const key = clientKey(request);
    let finished = false;
    const transaction = new ClientTransaction({
      request,
      flow,
      clock: this.#clock,
      user: {
        report: message => {
          const response = message as Response;
          if (response.status < 200) return;
          if (response.status < 300 && dialog !== null) this.#succeeded(response, flow, dialog);
          // RFC 6026 §7.2: a 2xx to an INVITE may come again, and wants another ACK.
          if (!finished) finish(response);
          finished = true;
        },
        timeOut: () => finish(null),
      },
      onTerminated: () => this.#transactions.delete(key),
      onRetransmission: this.#onRetransmission,
    });
    this.#transactions.set(key, transaction);
  }

  /** A response from the network. */
  receive(response: Response): void {
    this.#transactions.get(clientKey(response))?.receive(response);
  }

  /** Resolves when every request is answered, or after this long. */
  settle(timeoutMs: number): Promise<void> {
    if (this.#unanswered === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onSettled = resolve;
    this.#clock.setTimer(timeoutMs, resolve);
    return promise;
  }

  /** Ends what is left without waiting. */
  close(): void {
    for (const transaction of this.#transactions.values()) transaction.terminate();
  }

  #succeeded(response: Response, flow: Flow, dialog: Dialog): void {
    dialog.answered(response);
    if (response.cseq?.method !== 'INVITE') return;
    flow.send(serialise(dialog.acknowledgement(response, newVia(flow))));
  }
}
