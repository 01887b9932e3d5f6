import type { Clock } from './clock.ts';
import type { Dialog, DialogRequestParts } from './dialog/index.ts';
import type { Identifiers } from './identifiers.ts';
import { type Request, type Response, respond, serialise } from './message/index.ts';
import { ClientTransaction, clientKey } from './transaction/index.ts';
import type { Flow } from './transport/index.ts';

export interface UserAgentClientOptions {
  readonly clock: Clock;
  readonly identifiers: Identifiers;
  /** A new way to a dialog's next hop, whose connection is gone; null when there is none. */
  readonly reach: (dialog: Dialog) => Promise<Flow | null>;
  readonly onRetransmission: () => void;
}

type Answered = (response: Response | null) => void;

/** The requests of ours that wait for an answer (RFC 3261 §8.1). */
export class UserAgentClient {
  readonly #options: UserAgentClientOptions;
  readonly #transactions = new Map<string, ClientTransaction>();
  /** Requests that have no final response yet. */
  #unanswered = 0;
  #onSettled: () => void = () => undefined;

  constructor(options: UserAgentClientOptions) {
    this.#options = options;
  }

  /** Transactions that have not ended. */
  get size(): number {
    return this.#transactions.size;
  }

  /** Sends a request in a dialog as `request` does, over a new connection when the dialog's own is gone. */
  requestInDialog(dialog: Dialog, method: string, parts: DialogRequestParts, answered?: Answered): void {
    const send = () => {
      const { flow } = dialog;
      this.request(
        dialog.request(method, this.#options.identifiers.via(flow), parts),
        flow,
        dialog,
        answered,
        parts.once,
      );
    };
    if (!dialog.flow.closed || !dialog.mayCallBack) return send();
    const settled = this.#begin();
    void this.#options.reach(dialog).then(flow => {
      // The peer may have come back meanwhile.
      if (flow !== null && dialog.flow.closed) dialog.flow = flow;
      send();
      settled();
    });
  }

  /** Sends a request, in a dialog or not, and tells its final response, null when there is none in time. */
  request(
    request: Request,
    flow: Flow,
    dialog: Dialog | null,
    answered: Answered = () => undefined,
    once = false,
  ): void {
    // RFC 3261 §8.1.3.1: what cannot be sent is answered so.
    if (flow.closed) return answered(respond(request, 503));
    let finished = false;
    const heard = (response: Response | null) => {
      if (response !== null && response.status < 200) return;
      if (response !== null && response.status < 300 && dialog !== null) this.#succeeded(response, flow, dialog);
      // RFC 6026 §7.2: a 2xx to an INVITE may come again, and wants another ACK.
      if (!finished) answered(response);
      finished = true;
    };
    this.#start(request, flow, heard, once);
  }

  /**
   * Sends an INVITE outside a dialog and tells every response, or null when none came in time. The ACKs to the 2xx are
   * its user's. With `once` it is not sent again while no answer comes. Returns how to forget it.
   */
  invite(request: Request, flow: Flow, heard: Answered, once = false): () => void {
    if (flow.closed) {
      heard(respond(request, 503));
      return () => undefined;
    }
    const transaction = this.#start(request, flow, heard, once);
    return () => transaction.terminate();
  }

  #start(request: Request, flow: Flow, heard: Answered, once = false): ClientTransaction {
    const key = clientKey(request);
    const settled = this.#begin();
    const transaction = new ClientTransaction({
      request,
      flow,
      once,
      clock: this.#options.clock,
      user: {
        report: message => {
          const response = message as Response;
          heard(response);
          if (response.status >= 200) settled();
        },
        timeOut: () => heard(null),
      },
      onTerminated: () => {
        this.#transactions.delete(key);
        settled();
      },
      onRetransmission: this.#options.onRetransmission,
    });
    this.#transactions.set(key, transaction);
    return transaction;
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
    this.#options.clock.setTimer(timeoutMs, resolve);
    return promise;
  }

  /** Ends what is left without waiting. */
  close(): void {
    for (const transaction of this.#transactions.values()) transaction.terminate();
  }

  /** Counts a request that waits for an answer, and returns how to count it no longer; that may be called again. */
  #begin(): () => void {
    this.#unanswered++;
    let isWaiting = true;
    return () => {
      if (!isWaiting) return;
      isWaiting = false;
      this.#unanswered--;
      if (this.#unanswered === 0) this.#onSettled();
    };
  }

  #succeeded(response: Response, flow: Flow, dialog: Dialog): void {
    dialog.answered(response);
    if (response.cseq?.method !== 'INVITE') return;
    flow.send(serialise(dialog.acknowledgement(response, this.#options.identifiers.via(flow))));
  }
}
