import type { Subscriber } from '../admission/index.ts';
import { Dialog, type Dialogs } from '../dialog/index.ts';
import { formatHost, parsedUri, parseUri, type Request, type ResponseParts, respond } from '../message/index.ts';
import { accepts, BACK_LATER } from '../refusal.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import type { WatchedTarget } from '../types.ts';
import { type EventName, parseEvent } from './event.ts';
import { type ExpiryLimits, grantedSeconds } from './expiry.ts';
import { PLACE_LIMITS, type PlaceLimits, Places } from './places.ts';
import { Subscription, type SubscriptionPorts } from './subscription.ts';

/** Who looks at what, for a package to write it down. */
export interface View {
  /** The URI of what is watched. */
  readonly entity: string;
  /** User name of the account that watches; null for a guest. */
  readonly subscriber: string | null;
  /** Counts the documents of a subscription, from 0. */
  readonly version: number;
}

/** An event package (RFC 6665 §5): what can be watched, and the document that tells it. */
export interface EventPackage {
  readonly name: string;
  /** Content-Type of its documents. */
  readonly type: string;
  document(target: WatchedTarget, view: View): Buffer;
}

export interface NotifierOptions {
  readonly packages: readonly EventPackage[];
  readonly ports: SubscriptionPorts;
  readonly dialogs: Pick<Dialogs, 'add' | 'remove'>;
  /** What there is to see of a target; null when there is no such target. */
  look(target: string): WatchedTarget | null;
  /** A new tag. */
  token(): string;
  /** Is this the address of a proxy of ours. */
  readonly isTrusted?: ((address: string) => boolean) | undefined;
  /** {@link PLACE_LIMITS} where not said otherwise. */
  readonly limits?: Partial<PlaceLimits> | undefined;
}

const EXPIRY: ExpiryLimits = { defaultSeconds: 3_600, leastSeconds: 60, mostSeconds: 3_600 };

interface Granted {
  readonly event: EventName;
  readonly eventPackage: EventPackage;
  readonly target: WatchedTarget;
  readonly seconds: number;
}

interface Watch {
  /** As it was when its last change was told: to look is dear where thousands call, and thousands watch. */
  target: WatchedTarget | null;
  readonly subscriptions: Set<Subscription>;
}

type Refused = { readonly status: number } & ResponseParts;

/** Subscriptions to what can be watched here (RFC 6665 §4.2). */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #places: Places;
  /** By the one name of what is watched. */
  readonly #watches = new Map<string, Watch>();
  #isDraining = false;

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#places = new Places({ ...PLACE_LIMITS, ...options.limits }, options.isTrusted);
  }

  /** Subscriptions that have not ended. */
  get size(): number {
    return this.#places.taken;
  }

  /** Serves a SUBSCRIBE outside a dialog. */
  subscribe(transaction: ServerTransaction, subscriber: Subscriber | null): void {
    const { request, flow } = transaction;
    const toTag = this.#options.token();
    const refuse = ({ status, ...parts }: Refused) =>
      transaction.respond(respond(request, status, { toTag, ...parts }));
    const judged = this.#judge(request);
    if ('status' in judged) return refuse(judged);
    const isProved = flow.reliable || subscriber !== null;
    const place = this.#places.take(flow, isProved);
    if (place === null) return refuse({ status: 503, reason: 'Too many subscriptions', headers: BACK_LATER });
    const { event, eventPackage, target, seconds } = judged;
    const { name } = target;
    const localUser = parseUri(request.uri)!.user;
    const watch = this.#watches.get(name) ?? { target, subscriptions: new Set() };
    watch.target = target;
    this.#watches.set(name, watch);
    const view = { entity: entityOf(request), subscriber: subscriber?.user ?? null };
    const subscription = new Subscription({
      dialog: Dialog.asServer(request, toTag, flow),
      event,
      localUser,
      seconds,
      limits: EXPIRY,
      ports: this.#options.ports,
      state: version => {
        const { type } = eventPackage;
        return watch.target && { type, body: eventPackage.document(watch.target, { ...view, version }) };
      },
      isProved,
      proved: place.prove,
      ended: () => {
        place.release();
        this.#options.dialogs.remove(subscription);
        watch.subscriptions.delete(subscription);
        if (watch.subscriptions.size === 0) this.#watches.delete(name);
      },
    });
    this.#options.dialogs.add(subscription);
    watch.subscriptions.add(subscription);
    subscription.begin(transaction);
  }

  /** What there is to see of the target of this name has changed, or may have. Every change has to be told. */
  changed(name: string): void {
    const watch = this.#watches.get(name);
    if (watch === undefined) return;
    watch.target = this.#options.look(name);
    for (const subscription of [...watch.subscriptions]) {
      if (watch.target === null) subscription.end('noresource');
      else subscription.changed();
    }
  }

  /** Every subscription ends, and no more are taken: another server, or we once we are back, may have them. */
  drain(): void {
    this.#isDraining = true;
    for (const { subscriptions } of [...this.#watches.values()]) {
      for (const subscription of [...subscriptions]) subscription.end('probation');
    }
  }

  #judge(request: Request): Granted | Refused {
    if (this.#isDraining) return { status: 503, headers: BACK_LATER };
    const { packages, look } = this.#options;
    const event = parseEvent(request.get('event'));
    const eventPackage = packages.find(each => each.name === event?.name);
    if (event === null || eventPackage === undefined) {
      return { status: 489, headers: [['allow-events', packages.map(each => each.name).join(', ')]] };
    }
    if (!accepts(request, eventPackage.type)) return { status: 406 };
    const seconds = grantedSeconds(request, EXPIRY);
    if (seconds === null) return { status: 423, headers: [['min-expires', String(EXPIRY.leastSeconds)]] };
    const target = look(parseUri(request.uri)?.user ?? '');
    return target === null ? { status: 404 } : { event, eventPackage, target, seconds };
  }
}

/** The address that is watched, as its watcher knows it, without parameters. */
function entityOf({ to, uri }: Request): string {
  const { scheme, user, host, port } = parsedUri(to!) ?? parseUri(uri)!;
  const userInfo = user === '' ? '' : `${encodeURIComponent(user)}@`;
  return `${scheme}:${userInfo}${formatHost(host)}${port === null ? '' : `:${port}`}`;
}
