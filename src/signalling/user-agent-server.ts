import type { Admission, Subscriber } from './admission/index.ts';
import type { Clock } from './clock.ts';
import type { Dialogs, DialogUsage, SessionTimerLimits } from './dialog/index.ts';
import type { Identifiers } from './identifiers.ts';
import { type Request, Response, respond, type ScanError, serialise, withReceived } from './message/index.ts';
import { BACK_LATER, refusal } from './refusal.ts';
import { mergeKey, ServerTransaction, serverKey } from './transaction/index.ts';
import type { Flow } from './transport/index.ts';

/** Serves a request outside a dialog; the subscriber is null for a guest. It must be answered, now or later. */
export type Service = (transaction: ServerTransaction, subscriber: Subscriber | null) => void;

export interface Services {
  /** By method. */
  readonly outside: Readonly<Record<string, Service>>;
  /** A new call; null when it was refused at once. */
  invite(transaction: ServerTransaction, subscriber: Subscriber | null): DialogUsage | null;
  /** In a dialog or not, it is the same text (RFC 3428 §4). */
  message(transaction: ServerTransaction): void;
}

export interface UserAgentServerOptions {
  readonly clock: Clock;
  readonly identifiers: Identifiers;
  readonly admission: Admission;
  readonly sessionTimer: SessionTimerLimits;
  readonly dialogs: Dialogs;
  readonly services: Services;
  /** {@link TRANSACTION_LIMITS} where not said otherwise. */
  readonly transactionLimits?: Partial<TransactionLimits> | undefined;
  readonly onRetransmission: () => void;
}

/** RFC 3261 §19.1.2. */
const DEFAULT_PORT = 5060;

/** Beyond either a flood is under way; its requests are answered and forgotten. */
export interface TransactionLimits {
  /** Not settled: the whole request is held, and what serves it. */
  readonly open: number;
  /** All of them. */
  readonly total: number;
}

/**
 * Over UDP a transaction stays for 32 s after its end (RFC 3261 §17.2.2, RFC 6026 §8.7), and a call has two: these are
 * 3,000 calls a second. One that is settled keeps two and a half kilobytes.
 */
const TRANSACTION_LIMITS: TransactionLimits = { open: 20_000, total: 200_000 };

/** The requests of others and their transactions (RFC 3261 §8.2): each is let in, judged, and handed to who serves it. */
export class UserAgentServer {
  readonly #options: UserAgentServerOptions;
  readonly #transactions = new Map<string, ServerTransaction>();
  /** Which INVITE transaction has this call, to find those that came by two ways. */
  readonly #merges = new Map<string, string>();
  /** Those that are not settled, and whose INVITE it is that a CANCEL may name. */
  readonly #open = new Map<ServerTransaction, DialogUsage | null>();

  constructor(options: UserAgentServerOptions) {
    this.#options = options;
  }

  /** Transactions that have not ended. */
  get size(): number {
    return this.#transactions.size;
  }

  /** Bytes that are no message. */
  receiveNoise({ request, status, reason }: ScanError, flow: Flow): void {
    if (request === null || !this.#options.admission.answersNoise(flow)) return;
    this.#respondStateless(withReceived(request, flow), responseFlow(request, flow), status, { reason });
  }

  /** A request from the network. */
  receive(received: Request, from: Flow): void {
    const { admission, dialogs } = this.#options;
    const request = withReceived(received, from);
    const flow = responseFlow(received, from);
    const key = serverKey(request);
    const known = this.#transactions.get(key);
    if (known !== undefined) {
      if (request.method === 'ACK' && known.refusal !== null) {
        admission.acknowledged(known.request, known.refusal, request, flow);
      }
      return known.receive(request);
    }
    // The ACK to a 2xx has a branch of its own (§17.1.1.2).
    if (request.method === 'ACK') return dialogs.find(request)?.acknowledge(request, flow);
    const admitted = admission.admit(request, flow, this.#isExpected(request));
    if (admitted === 'silence') return;
    if (admitted instanceof Response) return void flow.send(serialise(admitted));
    if (this.#isFlooded) return this.#respondStateless(request, flow, 503, { headers: BACK_LATER });
    this.#serve(key, request, flow, admitted);
  }

  get #isFlooded(): boolean {
    const { open, total } = { ...TRANSACTION_LIMITS, ...this.#options.transactionLimits };
    return this.#open.size >= open || this.#transactions.size >= total;
  }

  /** Ends what is left without waiting. */
  close(): void {
    for (const transaction of this.#transactions.values()) transaction.terminate();
  }

  /** In a dialog of ours, or a CANCEL of what is there: whoever sends it was let in. */
  #isExpected(request: Request): boolean {
    if (request.method === 'CANCEL') return this.#transactions.has(serverKey(request, 'INVITE'));
    return this.#options.dialogs.find(request) !== null;
  }

  /** A request that was not seen before, and is no ACK. */
  #serve(key: string, request: Request, flow: Flow, subscriber: Subscriber | null): void {
    const { clock, identifiers, dialogs, services, sessionTimer, onRetransmission } = this.#options;
    const merge = request.method === 'INVITE' && request.toTag === null ? mergeKey(request) : null;
    const transaction = new ServerTransaction({
      request,
      flow,
      clock,
      // An ACK that repeats its INVITE's branch (RFC 2543, and some of today's phones) is a session's matter as well.
      user: {
        report: ack => dialogs.find(ack as Request)?.acknowledge(ack as Request, flow),
        timeOut: () => undefined,
      },
      onSettled: () => void this.#open.delete(transaction),
      onTerminated: () => {
        this.#open.delete(transaction);
        this.#transactions.delete(key);
        if (merge !== null && this.#merges.get(merge) === key) this.#merges.delete(merge);
      },
      onRetransmission,
    });
    this.#transactions.set(key, transaction);
    this.#open.set(transaction, null);
    // §8.2.2.3: a CANCEL is looked at as it is, whatever it requires.
    if (request.method === 'CANCEL') return this.#cancel(transaction);
    const refused = refusal(request, identifiers.token(), sessionTimer);
    if (refused !== null) return transaction.respond(refused);
    if (request.toTag !== null) return this.#receiveInDialog(transaction);
    if (merge !== null) return this.#invite(transaction, key, merge, subscriber);
    if (request.method === 'MESSAGE') return services.message(transaction);
    const service = services.outside[request.method];
    if (service !== undefined) return service(transaction, subscriber);
    transaction.respond(respond(request, 481, { toTag: identifiers.token() }));
  }

  #invite(transaction: ServerTransaction, key: string, merge: string, subscriber: Subscriber | null): void {
    // §8.2.2.2.
    if (this.#merges.has(merge)) {
      return transaction.respond(respond(transaction.request, 482, { toTag: this.#options.identifiers.token() }));
    }
    this.#merges.set(merge, key);
    const usage = this.#options.services.invite(transaction, subscriber);
    if (usage !== null) this.#belongTo(transaction, usage);
  }

  /** The INVITE of a dialog, which may be answered already. */
  #belongTo(invite: ServerTransaction, usage: DialogUsage): void {
    invite.localTag = usage.dialog.localTag;
    if (!invite.isSettled) this.#open.set(invite, usage);
  }

  #cancel(transaction: ServerTransaction): void {
    const { request } = transaction;
    const invite = this.#transactions.get(serverKey(request, 'INVITE'));
    // §9.2: the same tag as in the response to the INVITE; after a final one there is nothing more to cancel.
    const toTag = invite?.localTag ?? this.#options.identifiers.token();
    transaction.respond(respond(request, invite === undefined ? 481 : 200, { toTag }));
    if (invite !== undefined) this.#open.get(invite)?.cancel(invite);
  }

  #receiveInDialog(transaction: ServerTransaction): void {
    const { request, flow } = transaction;
    const { dialogs, services } = this.#options;
    const usage = dialogs.find(request);
    if (usage === null) return transaction.respond(respond(request, 481));
    if (!usage.dialog.receive(request, flow)) {
      return transaction.respond(respond(request, 500, { reason: 'CSeq is out of order' }));
    }
    if (request.method === 'MESSAGE') return services.message(transaction);
    if (request.method === 'INVITE') this.#belongTo(transaction, usage);
    usage.receive(transaction);
  }

  #respondStateless(request: Request, flow: Flow, status: number, parts: Parameters<typeof respond>[2]): void {
    flow.send(serialise(respond(request, status, { toTag: this.#options.identifiers.token(), ...parts })));
  }
}

/** §18.2.2: over UDP, who does not ask for rport (RFC 3581) gets responses at the port of its Via. */
function responseFlow(request: Request, flow: Flow): Flow {
  const via = request.via!;
  if (flow.toPort === undefined || via.parameters.has('rport')) return flow;
  return flow.toPort(via.port ?? DEFAULT_PORT);
}
