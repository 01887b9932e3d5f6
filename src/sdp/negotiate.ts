import { type ChosenFormat, chooseFormat, ENCODINGS, encodingNames } from './codecs.ts';
import { type Offer, type OfferedMedia, parseOffer } from './parse.ts';
import { bundleOf, isHeldByAddress, readTransport, type Transport } from './transport.ts';
import type { AcceptedMedia, Capabilities, Negotiated, NegotiationFailure, RefusedMedia } from './types.ts';

const KINDS = ['video', 'audio'] as const;
type Kind = (typeof KINDS)[number];

/** An m-line that we could give. */
interface Possible {
  readonly index: number;
  readonly transport: Transport;
  readonly media: AcceptedMedia;
  readonly bundle: readonly string[] | null;
  /** False for one that is there for the transport alone. */
  readonly isGiven: boolean;
}

/** Of what is never sent any will do. */
const EVERY_CODEC: Capabilities = { video: ['h264', 'vp8'], audio: ['opus', 'pcma', 'pcmu'] };

/** SIP reason phrases beyond this are cut by many who show them. */
const MAX_REASON_CHARS = 400;

/**
 * Chooses what to send for an offer (RFC 3264 §6): at most one video and one audio stream, the first of each kind that
 * can be given, each with the best codec in the order of `capabilities`. In a re-offer what ran before is kept where
 * it is still offered.
 */
export function negotiate(
  text: string,
  capabilities: Capabilities,
  previous: Negotiated | null = null,
): Negotiated | NegotiationFailure {
  const offer = parseOffer(text);
  if (typeof offer === 'string') return { ok: false, status: 400, reason: offer };
  if (offer.media.length < (previous?.media.length ?? 0)) {
    // RFC 3264 §8: m-lines are never taken away.
    return { ok: false, status: 488, reason: 'The new offer has fewer m-lines than the last one' };
  }
  const considered = offer.media.map((_, index) => consider(offer, index, capabilities, previous));
  const possible = considered.filter(outcome => typeof outcome !== 'string');
  const accepted = select(possible, previous);
  if (!accepted.some(({ isGiven }) => isGiven))
    return { ok: false, status: 488, reason: refusalReason(offer, considered, capabilities) };
  return {
    ok: true,
    transport: accepted[0]!.transport.kind,
    media: offer.media.map((media, index) => accepted.find(line => line.index === index)?.media ?? refuse(media)),
    webrtc: webrtcOf(accepted),
  };
}

/** What we could give for one m-line; a string says why nothing. */
function consider(
  offer: Offer,
  index: number,
  capabilities: Capabilities,
  previous: Negotiated | null,
): Possible | string {
  const media = offer.media[index]!;
  const { kind } = media;
  if (!isKind(kind)) return 'not a medium that is given';
  const transport = readTransport(offer, media);
  if (typeof transport === 'string') return transport;
  const before = previous?.media[index];
  const bundle = bundleOf(offer, media);
  const isGiven = capabilities[kind].length > 0;
  // RFC 8843 §7.3.2 lets any m-line of a group be refused, but Chromium cannot do without the first, whose transport the
  // others share. It is taken, and nothing ever sent on it.
  const isCarrier = !isGiven && transport.kind === 'webrtc' && bundle !== null && bundle[0] === media.mid;
  const codecs = isCarrier ? { ...capabilities, ...EVERY_CODEC } : capabilities;
  const format = chooseFormat(media, kind, codecs, before?.accepted ? before : null);
  if (format === null) return `offered ${encodingNames(media).join(', ') || 'no codec'}`;
  return {
    index,
    transport,
    media: accept(offer, media, kind, transport, format, isGiven),
    bundle,
    isGiven,
  };
}

function accept(
  offer: Offer,
  media: OfferedMedia,
  kind: Kind,
  transport: Transport,
  format: ChosenFormat,
  isGiven: boolean,
): AcceptedMedia {
  const direction = media.direction ?? offer.session.direction ?? 'sendrecv';
  const isWanted = (direction === 'sendrecv' || direction === 'recvonly') && !isHeldByAddress(transport);
  const sending = isGiven && isWanted;
  const hasFeedback = (type: string, subtype?: string) =>
    media.feedback.some(
      line =>
        (line.payload === '*' || line.payload === format.payloadType) && line.type === type && line.subtype === subtype,
    );
  return {
    accepted: true,
    kind,
    mid: media.mid,
    protocol: media.protocol,
    ...format,
    direction: sending ? 'sendonly' : 'inactive',
    sending,
    rtcpMux: media.rtcpMux,
    feedback: { nack: hasFeedback('nack'), pli: hasFeedback('nack', 'pli'), fir: hasFeedback('ccm', 'fir') },
    remote: transport.remote,
  };
}

function refuse({ kind, mid, protocol, payloads }: OfferedMedia): RefusedMedia {
  return { accepted: false, kind, mid, protocol, payloads };
}

/**
 * One video and one audio line over one transport. An offer may have the same medium over several transports; the one
 * that gives more is taken, the encrypted one if they are equal.
 */
function select(possible: readonly Possible[], previous: Negotiated | null): readonly Possible[] {
  const wasAccepted = ({ index }: Possible) => Number(previous?.media[index]?.accepted ?? false);
  const inOrder = possible.toSorted((a, b) => wasAccepted(b) - wasAccepted(a));
  const [webrtc, rtp] = (['webrtc', 'rtp'] as const).map(transport => {
    const chosen: Possible[] = [];
    for (const kind of KINDS) {
      const line = inOrder.find(
        candidate =>
          candidate.transport.kind === transport &&
          candidate.media.kind === kind &&
          // All of a browser's media share our one port: what is outside the group cannot.
          (transport === 'rtp' || chosen.every(({ bundle }) => bundle !== null && bundle === candidate.bundle)),
      );
      if (line !== undefined) chosen.push(line);
    }
    return chosen;
  }) as [Possible[], Possible[]];
  return rtp.length > webrtc.length ? rtp : webrtc;
}

/** RFC 8843 §7.3.2: the first accepted line of the group speaks for all of it. */
function webrtcOf(accepted: readonly Possible[]): Negotiated['webrtc'] {
  const group = accepted[0]!.bundle ?? [];
  const bundle = group.filter(mid => accepted.some(({ media }) => media.mid === mid));
  const { transport } = accepted.find(({ media }) => media.mid === bundle[0]) ?? accepted[0]!;
  if (transport.kind !== 'webrtc') return null;
  const { iceUfrag, icePwd, fingerprints } = transport;
  return { iceUfrag, icePwd, fingerprints, bundle };
}

/** What was offered and why it would not do, then what could be given; printable ASCII only. */
function refusalReason(offer: Offer, considered: readonly (Possible | string)[], capabilities: Capabilities): string {
  const offered = offer.media.map(({ kind }, index) => `${kind}: ${considered[index]}`);
  const given = KINDS.flatMap(kind => {
    const names = capabilities[kind].map(codec => ENCODINGS[codec].name);
    return names.length === 0 ? [] : [`${kind} ${names.join(', ')}`];
  });
  const reason = `Nothing in common (${offered.join('; ') || 'no m-lines'}); can give ${given.join('; ') || 'nothing'}`;
  return reason.replaceAll(/[^ -~]/g, '?').slice(0, MAX_REASON_CHARS);
}

function isKind(kind: string): kind is Kind {
  return kind === 'video' || kind === 'audio';
}
