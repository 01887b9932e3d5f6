import type { Clock } from '../clock.ts';
import { type Header, Request, type Response, serialise } from '../message/index.ts';
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
  readonly onTerminated: () => void;
  readonly onRetransmission: () => void;
}

/** Runs one of the four state machines: looks up what an event means, does it, keeps the timers. */
abstract class Transaction {
  readonly request: Request;
  readonly flow: Flow;
  readonly #table: Table;
  readonly #options: TransactionOptions;
  readonly #timers = new Map<TimerName, unknown>();
  readonly #fired = new Map<TimerName, number>();
  #state: State;
  /** The last message sent, to be sent again. */
  #sent: Buffer | null = null;

  constructor(table: Table, options: TransactionOptions) {
    this.request = options.request;
    this.flow = options.flow;
    this.#table = table;
    this.#options = options;
    this.#state = table.initial;
    for (const action of table.start) this.#act(action, options.request);
  }

  get state(): State {
    return this.#state;
  }

  protected dispatch(event: Event, message: Request | Response): void {
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
    for (const timer of this.#timers.values()) this.#options.clock.clearTimer(timer);
    this.#timers.clear();
    this.#options.onTerminated();
  }

  #act(action: Action, message: Request | Response): void {
    if (action.startsWith('+')) return this.#startTimer(action[1] as TimerName);
    if (action.startsWith('-')) return this.#stopTimer(action[1] as TimerName);
    switch (action) {
      case 'send':
        this.#sent = serialise(message);
        this.flow.send(this.#sent);
        break;
      case 'resend':
        if (this.#sent === null) break;
        this.#options.onRetransmission();
        this.flow.send(this.#sent);
        break;
      case 'acknowledge':
        this.flow.send(serialise(ackToRefusal(this.request, message as Response)));
        break;
      case 'report':
        this.#options.user.report(message);
        break;
      case 'timeOut':
        this.#options.user.timeOut();
    }
  }

  #startTimer(name: TimerName): void {
    const { reliable, unreliable } = TIMERS[name];
    const duration = this.flow.reliable || this.#options.once ? reliable : unreliable;
    if (duration === null) return;
    const fired = this.#fired.get(name) ?? 0;
    // §17.1.2.2: once a provisional response came, a request is sent again every T2.
    const delayMs = name === 'E' && this.#state === 'proceeding' ? T2_MS : duration(fired);
    const fire = () => {
      this.#timers.delete(name);
      this.#fired.set(name, fired + 1);
      this.dispatch(`timer${name}`, this.request);
    };
    this.#timers.set(name, this.#options.clock.setTimer(delayMs, fire));
  }

  #stopTimer(name: TimerName): void {
    this.#options.clock.clearTimer(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

/** A request that came to us, and our responses to it. */
export class ServerTransaction extends Transaction {
  #final: Response | null = null;

  constructor(options: TransactionOptions) {
    super(options.request.method === 'INVITE' ? INVITE_SERVER : NON_INVITE_SERVER, options);
  }

  /** The same request again, or the ACK to our final response. */
  receive(request: Request): void {
    this.dispatch(request.method === 'ACK' ? 'ack' : 'request', request);
  }

  /** Our final response, once there is one. */
  get final(): Response | null {
    return this.#final;
  }

  respond(response: Response): void {
    if (response.status >= 200) this.#final ??= response;
    this.dispatch(responseEvent(response), response);
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
