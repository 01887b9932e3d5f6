import type { Session } from '../dialog/index.ts';
import { type Header, type Request, respond } from '../message/index.ts';
import { type ExpiryLimits, type StateDocument, Subscription, type SubscriptionPorts } from '../subscription/index.ts';
import type { ServerTransaction } from '../transaction/index.ts';
import type { Referral } from '../types.ts';
import { type Refer, readRefer } from './refer.ts';

/** Longer than anybody's phone rings. Whoever wants to hear of it for longer has to say so again (RFC 3515 §2.4.4). */
const EXPIRY: ExpiryLimits = { defaultSeconds: 180, leastSeconds: 60, mostSeconds: 180 };
const NO_REPORTS: Header = ['refer-sub', 'false'];

/** REFERs inside calls (RFC 3515), one at a time in each, and what their senders hear of them. */
export class Referrals {
  readonly #ports: SubscriptionPorts;
  /** Calls in which somebody was referred to, and nothing final came of it yet. */
  readonly #running = new WeakSet<Session>();
  /** Calls that have had one before. */
  readonly #before = new WeakSet<Session>();

  constructor(ports: SubscriptionPorts) {
    this.#ports = ports;
  }

  /** A REFER in a session. Outside of one nobody may have us call somebody. */
  receive(transaction: ServerTransaction, session: Session): void {
    const { request } = transaction;
    const { handlers } = session;
    const refer = readRefer(request);
    if ('status' in refer) return transaction.respond(respond(request, refer.status, { reason: refer.reason }));
    if (session.isEarly || handlers?.referred === undefined) return transaction.respond(respond(request, 403));
    if (this.#running.has(session)) return transaction.respond(respond(request, 491));
    this.#running.add(session);
    handlers.referred(this.#referral(transaction, session, refer));
  }

  #referral(transaction: ServerTransaction, session: Session, refer: Refer): Referral {
    const { request } = transaction;
    const { to, replaces, referredBy, wantsReports } = refer;
    let isOpen = true;
    let latest = '100 Trying';
    let subscription: Subscription | null = null;
    const once = (act: () => void) => {
      if (isOpen) act();
    };
    const close = () => {
      isOpen = false;
      this.#running.delete(session);
    };
    return {
      to,
      replaces,
      referredBy,
      accept: () => {
        // RFC 4488 §4: whoever wants no reports is told that there will be none.
        transaction.respond(respond(request, 202, { headers: wantsReports ? [] : [NO_REPORTS] }));
        if (wantsReports) subscription = this.#subscribe(request, session, () => sipFragment(latest));
      },
      reject: ({ status, reason, retryAfterSeconds }) =>
        once(() => {
          close();
          const headers: Header[] = retryAfterSeconds === undefined ? [] : [['retry-after', String(retryAfterSeconds)]];
          transaction.respond(respond(request, status, { reason, headers }));
        }),
      report: (status, reason) =>
        once(() => {
          latest = `${status} ${reason.replace(/[\r\n\0]+/g, ' ')}`;
          if (status < 200) return subscription?.changed();
          close();
          subscription?.end('noresource');
        }),
    };
  }

  /** §2.4.4: the REFER is a subscription to what becomes of it, in the same dialog. */
  #subscribe(refer: Request, session: Session, state: () => StateDocument): Subscription {
    // §2.4.6: from the second on they have a name of their own.
    const id = this.#before.has(session) ? String(refer.cseq!.number) : null;
    this.#before.add(session);
    const subscription: Subscription = new Subscription({
      dialog: session.dialog,
      event: { name: 'refer', id },
      localUser: session.localUser,
      seconds: EXPIRY.defaultSeconds,
      limits: EXPIRY,
      ports: this.#ports,
      state,
      // He is in a call with us.
      isProved: true,
      ended: () => session.sharing.delete(subscription),
    });
    session.sharing.add(subscription);
    subscription.start();
    return subscription;
  }
}

/** §2.4.5: a response's first line says enough, and nothing of whom we called. */
function sipFragment(status: string): StateDocument {
  return { type: 'message/sipfrag;version=2.0', body: Buffer.from(`SIP/2.0 ${status}\r\n`) };
}
