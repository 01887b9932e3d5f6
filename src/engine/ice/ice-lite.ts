import type { Path } from '../native.ts';
import { buildStun, errorCode, type StunAttribute, unknownAttributes, xorMappedAddress } from './build.ts';
import { BINDING, isAuthentic, parseStun, type StunMessage } from './message.ts';

export interface IceLiteOptions {
  readonly localUfrag: string;
  readonly localPwd: string;
  readonly remoteUfrag: string;
  /** Monotonic milliseconds: consent to send begins now. */
  readonly nowMs: number;
}

export interface CheckResult {
  /** To be sent back along the path on which the check came. */
  readonly response: Buffer | null;
  /** The sender knows our password, so what comes from its address is the viewer's. */
  readonly valid: boolean;
  /** Where media goes from now on, when the check chose another path than before; else null. */
  readonly selected: Path | null;
}

/** RFC 7675 §5.1: consent ends 30 seconds after it was last given. */
const CONSENT_TIMEOUT_MS = 30_000;

const IGNORED: CheckResult = { response: null, valid: false, selected: null };

/**
 * An ICE-lite agent (RFC 8445 §2.5): it only answers connectivity checks, always as the controlled side, and sends
 * where the other side's nomination says. No state is kept for a check before it proved to know the password.
 */
export class IceLite {
  readonly #options: IceLiteOptions;
  readonly #username: string;
  #selected: Path | null = null;
  #consentAtMs: number;

  constructor(options: IceLiteOptions) {
    this.#options = options;
    // RFC 8445 §7.2.2: the fragment of whom the check goes to comes first.
    this.#username = `${options.localUfrag}:${options.remoteUfrag}`;
    this.#consentAtMs = options.nowMs;
  }

  /** The path that was nominated last; null before the first nomination. */
  get selected(): Path | null {
    return this.#selected;
  }

  /** Takes one STUN datagram. Whatever is not a Binding request is ignored. */
  receive(datagram: Buffer, path: Path, nowMs: number): CheckResult {
    const request = parseStun(datagram);
    if (request === null || request.class !== 'request' || request.method !== BINDING) return IGNORED;
    const { localPwd } = this.#options;
    const refusal = this.#authenticate(datagram, request);
    if (refusal !== null) return { ...IGNORED, response: refuse(request, refusal, datagram.length) };

    const respond = (messageClass: 'success' | 'error', ...attributes: StunAttribute[]) =>
      buildStun({ class: messageClass, transactionId: request.transactionId, attributes, password: localPwd });
    if (request.unknownAttributes.length > 0) {
      return { ...IGNORED, response: respond('error', errorCode(420), unknownAttributes(request.unknownAttributes)) };
    }
    // RFC 8445 §7.1.1: every check carries PRIORITY.
    if (request.priority === null) return { ...IGNORED, response: respond('error', errorCode(400)) };
    // RFC 8445 §6.1.1: a lite agent is controlled, so a peer that says so of itself is to change its role.
    if (request.role === 'controlled') return { ...IGNORED, response: respond('error', errorCode(487)) };

    this.#consentAtMs = nowMs;
    const mapped = xorMappedAddress(path.remoteAddress, path.remotePort, request.transactionId);
    return {
      response: respond('success', mapped),
      valid: true,
      selected: request.useCandidate ? this.#nominate(path) : null,
    };
  }

  /** Did the peer take back its consent to receive by falling silent (RFC 7675). */
  expired(nowMs: number): boolean {
    return nowMs - this.#consentAtMs > CONSENT_TIMEOUT_MS;
  }

  /** The error code of RFC 8489 §9.1.3, or null for an authentic request. */
  #authenticate(datagram: Buffer, request: StunMessage): 400 | 401 | null {
    if (request.username === null || request.integrityOffset === null) return 400;
    if (request.username !== this.#username) return 401;
    return isAuthentic(datagram, request, this.#options.localPwd) ? null : 401;
  }

  /**
   * The latest nomination wins. RFC 8445 §8.1.1 knows one nomination only, but browsers that face a lite agent
   * nominate again when their network changes, and then no longer receive on the old path.
   */
  #nominate(path: Path): Path | null {
    if (this.#selected !== null && samePath(this.#selected, path)) return null;
    this.#selected = path;
    return path;
  }
}

/** The USERNAME of a well-formed Binding request, by which it finds its agent; not yet authentic. */
export function stunUsername(datagram: Buffer): string | null {
  const message = parseStun(datagram);
  return message?.class === 'request' ? message.username : null;
}

/** An answer to whom nobody knows; none when it would be longer than the question, so that nobody is flooded by us. */
function refuse({ transactionId }: StunMessage, code: 400 | 401, requestBytes: number): Buffer | null {
  const response = buildStun({ class: 'error', transactionId, attributes: [errorCode(code)], password: null });
  return response.length <= requestBytes ? response : null;
}

function samePath(a: Path, b: Path): boolean {
  return a.remotePort === b.remotePort && a.remoteAddress === b.remoteAddress && a.localAddress === b.localAddress;
}
