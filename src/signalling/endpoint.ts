import { randomBytes } from 'node:crypto';
import dns from 'node:dns/promises';
import type { WebSocket } from 'ws';
import type { KeyPair } from '../config/index.ts';
import type { Logger } from '../observe/index.ts';
import { Admission, type AdmissionOptions, type GuardLimits, type Subscriber } from './admission/index.ts';
import type { Clock } from './clock.ts';
import { dialogKey, InviteSession, SESSION_TIMER, type SessionPorts, type SessionTimerLimits } from './dialog/index.ts';
import { hostPort, newVia, token } from './identifiers.ts';
import { type Header, type Request, Response, respond, scan, serialise, withReceived } from './message/index.ts';
import { ALLOW, refusal, retryAfter, SDP_TYPE, SUPPORTED } from './refusal.ts';
import { Registrar } from './registrar/index.ts';
import {
  type PlatformAccount,
  Registration,
  type RegistrationPorts,
  type Resolver,
  resolveTargets,
} from './registration/index.ts';
import { answerText, TEXT_TYPE } from './text.ts';
import { mergeKey, ServerTransaction, serverKey } from './transaction/index.ts';
import {
  type Flow,
  type FlowHandlers,
  type ListenOptions,
  type ListenPorts,
  type MostConnections,
  Transports,
  type WebSocketPeer,
} from './transport/index.ts';
import type { SignallingHandlers } from './types.ts';
import { UserAgentClient } from './user-agent-client.ts';

export interface SignallingOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly guests: boolean;
  /** Accounts, which are asked for where guests are not let in; without them nobody can call there. */
  readonly authentication?: AdmissionOptions['authentication'];
  /** How often one source may ask, and what bans it; `GUARD_LIMITS` where not said otherwise. */
  readonly limits?: Partial<GuardLimits>;
  /** Beyond this many a flood is under way; its requests are answered and forgotten. 20,000 by default. */
  readonly mostTransactions?: number;
  readonly handlers: SignallingHandlers;
  /** Of TCP, TLS and WebSocket together. */
  readonly connections?: MostConnections;
  /** Is this the address of a proxy of ours, which speaks for many: no limit of one source is its own. None by default. */
  readonly isTrusted?: ((address: string) => boolean) | undefined;
  /** {@link SESSION_TIMER} by default. */
  readonly sessionTimer?: SessionTimerLimits;
  /** Finds the registrars of foreign platforms; the system's own by default. */
  readonly resolver?: Resolver;
}

const CAPABILITIES: readonly Header[] = [
  ['allow', ALLOW.join(', ')],
  ['supported', SUPPORTED.join(', ')],
];
const ABILITIES: readonly Header[] = [...CAPABILITIES, ['accept', `${SDP_TYPE}, ${TEXT_TYPE}`]];
/** RFC 3261 §19.1.2. */
const DEFAULT_PORT = 5060;

const MOST_TRANSACTIONS = 20_000;
const BACK_LATER = retryAfter(10);

/**
 * The SIP server's face: what comes in on the transports goes through transactions to dialogs, and new calls to the
 * handlers. Everything but the transports runs on the clock that it is given.
 */
export class SignallingEndpoint implements FlowHandlers {
  readonly #options: SignallingOptions;
  readonly #transports: Transports;
  readonly #admission: Admission;
  readonly #registrar: Registrar;
  readonly #registrations: Registration[] = [];
  readonly #servers = new Map<string, ServerTransaction>();
  readonly #client: UserAgentClient;
  /** Which INVITE transaction has this call, to find those that came by two ways. */
  readonly #merges = new Map<string, string>();
  /** By dialog. */
  readonly #sessions = new Map<string, InviteSession>();
  /** Sessions by the transaction of their INVITE, which a CANCEL names. */
  readonly #inviting = new WeakMap<ServerTransaction, InviteSession>();
  readonly #messages = new Map<string, { direction: 'in' | 'out'; transport: string; count: number }>();
  readonly #sessionPorts: SessionPorts;
  readonly #sessionTimer: SessionTimerLimits;
  #draining = false;
  /** Messages that were sent again. */
  #retransmissions = 0;
  #scanErrors = 0;

  constructor(options: SignallingOptions) {
    this.#options = options;
    this.#transports = new Transports({ ...options, handlers: this });
    this.#client = new UserAgentClient(options.clock, () => void this.#retransmissions++);
    const { authentication = null } = options;
    this.#admission = new Admission({ ...options, authentication, key: randomBytes(32) });
    this.#registrar = new Registrar(options);
    this.#sessionTimer = options.sessionTimer ?? SESSION_TIMER;
    this.#sessionPorts = {
      clock: options.clock,
      capabilities: CAPABILITIES,
      contact: (flow, user) => {
        const userInfo = user === '' ? '' : `${encodeURIComponent(user)}@`;
        // RFC 7118 §5.2.2: URIs have one name for WebSocket, with TLS and without.
        const transport = flow.transport === 'wss' ? 'ws' : flow.transport;
        return `<sip:${userInfo}${hostPort(flow)};transport=${transport}>`;
      },
      sessionTimer: this.#sessionTimer,
      random: Math.random,
      request: (dialog, method, parts, answered) => {
        const { flow } = dialog;
        this.#client.request(dialog.request(method, newVia(flow), parts), flow, dialog, answered);
      },
      ended: session => void this.#sessions.delete(session.dialog.key),
      onRetransmission: () => void this.#retransmissions++,
    };
  }

  /** Opens the sockets and tells their ports. Rejects with LISTEN_FAILED. */
  listen(options: ListenOptions): Promise<ListenPorts> {
    return this.#transports.listen(options);
  }

  /** TLS connections from now on get this certificate. */
  renewCertificate(pair: KeyPair): void {
    this.#transports.renew(pair);
  }

  /** Counts a connection that may become a WebSocket: returns how to let it go, or null when it is one too many. */
  admitConnection(remoteAddress: string): (() => void) | null {
    return this.#transports.admitConnection(remoteAddress);
  }

  /** Speaks SIP with a browser whose WebSocket is open. */
  acceptWebSocket(socket: WebSocket, peer: WebSocketPeer): void {
    this.#transports.acceptWebSocket(socket, peer);
  }

  /** Keeps a channel registered with a foreign platform, as one of its subscribers, until `drain` takes it off. */
  register(account: PlatformAccount, changed: RegistrationPorts['changed']): void {
    const { clock, resolver = dns } = this.#options;
    const registration = new Registration(account, {
      clock,
      random: Math.random,
      token,
      resolve: ({ host, port }) => resolveTargets(host, port, resolver, Math.random),
      flow: ({ address, port }) => this.#transports.udpFlow(address, port),
      via: newVia,
      contact: this.#sessionPorts.contact,
      request: (request, flow, answered) => this.#client.request(request, flow, null, answered),
      changed,
    });
    this.#registrations.push(registration);
    registration.start();
  }

  /** With foreign platforms, in the order in which they were asked for. */
  get registrations(): readonly Registration[] {
    return this.#registrations;
  }

  /** From now on new calls are refused with 503; those that run go on. */
  drain(): void {
    this.#draining = true;
    for (const registration of this.#registrations) registration.stop();
  }

  /** Resolves when our own requests (the BYEs of a shutdown) are answered, or after this long. */
  settle(timeoutMs: number): Promise<void> {
    return this.#client.settle(timeoutMs);
  }

  /** Ends what is left without waiting and closes the sockets. */
  close(): void {
    this.#draining = true;
    for (const session of [...this.#sessions.values()]) session.abandon('the server closes');
    for (const transaction of this.#servers.values()) transaction.terminate();
    this.#client.close();
    this.#transports.close();
  }

  /** Messages since the start, by direction and transport. */
  get messages(): readonly { direction: 'in' | 'out'; transport: string; count: number }[] {
    return [...this.#messages.values()];
  }

  get sizes() {
    return {
      serverTransactions: this.#servers.size,
      clientTransactions: this.#client.size,
      dialogs: this.#sessions.size,
      registrations: this.#registrar.size,
      webSockets: this.#transports.webSockets,
      retransmissions: this.#retransmissions,
      scanErrors: this.#scanErrors,
      ...this.#admission.counts,
    };
  }

  /** A whole message from a transport. */
  receive(flow: Flow, bytes: Buffer): void {
    this.#count('in', flow);
    const result = scan(bytes);
    if (!result.ok) {
      this.#scanErrors++;
      const { request, status, reason } = result.error;
      if (request === null || !this.#admission.answersNoise(flow)) return;
      return this.#respondStateless(withReceived(request, flow), this.#responseFlow(request, flow), status, { reason });
    }
    const { message } = result;
    if (message instanceof Response) return this.#client.receive(message);
    this.#receiveRequest(withReceived(message, flow), this.#responseFlow(message, flow));
  }

  closed(flow: Flow): void {
    for (const session of this.#sessions.values()) if (session.dialog.flow === flow) session.disconnected();
  }

  sent(flow: Flow): void {
    this.#count('out', flow);
  }

  /** §18.2.2: over UDP, who does not ask for rport (RFC 3581) gets responses at the port of its Via. */
  #responseFlow(request: Request, flow: Flow): Flow {
    const via = request.via!;
    if (flow.toPort === undefined || via.parameters.has('rport')) return flow;
    return flow.toPort(via.port ?? DEFAULT_PORT);
  }

  #receiveRequest(request: Request, flow: Flow): void {
    const key = serverKey(request);
    const known = this.#servers.get(key);
    if (known !== undefined) {
      if (request.method === 'ACK' && known.final !== null) {
        this.#admission.acknowledged(known.request, known.final, request, flow);
      }
      return known.receive(request);
    }
    // The ACK to a 2xx has a branch of its own (§17.1.1.2).
    if (request.method === 'ACK') return this.#findSession(request)?.acknowledge(request, flow);
    const admitted = this.#admission.admit(request, flow, this.#isExpected(request));
    if (admitted === 'silence') return;
    if (admitted instanceof Response) return void flow.send(serialise(admitted));
    if (this.#servers.size >= (this.#options.mostTransactions ?? MOST_TRANSACTIONS)) {
      return this.#respondStateless(request, flow, 503, { headers: BACK_LATER });
    }
    this.#serve(key, request, flow, admitted);
  }

  /** In a dialog of ours, or a CANCEL of what is there: whoever sends it was let in. */
  #isExpected(request: Request): boolean {
    if (request.method === 'CANCEL') return this.#servers.has(serverKey(request, 'INVITE'));
    return this.#findSession(request) !== null;
  }

  /** A request that was not seen before, and is no ACK. */
  #serve(key: string, request: Request, flow: Flow, subscriber: Subscriber | null): void {
    const { clock } = this.#options;
    const merge = request.method === 'INVITE' && request.toTag === null ? mergeKey(request) : null;
    const transaction = new ServerTransaction({
      request,
      flow,
      clock,
      // An ACK that repeats its INVITE's branch (RFC 2543, and some of today's phones) is a session's matter as well.
      user: {
        report: ack => void this.#findSession(ack as Request)?.acknowledge(ack as Request, flow),
        timeOut: () => undefined,
      },
      onTerminated: () => {
        this.#servers.delete(key);
        if (merge !== null && this.#merges.get(merge) === key) this.#merges.delete(merge);
      },
      onRetransmission: () => void this.#retransmissions++,
    });
    this.#servers.set(key, transaction);
    // §8.2.2.3: a CANCEL is looked at as it is, whatever it requires.
    if (request.method === 'CANCEL') return this.#cancel(transaction);
    const refused = refusal(request, token(), this.#sessionTimer);
    if (refused !== null) return transaction.respond(refused);
    if (request.toTag !== null) return this.#receiveInDialog(transaction);
    if (request.method === 'INVITE') return this.#invite(transaction, key, merge!);
    if (request.method === 'REGISTER') {
      return transaction.respond(this.#registrar.register(request, token(), subscriber));
    }
    if (request.method === 'OPTIONS') return this.#options200(transaction);
    if (request.method === 'MESSAGE') return this.#text(transaction);
    transaction.respond(respond(request, 481, { toTag: token() }));
  }

  #invite(transaction: ServerTransaction, key: string, merge: string): void {
    const { request } = transaction;
    if (this.#merges.has(merge)) return transaction.respond(respond(request, 482, { toTag: token() }));
    if (this.#draining) return this.#comeBack(transaction);
    this.#merges.set(merge, key);
    const session = new InviteSession(transaction, token(), this.#sessionPorts);
    this.#sessions.set(session.dialog.key, session);
    this.#inviting.set(transaction, session);
    // §17.2.1: whoever needs longer than 200 ms says so; saying it always spares a timer for each call.
    transaction.respond(respond(request, 100));
    this.#options.handlers.invite(session);
  }

  #cancel(transaction: ServerTransaction): void {
    const { request } = transaction;
    const invite = this.#servers.get(serverKey(request, 'INVITE'));
    if (invite === undefined) return transaction.respond(respond(request, 481, { toTag: token() }));
    const session = this.#inviting.get(invite);
    transaction.respond(respond(request, 200, { toTag: session?.dialog.localTag ?? token() }));
    // §9.2: after a final response it changes nothing.
    session?.cancel();
  }

  #receiveInDialog(transaction: ServerTransaction): void {
    const { request, flow } = transaction;
    const session = this.#findSession(request);
    if (session === null) return transaction.respond(respond(request, 481));
    if (!session.dialog.receive(request, flow)) {
      return transaction.respond(respond(request, 500, { reason: 'CSeq is out of order' }));
    }
    if (request.method === 'MESSAGE') return this.#text(transaction);
    session.receive(transaction);
  }

  /** While we drain, another server may take it. */
  #comeBack(transaction: ServerTransaction): void {
    transaction.respond(respond(transaction.request, 503, { toTag: token(), headers: BACK_LATER }));
  }

  #text(transaction: ServerTransaction): void {
    transaction.respond(answerText(transaction.request, token(), this.#options.handlers));
  }

  #options200(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (this.#draining) return this.#comeBack(transaction);
    transaction.respond(respond(request, 200, { toTag: token(), headers: ABILITIES }));
  }

  #findSession(request: Request): InviteSession | null {
    const localTag = request.toTag;
    return localTag === null
      ? null
      : (this.#sessions.get(dialogKey(request.callId, localTag, request.fromTag)) ?? null);
  }

  #respondStateless(request: Request, flow: Flow, status: number, parts: Parameters<typeof respond>[2]): void {
    flow.send(serialise(respond(request, status, { toTag: token(), ...parts })));
  }

  #count(direction: 'in' | 'out', { transport }: Flow): void {
    const key = `${direction} ${transport}`;
    const entry = this.#messages.get(key) ?? { direction, transport, count: 0 };
    entry.count++;
    this.#messages.set(key, entry);
  }
}
