import { type MediaDescription, type SessionDescription, write } from 'sdp-transform';
import { ENCODINGS } from './codecs.ts';
import type { AcceptedMedia, LocalMedia, Negotiated, RefusedMedia } from './types.ts';

/** What an answer says of its session (RFC 8866 §5.2). */
export interface SessionIdentity {
  /** Decimal digits, the same for the whole dialog. */
  readonly sessionId: string;
  /** One higher with each answer that differs from the last. */
  readonly version: number;
  /** Numeric. */
  readonly address: string;
}

type WebrtcMedia = Extract<LocalMedia, { transport: 'webrtc' }>;

/** One stream for both tracks, so that a browser plays them in step. */
const STREAM_ID = 'dialcast';

/** Duration of the audio in one packet. */
const PACKET_TIME_MS = 20;

/** RFC 8445 §5.1.2.1: type preference of a host candidate; RTP is component 1. */
const HOST_TYPE_PREFERENCE = 126;
const RTP_COMPONENT = 1;

/** The answer to a negotiated offer. `local` has a stream for each kind that was accepted. */
export function buildAnswer(negotiated: Negotiated, local: LocalMedia, identity: SessionIdentity): string {
  const { sessionId, version, address } = identity;
  const session: SessionDescription = {
    version: 0,
    origin: {
      username: '-',
      sessionId,
      sessionVersion: version,
      netType: 'IN',
      ipVer: ipVersion(address),
      address,
    },
    name: '-',
    connection: connection(local.transport === 'rtp' ? local.address : (local.candidates[0]?.address ?? address)),
    timing: { start: 0, stop: 0 },
    media: negotiated.media.map(media => (media.accepted ? answerMedia(media, local) : refuseMedia(media))),
  };
  if (local.transport === 'webrtc') {
    session.icelite = 'ice-lite';
    const bundle = negotiated.webrtc?.bundle ?? [];
    if (bundle.length > 0) session.groups = [{ type: 'BUNDLE', mids: bundle.join(' ') }];
  }
  return write(session);
}

function answerMedia(media: AcceptedMedia, local: LocalMedia): MediaDescription {
  const { kind, codec, payloadType, protocol, mid, direction } = media;
  const { name, clockRateHz, channels } = ENCODINGS[codec];
  const { ssrc, cname } = local.streams.find(stream => stream.kind === kind)!;
  return {
    type: kind,
    protocol,
    payloads: String(payloadType),
    rtp: [{ payload: payloadType, codec: name, rate: clockRateHz, ...(channels > 1 && { encoding: channels }) }],
    fmtp: formatParameters(media),
    rtcpFb: feedback(media),
    direction,
    ...(mid !== null && { mid }),
    ...(kind === 'audio' && { ptime: PACKET_TIME_MS }),
    ...(media.rtcpMux && { rtcpMux: 'rtcp-mux' as const }),
    ssrcs: [{ id: ssrc, attribute: 'cname', value: cname }],
    ...(local.transport === 'rtp' ? rtpTransport(media, local) : webrtcTransport(media, local)),
  };
}

/** RFC 3264 §6: port zero, and the formats of the offer because at least one must stand there. */
function refuseMedia({ kind, protocol, payloads, mid }: RefusedMedia): MediaDescription {
  return {
    type: kind,
    port: 0,
    protocol,
    payloads,
    rtp: [],
    fmtp: [],
    direction: 'inactive',
    ...(mid !== null && { mid }),
  };
}

function rtpTransport({ kind, rtcpMux }: AcceptedMedia, local: Extract<LocalMedia, { transport: 'rtp' }>) {
  const { port, rtcpPort } = local.streams.find(stream => stream.kind === kind)!;
  return { port, ...(!rtcpMux && { rtcp: { port: rtcpPort } }) };
}

/**
 * In every section, although RFC 8843 §7.1.3 wants a BUNDLE group's transport in one alone: browsers write it so, and
 * Firefox 153 crashes on a bundled section without a fingerprint.
 */
function webrtcTransport({ kind }: AcceptedMedia, local: WebrtcMedia) {
  // RFC 8840 §4.1.1: port 9 where there is no candidate to name.
  const port = local.candidates[0]?.port ?? 9;
  const { iceUfrag, icePwd, fingerprint } = local;
  return {
    port,
    msid: [{ id: STREAM_ID, appdata: kind }],
    iceUfrag,
    icePwd,
    fingerprint: { type: 'sha-256', hash: fingerprint },
    setup: 'passive',
    candidates: candidates(local),
    endOfCandidates: 'end-of-candidates' as const,
  };
}

/** Host candidates, the first with the highest priority. */
function candidates({ candidates }: WebrtcMedia): NonNullable<MediaDescription['candidates']> {
  return candidates.map(({ address, port }, index) => ({
    // RFC 8445 §5.1.1.3: another base address, another foundation.
    foundation: String(index + 1),
    component: RTP_COMPONENT,
    transport: 'udp',
    priority: HOST_TYPE_PREFERENCE * 2 ** 24 + (65_535 - index) * 2 ** 8 + (256 - RTP_COMPONENT),
    ip: address,
    port,
    type: 'host',
  }));
}

function formatParameters(media: AcceptedMedia): MediaDescription['fmtp'] {
  if (media.codec !== 'h264') return [];
  const parameters = [
    ...(media.levelAsymmetryAllowed ? ['level-asymmetry-allowed=1'] : []),
    `packetization-mode=${media.packetizationMode}`,
    `profile-level-id=${media.profileLevelId}`,
  ];
  return [{ payload: media.payloadType, config: parameters.join(';') }];
}

function feedback({ payloadType: payload, feedback: { nack, pli, fir } }: AcceptedMedia) {
  return [
    ...(nack ? [{ payload, type: 'nack' }] : []),
    ...(pli ? [{ payload, type: 'nack', subtype: 'pli' }] : []),
    ...(fir ? [{ payload, type: 'ccm', subtype: 'fir' }] : []),
  ];
}

function connection(ip: string): NonNullable<SessionDescription['connection']> {
  return { version: ipVersion(ip), ip };
}

function ipVersion(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}
