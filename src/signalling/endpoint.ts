import { randomBytes, randomFillSync } from 'node:crypto';
import dns from 'node:dns/promises';
import type { WebSocket } from 'ws';
import type { KeyPair } from '../config/index.ts';
import type { Logger } from '../observe/index.ts';
import { Admission, type AdmissionOptions, type GuardLimits, type Subscriber } from './admission/index.ts';
import type { Clock } from './clock.ts';
import { contactOf } from './contact.ts';
import {
  type BranchPorts,
  Dialogs,
  type DialogUsage,
  replacedBy,
  SESSION_TIMER,
  ServerSession,
  type SessionTimerLimits,
} from './dialog/index.ts';
import { Identifiers } from './identifiers.ts';
import { type Header, parseUri, Response, respond, scan } from './message/index.ts';
import { NextHops } from './next-hops.ts';
import { OutgoingCalls } from './outgoing-calls.ts';
import { Platforms } from './platforms.ts';
import { Referrals } from './referral/index.ts';
import { ALLOW, BACK_LATER, SDP_TYPE, SUPPORTED } from './refusal.ts';
import { Registrar } from './registrar/index.ts';
import type { PlatformAccount, Registration, RegistrationPorts } from './registration/index.ts';
import { type NextHop, type Resolver, resolveTargets } from './resolution/index.ts';
import { dialogInfo, Notifier, presence } from './subscription/index.ts';
import { answerText, TEXT_TYPE } from './text.ts';
import type { Trace } from './trace/index.ts';
import type { ServerTransaction } from './transaction/index.ts';
import {
  type Flow,
  type FlowHandlers,
  type ListenOptions,
  type ListenPorts,
  type MostConnections,
  Transports,
  type WebSocketPeer,
} from './transport/index.ts';
import type { CallIdentity, CallRequest, OutgoingCall, SignallingHandlers } from './types.ts';
import { UserAgentClient } from './user-agent-client.ts';
import { UserAgentServer, type UserAgentServerOptions } from './user-agent-server.ts';

export interface SignallingOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly guests: boolean;
  /** Accounts, which are asked for where guests are not let in; without them nobody can call there. */
  readonly authentication?: AdmissionOptions['authentication'] | undefined;
  /** How often one source may ask, and what bans it; `GUARD_LIMITS` where not said otherwise. */
  readonly limits?: Partial<GuardLimits>;
  readonly transactionLimits?: UserAgentServerOptions['transactionLimits'];
  readonly handlers: SignallingHandlers;
  /** Of TCP, TLS and WebSocket together. */
  readonly connections?: MostConnections;
  /** Is this the address of a proxy of ours, which speaks for many: no limit of one source is its own. None by default. */
  readonly isTrusted?: ((address: string) => boolean) | undefined;
  /** {@link SESSION_TIMER} by default. */
  readonly sessionTimer?: SessionTimerLimits;
  /** Finds the servers of others; the system's own by default. */
  readonly resolver?: Resolver;
  /** Sees every message, and which of them are calls. */
  readonly trace?: Trace;
}

const EVENT_PACKAGES = [presence, dialogInfo];
const CAPABILITIES: readonly Header[] = [
  ['allow', ALLOW.join(', ')],
  ['supported', SUPPORTED.join(', ')],
  ['allow-events', EVENT_PACKAGES.map(({ name }) => name).join(', ')],
];
const ABILITIES: readonly Header[] = [...CAPABILITIES, ['accept', `${SDP_TYPE}, ${TEXT_TYPE}`]];

/**
 * The SIP server's face: what comes in on the transports goes through transactions to dialogs, and new calls to the
 * handlers. Everything but the transports runs on the clock that it is given.
 */
export class SignallingEndpoint implements FlowHandlers {
  readonly #options: SignallingOptions;
  readonly #identifiers = new Identifiers(randomFillSync);
  readonly #transports: Transports;
  readonly #admission: Admission;
  readonly #registrar: Registrar;
  readonly #platforms: Platforms;
  readonly #server: UserAgentServer;
  readonly #client: UserAgentClient;
  readonly #dialogs = new Dialogs();
  readonly #messages = new Map<string, { direction: 'in' | 'out'; transport: string; count: number }>();
  readonly #sessionPorts: BranchPorts;
  readonly #outgoing: OutgoingCalls;
  readonly #notifier: Notifier;
  readonly #referrals: Referrals;
  #draining = false;
  /** Messages that were sent again. */
  #retransmissions = 0;
  #scanErrors = 0;
  #faults = 0;

  constructor(options: SignallingOptions) {
    this.#options = options;
    this.#transports = new Transports({ ...options, random: Math.random, handlers: this });
    this.#client = new UserAgentClient({
      clock: options.clock,
      identifiers: this.#identifiers,
      reach: dialog => nextHops.reach(dialog),
      onRetransmission: () => void this.#retransmissions++,
    });
    const { authentication = null } = options;
    this.#admission = new Admission({ ...options, authentication, key: randomBytes(32) });
    this.#registrar = new Registrar({ ...options, key: randomBytes(32) });
    const { sessionTimer = SESSION_TIMER } = options;
    this.#sessionPorts = {
      refer: (transaction, session) => this.#referrals.receive(transaction, session),
      clock: options.clock,
      capabilities: CAPABILITIES,
      contact: contactOf,
      sessionTimer,
      random: Math.random,
      request: (dialog, method, parts, answered) => this.#client.requestInDialog(dialog, method, parts, answered),
      ended: usage => {
        this.#dialogs.remove(usage);
        options.trace?.end(usage.dialog.callId);
      },
      onRetransmission: () => void this.#retransmissions++,
      via: flow => this.#identifiers.via(flow),
      invite: (...args) => this.#client.invite(...args),
      send: (request, flow) => this.#client.request(request, flow, null),
      begun: usage => this.#begun(usage),
    };
    const { isTrusted = () => false, resolver = dns } = options;
    const resolve = (hop: NextHop) => resolveTargets(hop, resolver, Math.random);
    this.#platforms = new Platforms({
      clock: options.clock,
      random: Math.random,
      token: () => this.#identifiers.token(),
      resolve,
      connect: (target, authorities) => this.#transports.connect(target, authorities),
      via: flow => this.#identifiers.via(flow),
      contact: (flow, user) => contactOf(flow, user, false),
      request: (request, flow, answered) => this.#client.request(request, flow, null, answered),
    });
    const nextHops = new NextHops({
      transports: this.#transports,
      registrar: this.#registrar,
      platforms: this.#platforms,
      resolve,
      isTrusted,
    });
    this.#outgoing = new OutgoingCalls({
      ports: this.#sessionPorts,
      registrar: this.#registrar,
      guests: options.guests,
      resolve,
      connect: target => this.#transports.connect(target),
      isTrusted,
      token: () => this.#identifiers.token(),
      trace: options.trace,
    });
    this.#referrals = new Referrals(this.#sessionPorts);
    this.#notifier = new Notifier({
      packages: EVENT_PACKAGES,
      ports: this.#sessionPorts,
      dialogs: this.#dialogs,
      look: target => options.handlers.look?.(target) ?? null,
      token: () => this.#identifiers.token(),
      isTrusted,
    });
    this.#server = new UserAgentServer({
      clock: options.clock,
      identifiers: this.#identifiers,
      admission: this.#admission,
      sessionTimer,
      dialogs: this.#dialogs,
      services: {
        outside: {
          REGISTER: (transaction, subscriber) => {
            transaction.respond(
              this.#registrar.register(transaction.request, transaction.flow, this.#identifiers.token(), subscriber),
            );
          },
          SUBSCRIBE: (transaction, subscriber) => this.#notifier.subscribe(transaction, subscriber),
          // Who is in no call with us may have nobody called.
          REFER: transaction =>
            transaction.respond(respond(transaction.request, 403, { toTag: this.#identifiers.token() })),
          OPTIONS: transaction => this.#tellAbilities(transaction),
        },
        invite: (transaction, subscriber) => this.#invite(transaction, subscriber),
        message: transaction =>
          transaction.respond(answerText(transaction.request, this.#identifiers.token(), options.handlers)),
      },
      transactionLimits: options.transactionLimits,
      onRetransmission: () => void this.#retransmissions++,
    });
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
    this.#platforms.register(account, changed);
  }

  /** With foreign platforms, in the order in which they were asked for. */
  get registrations(): readonly Registration[] {
    return this.#platforms.registrations;
  }

  /** May somebody be called with this identity. */
  mayCall(to: string, identity: CallIdentity): boolean {
    return this.#outgoing.mayCall(to, identity);
  }

  /** Calls somebody who is registered here, or with the platform that the call's identity belongs to. */
  call(request: CallRequest): OutgoingCall {
    return this.#outgoing.call(request);
  }

  /** What there is to see of the target of this name is, or may be, another than before. */
  watchedChanged(name: string): void {
    this.#notifier.changed(name);
  }

  /** From now on new calls are refused with 503; those that run go on. Who watches is told to come back later. */
  drain(): void {
    this.#draining = true;
    this.#notifier.drain();
    this.#platforms.stop();
  }

  /** Resolves when our own requests (the BYEs of a shutdown) are answered, or after this long. */
  settle(timeoutMs: number): Promise<void> {
    return this.#client.settle(timeoutMs);
  }

  /** Ends what is left without waiting and closes the sockets. */
  close(): void {
    this.#draining = true;
    this.#outgoing.abandon('the server closes');
    this.#dialogs.abandon('the server closes');
    this.#server.close();
    this.#client.close();
    this.#transports.close();
  }

  /** Messages since the start, by direction and transport. */
  get messages(): readonly { direction: 'in' | 'out'; transport: string; count: number }[] {
    return [...this.#messages.values()];
  }

  get sizes() {
    return {
      serverTransactions: this.#server.size,
      clientTransactions: this.#client.size,
      dialogs: this.#dialogs.size,
      registrations: this.#registrar.size,
      subscriptions: this.#notifier.size,
      webSockets: this.#transports.webSockets,
      retransmissions: this.#retransmissions,
      scanErrors: this.#scanErrors,
      faults: this.#faults,
      ...this.#admission.counts,
    };
  }

  /** A whole message from a transport. A fault of ours in serving it costs that message, and nobody else's call. */
  receive(flow: Flow, bytes: Buffer): void {
    this.#count('in', flow);
    this.#options.trace?.see('in', flow, bytes);
    try {
      this.#receive(flow, bytes);
    } catch (error) {
      this.#faults++;
      this.#options.log.error({ err: error, transport: flow.transport }, 'a SIP message could not be served');
    }
  }

  closed(flow: Flow): void {
    this.#outgoing.disconnected(flow);
    this.#dialogs.disconnected(flow);
    this.#platforms.disconnected(flow);
  }

  sent(flow: Flow, bytes: Buffer): void {
    this.#count('out', flow);
    this.#options.trace?.see('out', flow, bytes);
  }

  #receive(flow: Flow, bytes: Buffer): void {
    const result = scan(bytes);
    if (!result.ok) {
      this.#scanErrors++;
      return this.#server.receiveNoise(result.error, flow);
    }
    const { message } = result;
    if (message instanceof Response) this.#client.receive(message);
    else this.#server.receive(message, flow);
  }

  #invite(transaction: ServerTransaction, subscriber: Subscriber | null): ServerSession | null {
    if (this.#draining) {
      this.#comeBack(transaction);
      return null;
    }
    const user = subscriber?.user ?? null;
    const found = replacedBy(transaction.request, user, this.#dialogs);
    if ('status' in found) {
      const { status, reason } = found;
      transaction.respond(respond(transaction.request, status, { toTag: this.#identifiers.token(), reason }));
      return null;
    }
    const session = new ServerSession({
      invite: transaction,
      localTag: this.#identifiers.token(),
      subscriber: user,
      replaced: found.replaced,
      registration: this.#platforms.of(parseUri(transaction.request.uri)?.user, transaction.flow),
      ports: this.#sessionPorts,
    });
    this.#begun(session);
    this.#options.handlers.invite(session);
    return session;
  }

  /** A dialog of a call has begun; our tag in it is the call's id. */
  #begun(usage: DialogUsage): void {
    this.#dialogs.add(usage);
    this.#options.trace?.begin(usage.dialog.localTag, usage.dialog.callId);
  }

  /** While we drain, another server may take it. */
  #comeBack(transaction: ServerTransaction): void {
    transaction.respond(respond(transaction.request, 503, { toTag: this.#identifiers.token(), headers: BACK_LATER }));
  }

  #tellAbilities(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (this.#draining) return this.#comeBack(transaction);
    transaction.respond(respond(request, 200, { toTag: this.#identifiers.token(), headers: ABILITIES }));
  }

  #count(direction: 'in' | 'out', { transport }: Flow): void {
    const key = `${direction} ${transport}`;
    const entry = this.#messages.get(key) ?? { direction, transport, count: 0 };
    entry.count++;
    this.#messages.set(key, entry);
  }
}
