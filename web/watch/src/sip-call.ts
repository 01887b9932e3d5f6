import { C, type UA } from 'jssip';
import { preferStereo } from './sdp.ts';
import { type EndCause, parseReason, parseRetryAfter } from './words.ts';

export interface SipCallHandlers {
  /** The peer connection exists, with a receiver for audio and one for video. */
  prepared(connection: RTCPeerConnection): void;
  answered(connection: RTCPeerConnection): void;
  refused(status: number, phrase: string, retryAfterSeconds: number | null): void;
  /** The server sent BYE. */
  ended(cause: EndCause | null): void;
  /** The call is over without a word from the server. */
  lost(): void;
  /** The server has not even said 100 Trying: the connection looks dead. */
  unheard(): void;
}

type Session = ReturnType<UA['call']>;

/** The server answers an INVITE with 100 at once; who hears nothing for so long speaks into a dead connection. */
const TRYING_TIMEOUT_MS = 3_000;

/** What we cannot do with the answer, or cannot offer at all. */
const MEDIA_FAILURES: readonly string[] = [
  C.causes.BAD_MEDIA_DESCRIPTION,
  C.causes.MISSING_SDP,
  C.causes.WEBRTC_ERROR,
  C.causes.INCOMPATIBLE_SDP,
];

/** One call to a channel: audio and video come in, nothing goes out. After `hangUp` no handler is called any more. */
export class SipCall {
  readonly #session: Session;
  readonly #tryingTimer: ReturnType<typeof setTimeout>;
  #over = false;

  constructor(ua: UA, uri: string, certificates: readonly RTCCertificate[], handlers: SipCallHandlers) {
    let connection: RTCPeerConnection | null = null;
    this.#session = ua.call(uri, {
      mediaConstraints: { audio: false, video: false },
      pcConfig: {
        iceServers: [],
        bundlePolicy: 'max-bundle',
        rtcpMuxPolicy: 'require',
        ...(certificates.length > 0 && { certificates: [...certificates] }),
      },
      eventHandlers: {
        peerconnection: event => {
          connection = event.peerconnection;
          prepare(connection);
          handlers.prepared(connection);
        },
        icecandidate: ({ ready }) => ready(),
        confirmed: () => this.#tell(() => connection !== null && handlers.answered(connection)),
        failed: event => {
          const { message, originator, cause } = event;
          if (MEDIA_FAILURES.includes(cause)) return this.#end(() => handlers.refused(488, '', null));
          if (originator !== 'remote' || !('status_code' in message)) return this.#end(() => handlers.lost());
          const retryAfterSeconds = parseRetryAfter(message.getHeader('Retry-After'));
          this.#end(() => handlers.refused(message.status_code, message.reason_phrase, retryAfterSeconds));
        },
        ended: ({ originator, message }) =>
          this.#end(() =>
            originator === 'remote' ? handlers.ended(parseReason(message.getHeader('Reason'))) : handlers.lost(),
          ),
      },
    });
    this.#tryingTimer = setTimeout(() => {
      if (this.#session.status <= this.#session.C.STATUS_INVITE_SENT) this.#tell(() => handlers.unheard());
    }, TRYING_TIMEOUT_MS);
  }

  /** Says that a key was pressed (INFO with application/dtmf-relay). */
  press(key: string): void {
    if (this.#session.isEstablished()) this.#session.sendDTMF(key);
  }

  /** CANCEL or BYE, whichever the call needs. */
  hangUp(): void {
    this.#end(() => undefined);
    if (!this.#session.isEnded()) this.#session.terminate();
  }

  #end(tell: () => void): void {
    clearTimeout(this.#tryingTimer);
    this.#tell(tell);
    this.#over = true;
  }

  #tell(tell: () => void): void {
    if (!this.#over) tell();
  }
}

/** Makes the connection ask for one audio and one video stream, and go out without waiting. */
function prepare(connection: RTCPeerConnection): void {
  for (const kind of ['audio', 'video'] as const) {
    const { receiver } = connection.addTransceiver(kind, { direction: 'recvonly' });
    // The least that the network's jitter allows: the sooner the first frame, the better.
    if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
  }
  const createOffer = connection.createOffer.bind(connection);
  connection.createOffer = (async (options?: RTCOfferOptions) => {
    const { type, sdp } = await createOffer(options);
    return { type, sdp: preferStereo(sdp ?? '') };
  }) as typeof connection.createOffer;
  connection.addEventListener('signalingstatechange', () => {
    if (connection.signalingState !== 'have-local-offer') return;
    // The server is an ICE-lite agent (RFC 8445 §2.5): it answers our checks and never looks at our candidates. JsSIP
    // sends the offer when gathering ends, so it is told that it has; the timer lets JsSIP begin to listen first.
    setTimeout(() => connection.dispatchEvent(new Event('icecandidate')));
  });
}
