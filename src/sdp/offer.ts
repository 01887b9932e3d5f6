import { buildAnswer, type SessionIdentity } from './answer.ts';
import { ENCODINGS } from './codecs.ts';
import { h264ProfileOf } from './h264.ts';
import { negotiate } from './negotiate.ts';
import type {
  AcceptedMedia,
  AudioCodec,
  Capabilities,
  LocalMedia,
  Negotiated,
  NegotiationFailure,
  VideoCodec,
} from './types.ts';

/** Nobody is there yet: an address at which nothing is ever sent (RFC 3264 §8.4). */
const NOWHERE = { address: '0.0.0.0', port: 9, rtcpPort: 9 };

type Format = Pick<
  AcceptedMedia,
  'codec' | 'payloadType' | 'packetizationMode' | 'profileLevelId' | 'maxLevelIdc' | 'levelAsymmetryAllowed'
>;

const AUDIO = { packetizationMode: 1, profileLevelId: null, maxLevelIdc: null, levelAsymmetryAllowed: false } as const;

/**
 * What every phone takes. One format of a medium, not a choice: a stream has its payload type from the beginning, and
 * the answer comes after it.
 */
const FORMATS: { readonly video: Readonly<Partial<Record<VideoCodec, Format>>> } & {
  readonly audio: Readonly<Partial<Record<AudioCodec, Format>>>;
} = {
  video: {
    h264: {
      codec: 'h264',
      // RFC 3551 §3: the first of the dynamic payload types.
      payloadType: 96,
      packetizationMode: 1,
      // Constrained baseline, level 3.1.
      profileLevelId: '42e01f',
      maxLevelIdc: 31,
      levelAsymmetryAllowed: true,
    },
  },
  audio: { pcma: { codec: 'pcma', payloadType: 8, ...AUDIO } },
};

/** What to offer to a caller that leaves the offer to us: plain RTP, as `buildOffer` writes it. */
export function propose({ video, audio }: Capabilities): Negotiated {
  const formats = [
    ...audio.flatMap(codec => FORMATS.audio[codec] ?? []).map(format => ({ kind: 'audio' as const, format })),
    ...video.flatMap(codec => FORMATS.video[codec] ?? []).map(format => ({ kind: 'video' as const, format })),
  ];
  return {
    ok: true,
    transport: 'rtp',
    webrtc: null,
    media: formats.map(
      ({ kind, format }): AcceptedMedia => ({
        accepted: true,
        kind,
        mid: null,
        protocol: 'RTP/AVP',
        ...format,
        clockRateHz: ENCODINGS[format.codec].clockRateHz,
        direction: 'sendonly',
        sending: false,
        rtcpMux: false,
        // Though it is RTP/AVP: phones ask for a key frame only in ways that were named to them.
        feedback: { nack: false, pli: kind === 'video', fir: kind === 'video' },
        remote: NOWHERE,
      }),
    ),
  };
}

/** The same session offered anew (RFC 3264 §8): what was agreed, with nothing on hold. */
export function proposeAgain(negotiated: Negotiated): Negotiated {
  const media = negotiated.media.map(each => (each.accepted ? { ...each, direction: 'sendonly' as const } : each));
  return { ...negotiated, media };
}

/** An offer of ours; it is written as an answer is. */
export function buildOffer(proposed: Negotiated, local: LocalMedia, identity: SessionIdentity): string {
  return buildAnswer(proposed, local, identity);
}

/** What the answer to an offer of ours leads to. RFC 3264 §6: it has our m-lines, and formats that are in them. */
export function readAnswer(text: string, proposed: Negotiated): Negotiated | NegotiationFailure {
  const media = proposed.media.filter(each => each.accepted);
  const codecs = media.map(({ codec }) => codec);
  const capabilities: Capabilities = {
    video: codecs.filter(codec => codec === 'h264' || codec === 'vp8'),
    audio: codecs.filter(codec => codec === 'opus' || codec === 'pcma' || codec === 'pcmu'),
    // What was agreed on before may be more than Baseline; at whatever level the answer has it.
    ...h264Of(media),
  };
  const answer = negotiate(text, capabilities, proposed);
  if (!answer.ok) return answer;
  const fits =
    answer.transport === proposed.transport &&
    answer.media.length === proposed.media.length &&
    answer.media.every((each, index) => answers(each, proposed.media[index]!));
  return fits ? answer : { ok: false, status: 488, reason: 'The answer is not one to our offer' };
}

function h264Of(media: readonly AcceptedMedia[]): Pick<Capabilities, 'h264'> {
  const profileLevelId = media.find(({ codec }) => codec === 'h264')?.profileLevelId ?? '';
  const profile = h264ProfileOf(profileLevelId);
  return profile === null ? {} : { h264: { profile, levelIdc: 0 } };
}

function answers(answered: Negotiated['media'][number], offered: Negotiated['media'][number]): boolean {
  if (answered.kind !== offered.kind) return false;
  if (!answered.accepted) return true;
  return offered.accepted && answered.payloadType === offered.payloadType && answered.codec === offered.codec;
}
