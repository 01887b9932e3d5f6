import assert from 'node:assert/strict';
import { DigestClient } from '../authentication/index.ts';
import { type Header, Request, type Response, respond } from '../message/index.ts';
import { FakeClock, FakeFlow, makeRequest, type RequestParts } from '../testing.ts';
import { ClientTransaction, ServerTransaction } from '../transaction/index.ts';
import type { CallEnd, Rejection, Reoffer } from '../types.ts';
import { type BranchPorts, type CallTarget, ClientSession, type DialogUsage, SESSION_TIMER } from './index.ts';

export interface CallParts {
  /** Flows of each round; one of one by default. */
  readonly rounds?: readonly (readonly string[])[];
  readonly transport?: 'udp' | 'tcp';
  readonly password?: string;
  readonly headers?: readonly Header[];
  /** Where a redirection to this URI leads. */
  readonly redirections?: Readonly<Record<string, readonly string[]>>;
}

export interface ResponseParts {
  readonly tag?: string;
  readonly headers?: readonly Header[];
  readonly body?: string;
}

/** A call of ours that began at 0, on real transactions, with all that it says to its user and to the network. */
export class CallBench {
  readonly clock = new FakeClock();
  readonly flows = new Map<string, FakeFlow>();
  readonly events: string[] = [];
  readonly usages: DialogUsage[] = [];
  readonly ends: CallEnd[] = [];
  readonly session: ClientSession;
  reinvite: Reoffer | null = null;
  #branches = 0;
  readonly #transactions = new Set<ClientTransaction>();
  readonly #sent = new Map<string, Request[]>();

  constructor(parts: CallParts = {}) {
    const { rounds = [['a']], transport = 'udp', password, headers = [], redirections = {} } = parts;
    const target = (name: string): CallTarget => {
      const flow = new FakeFlow(this.clock, transport, `192.0.2.${name.charCodeAt(0)}`);
      this.flows.set(name, flow);
      return { uri: `sip:bob@${name}`, route: [], flow, isProved: true };
    };
    const tell = (event: string) => this.events.push(`${this.clock.nowMs()} ${event}`);
    this.session = new ClientSession({
      identity: { uri: 'sip:news@192.0.2.1', registration: null },
      invitation: {
        callId: 'call-out',
        localTag: 'ours',
        from: '<sip:news@192.0.2.1>',
        to: '<sip:bob@example.org>',
        localUser: 'news',
        headers,
        digest: password === undefined ? null : new DigestClient({ user: 'news', password }, () => 'nonce'),
      },
      offer: async () => 'our offer',
      targets: async () => rounds.map(round => round.map(target)),
      redirect: async uri => (redirections[uri] ?? []).map(target),
      ringTimeoutMs: 60_000,
      handlers: {
        progress: status => tell(`progress ${status}`),
        accepted: answer => tell(`accepted ${answer}`),
        refused: ({ status }: Rejection) => tell(`refused ${status}`),
        answered: answer => tell(`answered ${answer}`),
        reinvite: request => {
          this.reinvite = request;
        },
        ended: end => {
          tell(`ended by ${end.by}`);
          this.ends.push(end);
        },
      },
      ports: this.#ports(),
      settled: () => tell('settled'),
    });
  }

  /** Lets everything that waits for nothing else happen. */
  settle(): Promise<void> {
    return new Promise(resolve => setImmediate(resolve));
  }

  /** Asks the first round. */
  async start(): Promise<this> {
    await this.session.start();
    return this;
  }

  flow(name = 'a'): FakeFlow {
    return this.flows.get(name)!;
  }

  /** Answers the INVITE that went out last over this flow. */
  respond(status: number, parts: ResponseParts = {}, name = 'a'): void {
    const { tag = `to-${name}`, body = '' } = parts;
    const headers: Header[] = [['contact', `<sip:bob@phone-${name}>`], ...(parts.headers ?? [])];
    if (body !== '') headers.push(['content-type', 'application/sdp']);
    this.answer('INVITE', respond(this.last('INVITE', name), status, { toTag: tag, headers, body: Buffer.from(body) }));
  }

  /** Gives a response to whoever waits for it. */
  answer(method: string, response: Response): void {
    assert.equal(response.cseq?.method, method);
    const branch = response.via!.parameters.get('branch');
    for (const transaction of [...this.#transactions]) {
      const { request } = transaction;
      if (request.method === method && request.via!.parameters.get('branch') === branch) transaction.receive(response);
    }
  }

  /** The last request of this method over this flow. */
  last(method: string, name = 'a'): Request {
    const found = this.sent(name).findLast(each => each.method === method);
    assert.ok(found, `no ${method} over ${name}`);
    return found;
  }

  /** Every request that went out over this flow. */
  sent(name = 'a'): Request[] {
    const before = this.#sent.get(name) ?? [];
    const all = [
      ...before,
      ...this.flow(name)
        .take()
        .filter(each => each instanceof Request),
    ];
    this.#sent.set(name, all);
    return all;
  }

  /** A request of the peer's, in the dialog of this tag. */
  receive(method: string, sequence: number, parts: RequestParts = {}, tag = 'to-a', name = 'a'): FakeFlow {
    const usage = this.usages.find(({ dialog }) => dialog.remoteTag === tag);
    assert.ok(usage, `no dialog with ${tag}`);
    const flow = new FakeFlow(this.clock, this.flow(name).transport);
    const headers: Header[] = parts.body === undefined ? [] : [['content-type', 'application/sdp']];
    const request = makeRequest(method, { from: `<sip:bob@example.org>;tag=${tag}`, sequence, headers, ...parts });
    assert.ok(usage.dialog.receive(request, flow));
    usage.receive(
      new ServerTransaction({
        request,
        flow,
        clock: this.clock,
        user: { report: () => undefined, timeOut: () => undefined },
        onTerminated: () => undefined,
        onRetransmission: () => undefined,
      }),
    );
    return flow;
  }

  happened(): string[] {
    return this.events.splice(0);
  }

  #ports(): BranchPorts {
    const send = (request: Request, flow: FakeFlow, heard: (response: Response | null) => void) => {
      const transaction: ClientTransaction = new ClientTransaction({
        request,
        flow,
        clock: this.clock,
        user: { report: message => heard(message as Response), timeOut: () => heard(null) },
        onTerminated: () => this.#transactions.delete(transaction),
        onRetransmission: () => undefined,
      });
      this.#transactions.add(transaction);
      return () => transaction.terminate();
    };
    const via = () => `SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${++this.#branches}`;
    return {
      clock: this.clock,
      capabilities: [['supported', '100rel, timer']],
      contact: (flow, user) => `<sip:${user}@${flow.localAddress}>`,
      sessionTimer: SESSION_TIMER,
      random: () => 0.5,
      request: (dialog, method, parts, answered) => {
        send(dialog.request(method, via(), parts), dialog.flow as FakeFlow, response => {
          if (response === null || response.status >= 200) answered?.(response);
        });
      },
      ended: usage => this.usages.splice(this.usages.indexOf(usage), 1),
      onRetransmission: () => undefined,
      refer: () => undefined,
      via,
      invite: (request, flow, heard) => send(request, flow as FakeFlow, heard),
      send: (request, flow) => void send(request, flow as FakeFlow, () => undefined),
      begun: usage => this.usages.push(usage),
    };
  }
}
