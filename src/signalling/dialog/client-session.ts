import { parseNameAddr, type Response } from '../message/index.ts';
import type { Flow } from '../transport/index.ts';
import type {
  CallIdentity,
  CallPeer,
  CallRequest,
  EndCause,
  OutgoingCall,
  OutgoingCallHandlers,
  Rejection,
} from '../types.ts';
import {
  ANSWERED_ELSEWHERE,
  type BranchPorts,
  type CallTarget,
  type Invitation,
  InviteBranch,
} from './invite-branch.ts';
import type { Session } from './session.ts';

export interface ClientSessionOptions {
  readonly identity: CallIdentity;
  readonly invitation: Omit<Invitation, 'offer'>;
  readonly offer: CallRequest['offer'];
  /** Never rejects. */
  readonly targets: () => Promise<CallTargets>;
  /** Where a redirection leads; empty where it may not. Never rejects. */
  readonly redirect: (uri: string) => Promise<readonly CallTarget[]>;
  readonly ringTimeoutMs: number;
  readonly handlers: OutgoingCallHandlers;
  readonly ports: BranchPorts;
  /** Nothing of it waits any more, except what its dialog has of its own. */
  readonly settled: () => void;
}

/** Where to ask: those of one round at once, the next round when all of them have refused. Or why nobody is asked. */
export type CallTargets = readonly (readonly CallTarget[])[] | Rejection;

/** Of one redirection; and nobody is redirected twice. */
const MOST_CONTACTS = 4;
const NOBODY: Rejection = { status: 480, reason: 'Nobody can be reached' };

/**
 * A session as UAC: asks in every place where somebody may be, takes the first who answers, and tells the others that
 * it did (RFC 3261 §13.2, §16.7 for what comes of several answers).
 */
export class ClientSession implements OutgoingCall {
  readonly id: string;
  readonly sipCallId: string;
  readonly identity: CallIdentity;
  readonly #options: ClientSessionOptions;
  #invitation: Invitation | null = null;
  #branches: InviteBranch[] = [];
  #rounds: (readonly CallTarget[])[] = [];
  #waiting = 0;
  /** The best refusal so far. */
  #refusal: Response | null = null;
  #hasRedirected = false;
  #session: Session | null = null;
  #state: 'calling' | 'answered' | 'over' = 'calling';
  readonly #ringTimer: unknown;

  constructor(options: ClientSessionOptions) {
    const { identity, invitation, ports, ringTimeoutMs } = options;
    this.#options = options;
    this.id = invitation.localTag;
    this.sipCallId = invitation.callId;
    this.identity = identity;
    this.#ringTimer = ports.clock.setTimer(ringTimeoutMs, () => {
      this.#cancel({ protocol: 'SIP', cause: 408, text: 'Nobody answered' });
      this.#refuse({ status: 408, reason: 'Nobody answered' });
    });
  }

  async start(): Promise<void> {
    const targets = await this.#options.targets();
    if (this.#state !== 'calling') return;
    if ('status' in targets) return this.#refuse(targets);
    const [first] = targets.flat();
    if (first === undefined) return this.#refuse(NOBODY);
    const { invitation, offer } = this.#options;
    const description = await offer(first.flow.localAddress);
    if (this.#state !== 'calling') return;
    if (typeof description !== 'string') return this.#refuse(description);
    this.#invitation = { ...invitation, offer: description };
    this.#rounds = [...targets];
    this.#askNext();
  }

  get peer(): CallPeer | null {
    if (this.#session === null) return null;
    const { transport, remoteAddress, remotePort, localAddress } = this.#session.dialog.flow;
    return { transport, remoteAddress, remotePort, localAddress };
  }

  hangUp(cause: EndCause): void {
    if (this.#session !== null) return this.#session.hangUp(cause);
    if (this.#state !== 'calling') return;
    this.#cancel(cause);
    this.#settle();
    this.#options.handlers.ended({ by: 'us', cause });
  }

  /** A connection closed: who was asked over it does not answer. */
  disconnected(flow: Flow): void {
    for (const branch of [...this.#branches]) branch.disconnected(flow);
  }

  /** The endpoint closes; a session that runs is told so by itself. */
  abandon(reason: string): void {
    for (const branch of this.#branches) branch.abandon();
    if (this.#state !== 'calling') return;
    this.#settle();
    this.#options.handlers.ended({ by: 'failure', reason });
  }

  #askNext(): void {
    if (this.#state !== 'calling') return;
    const round = this.#rounds.shift();
    if (round === undefined) return this.#refuse(this.#refusal === null ? NOBODY : rejection(this.#refusal));
    this.#ask(round);
  }

  #ask(targets: readonly CallTarget[]): void {
    const invitation = this.#invitation;
    if (targets.length === 0 || invitation === null) return this.#askNext();
    const { ports, handlers } = this.#options;
    const branches = targets.map(target => {
      const branch: InviteBranch = new InviteBranch(invitation, target, ports, {
        progress: ({ status, reason }) => {
          if (this.#state === 'calling') handlers.progress(status, reason);
        },
        answered: (session, answer) => this.#answered(branch, session, answer),
        refused: response => this.#refused(response),
      });
      return branch;
    });
    this.#branches.push(...branches);
    this.#waiting += branches.length;
    for (const branch of branches) branch.start();
  }

  #answered(winner: InviteBranch, session: Session, answer: string | null): void {
    for (const branch of this.#branches) if (branch !== winner) branch.cancel(ANSWERED_ELSEWHERE);
    const { handlers } = this.#options;
    this.#session = session;
    session.handlers = handlers;
    this.#settle('answered');
    handlers.accepted(answer);
  }

  #refused(response: Response | null): void {
    this.#waiting--;
    if (this.#state !== 'calling') return;
    if (response !== null && response.status < 400 && !this.#hasRedirected) return void this.#redirect(response);
    this.#refusal = better(this.#refusal, response);
    // §16.7: who refuses for everybody is believed.
    if (response !== null && response.status >= 600) {
      this.#cancel({ protocol: 'SIP', cause: response.status, text: response.reason });
      return this.#refuse(rejection(response));
    }
    if (this.#waiting === 0) this.#askNext();
  }

  /** §8.1.3.4. */
  async #redirect(response: Response): Promise<void> {
    this.#hasRedirected = true;
    this.#waiting++;
    const uris = response
      .list('contact')
      .slice(0, MOST_CONTACTS)
      .map(each => parseNameAddr(each)?.uri ?? null);
    const found = await Promise.all(uris.map(uri => (uri === null ? [] : this.#options.redirect(uri))));
    this.#waiting--;
    if (this.#state !== 'calling') return;
    this.#refusal = better(this.#refusal, response);
    const targets = found.flat();
    if (targets.length > 0) this.#ask(targets);
    else if (this.#waiting === 0) this.#askNext();
  }

  #cancel(cause: EndCause): void {
    for (const branch of this.#branches) branch.cancel(cause);
  }

  #refuse(rejected: Rejection): void {
    this.#settle();
    this.#options.handlers.refused(rejected);
  }

  #settle(state: 'answered' | 'over' = 'over'): void {
    this.#state = state;
    this.#options.ports.clock.clearTimer(this.#ringTimer);
    this.#options.settled();
  }
}

/** §16.7 item 6: one for everybody first, then the lowest class. */
function better(before: Response | null, response: Response | null): Response | null {
  if (before === null || response === null) return before ?? response;
  return Math.floor(response.status / 100) < Math.floor(before.status / 100) ? response : before;
}

function rejection({ status, reason }: Response): Rejection {
  return { status, reason };
}
