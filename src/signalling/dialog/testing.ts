import assert from 'node:assert/strict';
import { type Header, type Request, type Response, respond } from '../message/index.ts';
import { FakeClock, FakeFlow, makeInvite, makeRequest, type RequestParts } from '../testing.ts';
import { ServerTransaction } from '../transaction/index.ts';
import type { CallEnd, Reoffer } from '../types.ts';
import { SESSION_TIMER, ServerSession, type SessionPorts } from './index.ts';

const TO = '<sip:news@192.0.2.1>;tag=ours';

/** A session whose INVITE came at 0, with all that it says to its user and to the network. */
export class SessionBench {
  readonly clock = new FakeClock();
  readonly flow: FakeFlow;
  readonly events: string[] = [];
  readonly ends: CallEnd[] = [];
  /** Requests of ours, as the dialog makes them. */
  readonly requests: Request[] = [];
  readonly session: ServerSession;
  readonly invite: ServerTransaction;
  reinvite: Reoffer | null = null;
  over = 0;
  #answered: ((response: Response | null) => void) | undefined;
  retransmissions = 0;

  constructor(transport: 'udp' | 'tcp' | 'ws' = 'udp', invite = makeInvite()) {
    this.flow = new FakeFlow(this.clock, transport);
    this.invite = this.transaction(invite);
    const ports: SessionPorts = {
      clock: this.clock,
      capabilities: [['allow', 'INVITE, BYE']],
      contact: (flow, user) => `<sip:${user}@${flow.localAddress}>`,
      sessionTimer: SESSION_TIMER,
      random: () => 0.5,
      request: (dialog, method, parts, answered) => {
        this.requests.push(dialog.request(method, 'SIP/2.0/UDP us', parts));
        this.#answered = answered;
        this.events.push(`${this.clock.nowMs()} sends ${method}`);
      },
      ended: () => this.over++,
      onRetransmission: () => this.retransmissions++,
      refer: () => undefined,
    };
    this.session = new ServerSession({
      invite: this.invite,
      localTag: 'ours',
      subscriber: null,
      replaced: null,
      registration: null,
      ports,
    });
    this.session.handlers = {
      cancelled: () => this.events.push(`${this.clock.nowMs()} cancelled`),
      answered: answer => this.events.push(`${this.clock.nowMs()} answered ${answer}`),
      acknowledged: () => this.events.push(`${this.clock.nowMs()} acknowledged`),
      reinvite: request => {
        this.reinvite = request;
      },
      pressed: key => this.events.push(`pressed ${key}`),
      ended: end => {
        this.events.push(`${this.clock.nowMs()} ended`);
        this.ends.push(end);
      },
    };
  }

  transaction(request: Request, flow: FakeFlow = this.flow): ServerTransaction {
    return new ServerTransaction({
      request,
      flow,
      clock: this.clock,
      user: { report: ack => this.session.acknowledge(ack as Request, flow), timeOut: () => undefined },
      onTerminated: () => undefined,
      onRetransmission: () => undefined,
    });
  }

  acknowledge(sequence = 1, flow: FakeFlow = this.flow, body = ''): void {
    const headers: Header[] = body === '' ? [] : [['content-type', 'application/sdp']];
    this.session.acknowledge(makeRequest('ACK', { to: TO, sequence, headers, body }), flow);
  }

  /** A request in the dialog, as the endpoint hands it over. */
  receive(method: string, sequence: number, parts: RequestParts = {}, flow: FakeFlow = this.flow): ServerTransaction {
    const common = { to: TO, sequence, branch: `z9hG4bK-${method}-${sequence}`, ...parts };
    const headers: Header[] = common.body === undefined ? [] : [['content-type', 'application/sdp']];
    const request = method === 'INVITE' ? makeInvite(common) : makeRequest(method, { headers, ...common });
    assert.ok(this.session.dialog.receive(request, flow));
    const transaction = this.transaction(request, flow);
    this.session.receive(transaction);
    return transaction;
  }

  /** The peer's answer to our last request; null when none came in time. */
  answer(status: number | null, headers: readonly Header[] = []): void {
    this.#answered?.(status === null ? null : respond(this.requests.at(-1)!, status, { headers }));
  }

  /** Accepted and acknowledged. */
  running(): this {
    this.session.accept('answer');
    this.acknowledge();
    this.flow.take();
    this.events.length = 0;
    return this;
  }
}
