import type { Clock } from '../clock.ts';
import { type Header, Request, type Response, respond, serialise } from '../message/index.ts';
import type { Flow } from '../transport/index.ts';
import {
  type Action,
  type Event,
  INVITE_CLIENT,
  INVITE_SERVER,
  NON_INVITE_CLIENT,
  NON_INVITE_SERVER,
  type State,
  type Table,
} from './tables.ts';
import { T2_MS, TIMERS, type TimerName } from './timers.ts';

export interface TransactionUser {
  /** Client: a response. Server: the ACK to a 2xx. */
  report(message: Request | Response): void;
  /** No answer, or no ACK to a refusal, in time. */
  timeOut(): void;
}

export interface TransactionOptions {
  readonly request: Request;
  readonly flow: Flow;
  readonly clock: Clock;
  /** Client: the request is not sent again, whatever the transport. */
  readonly once?: boolean;
  readonly user: TransactionUser;
  /** Server: answered, and a refusal of an INVITE acknowledged. Comes before `onTerminated`, if at all. */
  readonly onSettled?: () => void;
  readonly onTerminated: () => void;
  readonly onRetransmission: () => void;
}

/**
 * Runs one of the four state machines: looks up what an event means, does it, keeps the timers. Most of its life it only
 * waits for what may come late, and there are many that do: it keeps no more than that takes.
 */
abstract class Transaction {
  readonly flow: Flow;
  readonly #table: Table;
  /** Does what may be lost go out again. */
  readonly #isRepeated: boolean;
  readonly #clock: Clock;
  readonly #user: TransactionUser;
  readonly #onSettled: (() => void) | undefined;
  readonly #onTerminated: () => void;
  readonly #onRetransmission: () => void;
  readonly #timers: Partial<Record<TimerName, unknown>> = {};
  /** How often its timer of retransmission has fired; no machine has two of them. */
  #fired = 0;
  #state: State;
  #request: Request | null;
  /** The last message sent, to be sent again. */
  #sent: Buffer | null = null;

  constructor(table: Table, options: TransactionOptions) {
    this.flow = options.flow;
    this.#table = table;
    this.#isRepeated = !options.flow.reliable && !options.once;
    this.#clock = options.clock;
    this.#user = options.user;
    this.#onSettled = options.onSettled;
    this.#onTerminated = options.onTerminated;
    this.#onRetransmission = options.onRetransmission;
    this.#request = options.request;
    this.#state = table.initial;
    for (const action of table.start) this.#act(action, options.request);
  }

  get state(): State {
    return this.#state;
  }

  /** Nothing more is expected, neither of us nor of the peer. */
  get isSettled(): boolean {
    return this.#request === null;
  }

  /** Forgotten once it is settled. */
  get request(): Request {
    if (this.#request === null) throw new Error('the request was answered and is forgotten');
    return this.#request;
  }

  protected dispatch(event: Event, message: Request | Response | null): void {
    const rule = this.#table.states[this.#state]?.[event];
    if (rule === undefined) return;
    const [next, ...actions] = rule;
    this.#state = next;
    for (const action of actions) this.#act(action, message);
    if (next === 'terminated') this.terminate();
  }

  /** Ends it without another word. */
  terminate(): void {
    this.#state = 'terminated';
    for (const timer of Object.values(this.#timers)) this.#clock.clearTimer(timer);
    this.#onTerminated();
  }

  #act(action: Action, message: Request | Response | null): void {
    if (action.startsWith('+')) return this.#startTimer(action[1] as TimerName);
    if (action.startsWith('-')) return this.#stopTimer(action[1] as TimerName);
    switch (action) {
      case 'send':
        this.#sent = serialise(message!);
        this.flow.send(this.#sent);
        break;
      case 'resend':
        if (this.#sent === null) break;
        this.#onRetransmission();
        this.flow.send(this.#sent);
        break;
      case 'sendOnce':
        this.#sent = null;
        this.flow.send(serialise(message!));
        break;
      case 'try':
        return this.#act('send', respond(this.request, 100));
      case 'settle':
        this.#request = null;
        this.#onSettled?.();
        break;
      case 'acknowledge':
        this.flow.send(serialise(ackToRefusal(this.request, message as Response)));
        break;
      case 'report':
        this.#user.report(message!);
        break;
      case 'timeOut':
        this.#user.timeOut();
    }
  }

  #startTimer(name: TimerName): void {
    const { unreliable, reliable } = TIMERS[name];
    const duration = this.#isRepeated ? unreliable : reliable;
    if (duration === null) return;
    // §17.1.2.2: once a provisional response came, a request is sent again every T2.
    const delayMs = name === 'E' && this.#state === 'proceeding' ? T2_MS : duration(this.#fired);
    this.#timers[name] = this.#clock.setTimer(delayMs, () => {
      this.#timers[name] = undefined;
      if (reliable === null) this.#fired++;
      this.dispatch(`timer${name}`, null);
    });
  }

  #stopTimer(name: TimerName): void {
    this.#clock.clearTimer(this.#timers[name]);
    this.#timers[name] = undefined;
  }
}

/** A request that came to us, and our responses to it. */
export class ServerTransaction extends Transaction {
  /** Ours in the dialog of an INVITE, once that has one: a CANCEL is answered with the same (§9.2). */
  localTag: string | null = null;
  #refusal: Response | null = null;

  constructor(options: TransactionOptions) {
    super(options.request.method === 'INVITE' ? INVITE_SERVER : NON_INVITE_SERVER, options);
  }

  /** Our refusal of an INVITE, until its ACK is here. */
  get refusal(): Response | null {
    return this.#refusal;
  }

  /** The same request again, or the ACK to our final response. */
  receive(request: Request): void {
    this.dispatch(request.method === 'ACK' ? 'ack' : 'request', request);
    if (this.isSettled) this.#refusal = null;
  }

  respond(response: Response): void {
    this.dispatch(responseEvent(response), response);
    if (response.status >= 300 && !this.isSettled) this.#refusal ??= response;
  }
}

/** A request of ours; it is sent at construction. */
export class ClientTransaction extends Transaction {
  constructor(options: TransactionOptions) {
    super(options.request.method === 'INVITE' ? INVITE_CLIENT : NON_INVITE_CLIENT, options);
  }

  receive(response: Response): void {
    this.dispatch(responseEvent(response), response);
  }
}

function responseEvent({ status }: Response): Event {
  if (status < 200) return 'provisional';
  return status < 300 ? 'success' : 'failure';
}

/** RFC 3261 §17.1.1.3. */
function ackToRefusal(invite: Request, refusal: Response): Request {
  const cseq = `${invite.cseq!.number} ACK`;
  const headers: Header[] = [
    ['via', invite.list('via')[0]!],
    ['from', invite.get('from')!],
    ['to', refusal.get('to')!],
    ['call-id', invite.callId],
    ['cseq', cseq],
    ['max-forwards', '70'],
    ...invite.headers.filter(([name]) => name === 'route'),
  ];
  return new Request('ACK', invite.uri, headers);
}
