import { type Header, NO_BODY, parseNameAddr, parseUri, Request, type Response, uriScheme } from '../message/index.ts';
import type { Flow } from '../transport/index.ts';

/** Requests that may move a dialog's target (RFC 3261 §12.2.2, RFC 3311 §5.2, RFC 6665 §4.1.2.2, §4.2.2). */
const TARGET_REFRESH: ReadonlySet<string> = new Set(['INVITE', 'NOTIFY', 'SUBSCRIBE', 'UPDATE']);

export interface DialogRequestParts {
  readonly headers?: readonly Header[];
  readonly body?: Buffer;
  /** The header that proves who asks; null where nobody wants a proof. */
  readonly credentials?: (request: Pick<Request, 'method' | 'uri'>) => Header | null;
  /** It is not sent again while no answer comes. */
  readonly once?: boolean;
}

/** Identifies a dialog on our side (RFC 3261 §12): as UAS, our tag is in To. */
export function dialogKey(callId: string, localTag: string, remoteTag: string | null): string {
  // No header has a line feed in it, so nothing else has this key.
  return [localTag, remoteTag, callId].join('\n');
}

interface DialogParts {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string | null;
  readonly direct: boolean;
  readonly secure: boolean;
  readonly local: string;
  readonly remote: string;
  readonly routes: readonly string[];
  readonly remoteTarget: string;
  readonly remoteSequence: number;
  readonly localSequence: number;
  readonly flow: Flow;
}

/** A dialog (RFC 3261 §12): who the peer is, the way to it, and both sides' sequence numbers. */
export class Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string | null;
  readonly key: string;
  /** Is there no proxy between the peer and us. */
  readonly direct: boolean;
  /** Did it begin with a SIPS URI. */
  readonly secure: boolean;
  readonly #local: string;
  readonly #remote: string;
  #routes: readonly string[];
  #remoteTarget: string;
  #remoteSequence: number;
  #localSequence: number;
  /** Where the peer's last message came from: the way back through whatever NAT lies between (RFC 3581). */
  flow: Flow;

  private constructor(parts: DialogParts) {
    this.callId = parts.callId;
    this.localTag = parts.localTag;
    this.remoteTag = parts.remoteTag;
    this.key = dialogKey(parts.callId, parts.localTag, parts.remoteTag);
    this.direct = parts.direct;
    this.secure = parts.secure;
    this.#local = parts.local;
    this.#remote = parts.remote;
    this.#routes = parts.routes;
    this.#remoteTarget = parts.remoteTarget;
    this.#remoteSequence = parts.remoteSequence;
    this.#localSequence = parts.localSequence;
    this.flow = parts.flow;
  }

  /** As UAS (§12.1.1), of an INVITE that came over this flow. */
  static asServer(invite: Request, localTag: string, flow: Flow): Dialog {
    const remote = invite.get('from')!;
    const routes = invite.list('record-route');
    const contact = contactUri(invite);
    return new Dialog({
      callId: invite.callId,
      localTag,
      remoteTag: invite.fromTag,
      direct: invite.list('via').length === 1,
      secure:
        isSecure(invite.uri) || isSecure(routes.length > 0 ? (parseNameAddr(routes[0]!)?.uri ?? '') : (contact ?? '')),
      local: `${invite.get('to')};tag=${localTag}`,
      remote,
      // The route set is the Record-Route list, in order.
      routes,
      remoteTarget: contact ?? parseNameAddr(remote)!.uri,
      remoteSequence: invite.cseq!.number,
      localSequence: 0,
      flow,
    });
  }

  /** As UAC (§12.1.2), of a response to our INVITE, which went over this flow. */
  static asClient(invite: Request, response: Response, flow: Flow): Dialog {
    const routes = reversedRoutes(response);
    return new Dialog({
      callId: invite.callId,
      localTag: invite.fromTag!,
      remoteTag: response.toTag,
      direct: routes.length === 0 && invite.get('route') === null,
      secure: isSecure(invite.uri),
      local: invite.get('from')!,
      remote: response.get('to') ?? invite.get('to')!,
      routes,
      remoteTarget: contactUri(response) ?? invite.uri,
      // The peer's is not known before its first request; any number comes after this one.
      remoteSequence: -1,
      localSequence: invite.cseq!.number,
      flow,
    });
  }

  /** A 2xx makes an early dialog a confirmed one, whose route set may be another (§13.2.2.4). */
  confirm(response: Response): void {
    this.#routes = reversedRoutes(response);
    this.#moveTarget(response);
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
  acknowledgement(response: Response, via: string, headers: readonly Header[] = []): Request {
    return this.#make('ACK', via, response.cseq!.number, { headers });
  }

  #make(method: string, via: string, sequence: number, parts: DialogRequestParts): Request {
    const { headers = [], body = NO_BODY, credentials = () => null } = parts;
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
    const proof = credentials({ method, uri: target });
    return new Request(method, target, [...own, ...headers, ...(proof === null ? [] : [proof])], body);
  }

  #moveTarget(message: Request | Response): void {
    this.#remoteTarget = contactUri(message) ?? this.#remoteTarget;
  }
}

function isSecure(uri: string): boolean {
  return uriScheme(uri) === 'sips';
}

function contactUri(message: Request | Response): string | null {
  const [first] = message.list('contact');
  return first === undefined ? null : (parseNameAddr(first)?.uri ?? null);
}

/** §12.1.2: as UAC, the route set is the Record-Route list in reverse. A route that cannot be read is none. */
function reversedRoutes(response: Response): string[] {
  return response
    .list('record-route')
    .filter(route => parseNameAddr(route) !== null)
    .reverse();
}
