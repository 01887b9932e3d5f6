import type { IncomingCall, IncomingCallHandlers, Rejection, SipTransport } from '../../src/signalling/index.ts';

/** An INVITE as signalling hands it on; what is done with it is written down. */
export class FakeIncomingCall implements IncomingCall {
  readonly id: string;
  readonly sipCallId = 'call@phone';
  readonly localTag = 'ours';
  readonly remoteTag = 'theirs';
  readonly target: string;
  readonly from = { uri: 'sip:anna@example.org', user: 'anna', displayName: 'Anna' };
  readonly identity = { uri: 'sip:clock@192.0.2.1', registration: null };
  readonly subscriber = null;
  readonly replaces: string | null;
  readonly userAgent = null;
  readonly transport: SipTransport;
  readonly remoteAddress: string;
  readonly remotePort = 5060;
  readonly localAddress: string;
  readonly offer: string | null;
  handlers: IncomingCallHandlers | null = null;
  readonly events: string[] = [];
  readonly answers: string[] = [];

  constructor(
    options: {
      id?: string;
      target?: string;
      replaces?: string;
      offer?: string | null;
      localAddress?: string;
      remoteAddress?: string;
      transport?: SipTransport;
      events?: string[];
    } = {},
  ) {
    this.id = options.id ?? 'call-1';
    this.replaces = options.replaces ?? null;
    this.target = options.target ?? 'clock';
    this.offer = options.offer === undefined ? null : options.offer;
    this.transport = options.transport ?? 'udp';
    this.localAddress = options.localAddress ?? '192.0.2.1';
    this.remoteAddress = options.remoteAddress ?? '192.0.2.9';
    this.events = options.events ?? [];
  }

  ring(): void {
    this.events.push('180');
  }

  accept(answer: string): void {
    this.answers.push(answer);
    this.events.push('200');
  }

  reject(rejection: Rejection): void {
    this.events.push(describeRejection(rejection));
  }

  /** Signalling says BYE and then tells that the dialog is over. */
  hangUp({ protocol, cause, text }: Parameters<IncomingCall['hangUp']>[0]): void {
    this.events.push(`BYE ${protocol} ${cause} ${text}`);
    this.handlers?.ended({ by: 'us', cause: { protocol, cause, text } });
  }

  /** A re-INVITE with this offer; its answer or refusal is written down as that of the INVITE. */
  reinvite(offer: string | null): void {
    this.handlers?.reinvite({
      offer,
      accept: answer => this.accept(answer),
      reject: rejection => this.reject(rejection),
    });
  }
}

export function describeRejection({ status, reason, retryAfterSeconds }: Rejection): string {
  return [status, reason, retryAfterSeconds && `(again in ${retryAfterSeconds} s)`].filter(Boolean).join(' ');
}
