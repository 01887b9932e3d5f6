import { compareH264Formats, type H264Format, readH264Format } from './h264.ts';
import type { OfferedMedia } from './parse.ts';
import type { AcceptedMedia, AudioCodec, Capabilities, VideoCodec } from './types.ts';

type Codec = VideoCodec | AudioCodec;

interface Encoding {
  /** As registered for a=rtpmap. */
  readonly name: string;
  readonly clockRateHz: number;
  readonly channels: number;
}

/** RFC 6184 §8.2.1, RFC 7741 §6.1, RFC 7587 §7 (always two channels), RFC 3551 table 4. */
export const ENCODINGS: Readonly<Record<Codec, Encoding>> = {
  h264: { name: 'H264', clockRateHz: 90_000, channels: 1 },
  vp8: { name: 'VP8', clockRateHz: 90_000, channels: 1 },
  opus: { name: 'opus', clockRateHz: 48_000, channels: 2 },
  pcma: { name: 'PCMA', clockRateHz: 8_000, channels: 1 },
  pcmu: { name: 'PCMU', clockRateHz: 8_000, channels: 1 },
};

/** RFC 3551 tables 4 and 5: payload types that need no a=rtpmap. Those that we cannot give are named for the refusal. */
const STATIC_PAYLOAD_TYPES: Readonly<Record<number, Encoding>> = {
  0: ENCODINGS.pcmu,
  3: { name: 'GSM', clockRateHz: 8_000, channels: 1 },
  8: ENCODINGS.pcma,
  9: { name: 'G722', clockRateHz: 8_000, channels: 1 },
  18: { name: 'G729', clockRateHz: 8_000, channels: 1 },
  26: { name: 'JPEG', clockRateHz: 90_000, channels: 1 },
  31: { name: 'H261', clockRateHz: 90_000, channels: 1 },
  34: { name: 'H263', clockRateHz: 90_000, channels: 1 },
};

export type ChosenFormat = Pick<
  AcceptedMedia,
  | 'codec'
  | 'payloadType'
  | 'clockRateHz'
  | 'packetizationMode'
  | 'profileLevelId'
  | 'maxLevelIdc'
  | 'levelAsymmetryAllowed'
>;

interface Candidate extends ChosenFormat {
  readonly h264: H264Format | null;
}

/** The best format of an m-line by the order of `capabilities`; `previous` is kept as long as it is offered. */
export function chooseFormat(
  media: OfferedMedia,
  kind: 'video' | 'audio',
  capabilities: Capabilities,
  previous: ChosenFormat | null,
): ChosenFormat | null {
  const codecs: readonly Codec[] = capabilities[kind];
  const candidates = payloadTypes(media).flatMap(payloadType => {
    const candidate = readFormat(media, payloadType, codecs, capabilities.h264);
    return candidate === null ? [] : [candidate];
  });
  // Sorting is stable, so what is equally good stays in the offerer's order of preference.
  candidates.sort(
    (a, b) =>
      codecs.indexOf(a.codec) - codecs.indexOf(b.codec) ||
      (a.h264 !== null && b.h264 !== null ? compareH264Formats(a.h264, b.h264) : 0),
  );
  const kept = candidates.find(
    ({ codec, payloadType, packetizationMode }) =>
      codec === previous?.codec &&
      payloadType === previous.payloadType &&
      packetizationMode === previous.packetizationMode,
  );
  const chosen = kept ?? candidates[0];
  if (chosen === undefined) return null;
  const { h264: _, ...format } = chosen;
  return format;
}

/** Names of the encodings in an m-line, for people: each once, at most eight. */
export function encodingNames(media: OfferedMedia): string[] {
  const names = payloadTypes(media).map(payloadType => findEncoding(media, payloadType)?.name ?? String(payloadType));
  return [...new Set(names)].slice(0, 8);
}

function payloadTypes(media: OfferedMedia): number[] {
  const listed = media.payloads.split(' ').filter(token => /^\d{1,3}$/.test(token));
  return [...new Set(listed.map(Number))].filter(payloadType => payloadType <= 127);
}

function readFormat(
  media: OfferedMedia,
  payloadType: number,
  codecs: readonly Codec[],
  passed: Capabilities['h264'],
): Candidate | null {
  const encoding = findEncoding(media, payloadType);
  const codec = encoding && codecs.find(candidate => sameEncoding(ENCODINGS[candidate], encoding));
  if (!codec) return null;
  const h264 = codec === 'h264' ? readH264Format(parameters(media, payloadType), passed) : null;
  if (codec === 'h264' && h264 === null) return null;
  return {
    codec,
    payloadType,
    clockRateHz: ENCODINGS[codec].clockRateHz,
    packetizationMode: h264?.packetizationMode ?? 1,
    profileLevelId: h264?.profileLevelId ?? null,
    maxLevelIdc: h264?.maxLevelIdc ?? null,
    levelAsymmetryAllowed: h264?.levelAsymmetryAllowed ?? false,
    h264,
  };
}

function findEncoding(media: OfferedMedia, payloadType: number): Encoding | null {
  const rtpmap = media.rtpmaps.find(({ payload }) => payload === payloadType);
  if (rtpmap === undefined) return STATIC_PAYLOAD_TYPES[payloadType] ?? null;
  return {
    name: String(rtpmap.codec),
    clockRateHz: Number(rtpmap.rate ?? 0),
    channels: Number(rtpmap.encoding ?? 1),
  };
}

/** RFC 4855 §3: encoding names are case-insensitive. */
function sameEncoding(a: Encoding, b: Encoding): boolean {
  return a.name.toLowerCase() === b.name.toLowerCase() && a.clockRateHz === b.clockRateHz && a.channels === b.channels;
}

/** The a=fmtp parameters of a payload type; names in lower case, as RFC 4855 §3 compares them. */
function parameters(media: OfferedMedia, payloadType: number): ReadonlyMap<string, string> {
  const config = media.fmtps.find(({ payload }) => payload === payloadType)?.config ?? '';
  return new Map(
    String(config)
      .split(';')
      .map(parameter => {
        const [name = '', ...value] = parameter.split('=');
        return [name.trim().toLowerCase(), value.join('=').trim()];
      }),
  );
}
