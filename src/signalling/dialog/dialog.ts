import { type Header, NO_BODY, parseNameAddr, parseUri, Request, type Response } from '../message/index.ts';
import type { Flow } from '../transport/index.ts';

/** Requests that may move a dialog's target (RFC 3261 §12.2.2, RFC 3311 §5.2). */
const TARGET_REFRESH: ReadonlySet<string> = new Set(['INVITE', 'UPDATE']);

export interface DialogRequestParts {
  readonly headers?: readonly Header[];
  readonly body?: Buffer;
}

/** Identifies a dialog on our side (RFC 3261 §12): as UAS, our tag is in To. */
export function dialogKey(callId: string, localTag: string, remoteTag: string | null): string {
  return JSON.stringify([callId, localTag, remoteTag]);
}

/** A dialog as UAS (RFC 3261 §12.1.1): who the peer is, the way to it, and both sides' sequence numbers. */
export class Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string | null;
  readonly key: string;
  /** Did the INVITE come from the peer itself, and through no proxy. */
  readonly direct: boolean;
  readonly #local: string;
  readonly #remote: string;
  readonly #routes: readonly string[];
  #remoteTarget: string;
  #remoteSequence: number;
  #localSequence = 0;
  /** Where the peer's last request came from: the way back through whatever NAT lies between (RFC 3581). */
  flow: Flow;

  constructor(invite: Request, localTag: string, flow: Flow) {
    this.callId = invite.callId;
    this.localTag = localTag;
    this.remoteTag = invite.fromTag;
    this.key = dialogKey(this.callId, localTag, this.remoteTag);
    this.direct = invite.list('via').length === 1;
    this.#local = `${invite.get('to')};tag=${localTag}`;
    this.#remote = invite.get('from')!;
    // §12.1.1: the route set is the Record-Route list, in order, as UAS.
    this.#routes = invite.list('record-route');
    this.#remoteTarget = contactUri(invite) ?? parseNameAddr(this.#remote)!.uri;
    this.#remoteSequence = invite.cseq!.number;
    this.flow = flow;
  }

  /**
   * Takes note of a request in the dialog; false when it is older than one that was seen (§12.2.2: to be answered
   * 500). An ACK has its INVITE's number.
   */
  receive(request: Request, flow: Flow): boolean {
    const { number } = request.cseq!;
    if (request.method !== 'ACK') {
      if (number <= this.#remoteSequence) return false;
      this.#remoteSequence = number;
    }
    this.flow = flow;
    // §12.2.2: a target refresh request moves the target.
    if (TARGET_REFRESH.has(request.method)) this.#moveTarget(request);
    return true;
  }

  /** A 2xx to a request of ours moves the target in the same way (§12.2.1.2). */
  answered(response: Response): void {
    if (TARGET_REFRESH.has(response.cseq!.method)) this.#moveTarget(response);
  }

  /** A request of ours in the dialog (§12.2.1.1); `via` is the top Via of a new transaction. */
  request(method: string, via: string, parts: DialogRequestParts = {}): Request {
    return this.#make(method, via, ++this.#localSequence, parts);
  }

  /** Whom our requests go to: the first router, else the peer itself (§12.2.1.1, §8.1.2). */
  get nextHop(): string {
    const [first] = this.#routes;
    return (first === undefined ? null : parseNameAddr(first)?.uri) ?? this.#remoteTarget;
  }

  /** Once its connection is gone: a browser can't be called, and comes back itself if it does (RFC 7118). */
  get mayCallBack(): boolean {
    return this.flow.transport !== 'ws' && this.flow.transport !== 'wss';
  }

  /** The ACK to a 2xx, a transaction of its own with the number of its INVITE (§13.2.2.4). */
  acknowledgement(response: Response, via: string): Request {
    return this.#make('ACK', via, response.cseq!.number, {});
  }

  #make(method: string, via: string, sequence: number, { headers = [], body = NO_BODY }: DialogRequestParts): Request {
    const [first] = this.#routes;
    const router = first === undefined ? null : parseNameAddr(first);
    const isStrict = router !== null && !parseUri(router.uri)?.parameters.has('lr');
    const target = isStrict ? router.uri : this.#remoteTarget;
    // A strict router gets itself as Request-URI and the target as the last route.
    const routes = isStrict ? [...this.#routes.slice(1), `<${this.#remoteTarget}>`] : this.#routes;
    const own: Header[] = [
      ['via', via],
      ['max-forwards', '70'],
      ...routes.map((route): Header => ['route', route]),
      ['from', this.#local],
      ['to', this.#remote],
      ['call-id', this.callId],
      ['cseq', `${sequence} ${method}`],
    ];
    return new Request(method, target, [...own, ...headers], body);
  }

  #moveTarget(message: Request | Response): void {
    this.#remoteTarget = contactUri(message) ?? this.#remoteTarget;
  }
}

function contactUri(message: Request | Response): string | null {
  const [first] = message.list('contact');
  return first === undefined ? null : (parseNameAddr(first)?.uri ?? null);
}
