import type { Channel, Channels, FilmMove, FilmPosition } from '../channels/index.ts';
import type { Logger } from '../observe/index.ts';
import type {
  CallIdentity,
  CallRequest,
  EndCause,
  IncomingCall,
  OutgoingCall,
  Referral,
  Rejection,
  SignallingHandlers,
  TextMessage,
  WatchedTarget,
} from '../signalling/index.ts';
import { AnsweredCall } from './answered-call.ts';
import type { Call, CallOutcome } from './call.ts';
import type { CallEngine, CallMediaOptions } from './call-media.ts';
import { PlacedCall } from './placed-call.ts';

export interface CallsOptions {
  readonly channels: Channels;
  readonly engine: CallEngine;
  readonly log: Logger;
  readonly limits: { readonly viewers: number };
  readonly addresses: readonly string[];
  readonly isTrusted: CallMediaOptions['isTrusted'];
  readonly nowUnixMs: () => number;
  /** Calls somebody; no handler is called before it returns. */
  readonly place: (request: CallRequest) => OutgoingCall;
  /** May somebody be called with this identity: nobody's line is ours to use for whom a caller names. */
  readonly mayPlace: (to: string, identity: CallIdentity) => boolean;
  /** Title of the programme that is on; null when nobody knows. */
  readonly programmeOf: (channel: Channel) => string | null;
  /** Who watches the channel of this name may see something new. */
  readonly watchedChanged: (name: string) => void;
}

/** Every live call, and who may become one. */
export class Calls implements SignallingHandlers {
  readonly #options: CallsOptions;
  readonly #calls = new Map<string, Call>();
  readonly #outcomes: Record<CallOutcome, number> = { watched: 0, cancelled: 0, refused: 0 };
  readonly #emptied: (() => void)[] = [];

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  invite(incoming: IncomingCall): void {
    const { channels, limits } = this.#options;
    const refuse = (status: number, reason?: string, retryAfterSeconds?: number) => {
      this.#outcomes.refused++;
      incoming.reject({ status, ...(reason && { reason }), ...(retryAfterSeconds && { retryAfterSeconds }) });
    };
    const replaced = incoming.replaces === null ? undefined : this.#calls.get(incoming.replaces);
    const channel = replaced?.channel ?? channels.find(incoming.target);
    if (channel === null) return refuse(404, 'No such channel');
    // One that takes another's place has it.
    if (replaced === undefined && this.#calls.size >= limits.viewers) return refuse(503, 'All places are taken', 30);
    const call: AnsweredCall = new AnsweredCall({
      ...this.#options,
      incoming,
      channel,
      onReferred: referral => this.#refer(call, incoming.identity, referral),
      onAnswered: () => this.#changed(channel),
      onEnded: (ended, outcome) => this.#ended(ended, outcome),
    });
    this.#calls.set(call.id, call);
    void call.start();
  }

  /** A viewer hands his channel on: whom he names is called with it, while he goes on watching until he hangs up. */
  #refer({ channel }: Call, identity: CallIdentity, referral: Referral): void {
    const { limits, mayPlace } = this.#options;
    if (!mayPlace(referral.to, identity)) return referral.reject({ status: 403, reason: 'Nobody of ours' });
    if (this.#calls.size >= limits.viewers) {
      return referral.reject({ status: 503, reason: 'All places are taken', retryAfterSeconds: 30 });
    }
    referral.accept();
    const call: PlacedCall = new PlacedCall({
      ...this.#options,
      channel,
      identity,
      referral,
      onReferred: next => this.#refer(call, identity, next),
      onAnswered: () => this.#changed(channel),
      onEnded: (ended, outcome) => this.#ended(ended, outcome),
    });
    this.#calls.set(call.id, call);
  }

  /** Nobody reads what is written to a channel, yet. */
  message({ target }: TextMessage): Rejection | null {
    return this.#options.channels.find(target) === null ? { status: 404, reason: 'No such channel' } : null;
  }

  /** Of a channel, under whichever of its names. */
  look(target: string): WatchedTarget | null {
    const channel = this.#options.channels.find(target);
    if (channel === null) return null;
    const { name, title } = channel.config;
    const programme = this.#options.programmeOf(channel);
    const answered = this.list().filter(call => call.channel === channel && call.answeredAtMs !== null);
    const incoming = answered.map(call => call.incoming).filter(each => each !== null);
    return {
      name,
      isOpen: channel.available,
      title: programme === null ? title : `${title}: ${programme}`,
      viewers: answered.length,
      calls: incoming,
    };
  }

  /** The viewers of the channel of this name see the slate from now on, or no longer. */
  slateChanged(name: string, isShown: boolean): void {
    const nowMs = this.#options.nowUnixMs();
    for (const { channel, answeredAtMs, slate } of this.list()) {
      if (channel.config.name === name && answeredAtMs !== null) slate.change(isShown, nowMs);
    }
  }

  viewerLost(id: string, reason: string): void {
    this.#calls.get(id)?.viewerLost(reason);
  }

  /** Has a viewer of a film go on from another place, or wait; null for no such call. */
  moveFilm(id: string, move: FilmMove): Promise<FilmPosition> | null {
    return this.#calls.get(id)?.film?.move(move) ?? null;
  }

  list(): readonly Call[] {
    return [...this.#calls.values()];
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Calls that ended since the start, by how. */
  get outcomes(): Readonly<Record<CallOutcome, number>> {
    return this.#outcomes;
  }

  /** Ends every call with a BYE and resolves when all are gone. */
  async hangUpAll(cause: EndCause): Promise<void> {
    if (this.#calls.size === 0) return;
    const emptied = new Promise<void>(resolve => this.#emptied.push(resolve));
    for (const call of this.list()) call.hangUp(cause);
    await emptied;
  }

  #ended(call: Call, outcome: CallOutcome): void {
    this.#calls.delete(call.id);
    this.#outcomes[outcome]++;
    if (call.answeredAtMs !== null) this.#changed(call.channel);
    if (this.#calls.size === 0) for (const resolve of this.#emptied.splice(0)) resolve();
  }

  #changed({ config }: Channel): void {
    this.#options.watchedChanged(config.name);
  }
}
