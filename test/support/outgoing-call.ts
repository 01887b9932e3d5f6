import type { CallPeer, CallRequest, EndCause, OutgoingCall } from '../../src/signalling/index.ts';

/** A call of ours as signalling makes it; what is done with it is written down. */
export class FakeOutgoingCall implements OutgoingCall {
  readonly id: string;
  readonly sipCallId = 'call@us';
  readonly identity: OutgoingCall['identity'];
  readonly request: CallRequest;
  peer: CallPeer | null = null;
  readonly #events: string[];

  constructor(id: string, request: CallRequest, events: string[]) {
    this.id = id;
    this.request = request;
    this.identity = request.identity;
    this.#events = events;
    events.push(`INVITE ${request.to}`);
  }

  /** Somebody answers, from this address. */
  accept(answer: string | null, remoteAddress = '192.0.2.20'): void {
    this.peer = { transport: 'udp', remoteAddress, remotePort: 5060, localAddress: '192.0.2.1' };
    this.request.handlers.accepted(answer);
  }

  hangUp({ protocol, cause, text }: EndCause): void {
    this.#events.push(`${this.peer === null ? 'CANCEL' : 'BYE'} ${protocol} ${cause} ${text}`);
    this.request.handlers.ended({ by: 'us', cause: { protocol, cause, text } });
  }
}
