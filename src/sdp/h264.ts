import type { AcceptedMedia, Capabilities, H264Profile } from './types.ts';

/** What an H.264 payload type of the offer allows us to send. */
export type H264Format = Pick<
  AcceptedMedia,
  'packetizationMode' | 'profileLevelId' | 'maxLevelIdc' | 'levelAsymmetryAllowed'
> & {
  readonly maxLevelIdc: number;
  /** Is it Constrained Baseline and nothing more. */
  readonly constrained: boolean;
  /** Can the stream be sent that is passed through. */
  readonly passes: boolean;
};

/** RFC 6184 §8.1: without profile-level-id, Baseline profile at level 1 must be inferred. */
const DEFAULT_PROFILE_LEVEL_ID = '42000a';

const BASELINE = 0x42;
const MAIN = 0x4d;
const EXTENDED = 0x58;
const HIGH = 0x64;

/** Each can do what those before it can. */
const PROFILES: readonly H264Profile[] = ['baseline', 'main', 'high'];

/** The constraint_set flags in the second byte of profile-level-id. */
const CONSTRAINT_SET0 = 0x80;
const CONSTRAINT_SET1 = 0x40;
const CONSTRAINT_SET3 = 0x10;

/** Null when the payload type wants packets that we do not make, or a profile that is neither Baseline nor passed through. */
export function readH264Format(
  parameters: ReadonlyMap<string, string>,
  passed: Capabilities['h264'] = undefined,
): H264Format | null {
  const profileLevelId = parameters.get('profile-level-id') ?? DEFAULT_PROFILE_LEVEL_ID;
  const bytes = readProfileLevelId(profileLevelId);
  if (bytes === null) return null;
  const { profile, constrained, levelIdc } = bytes;
  // RFC 6184 §6.2: single NAL unit mode is what a missing parameter means.
  const mode = parameters.get('packetization-mode') ?? '0';
  if (mode !== '0' && mode !== '1') return null;

  const levelAsymmetryAllowed = parameters.get('level-asymmetry-allowed') === '1';
  const receive = levelAsymmetryAllowed ? maxReceiveLevel(parameters.get('max-recv-level')) : null;
  const maxLevelIdc = Math.max(levelIdc, receive ?? 0);
  const passes =
    passed !== undefined &&
    mode === '1' &&
    passed.levelIdc <= maxLevelIdc &&
    PROFILES.indexOf(passed.profile) <= PROFILES.indexOf(profile);
  if (profile !== 'baseline' && !passes) return null;
  return {
    packetizationMode: mode === '1' ? 1 : 0,
    profileLevelId,
    maxLevelIdc,
    levelAsymmetryAllowed,
    constrained,
    passes,
  };
}

/** What the decoder that a profile-level-id stands for can do; null for one that we have nothing for. */
export function h264ProfileOf(profileLevelId: string): H264Profile | null {
  return readProfileLevelId(profileLevelId)?.profile ?? null;
}

/**
 * Orders the better one first: what needs no encoder, then whole frames rather than slices that fit a packet, then
 * larger pictures.
 */
export function compareH264Formats(a: H264Format, b: H264Format): number {
  return (
    Number(b.passes) - Number(a.passes) ||
    b.packetizationMode - a.packetizationMode ||
    b.maxLevelIdc - a.maxLevelIdc ||
    Number(b.constrained) - Number(a.constrained)
  );
}

/** RFC 6184 §8.1: profile_idc, the constraint_set flags and level_idc, a byte each. */
function readProfileLevelId(
  text: string,
): { readonly profile: H264Profile; readonly constrained: boolean; readonly levelIdc: number } | null {
  if (!/^[0-9a-f]{6}$/i.test(text)) return null;
  const [idc, constraints, level] = [...Buffer.from(text, 'hex')] as [number, number, number];
  const constrained = isBaseline(idc, constraints);
  const profile = constrained !== null ? 'baseline' : idc === MAIN ? 'main' : idc === HIGH ? 'high' : null;
  return profile && { profile, constrained: constrained ?? false, levelIdc: levelIdcOf(constraints, level) };
}

/** RFC 6184 table 5: true for Constrained Baseline, false for Baseline, null for any other profile. */
function isBaseline(profile: number, constraints: number): boolean | null {
  const set0 = (constraints & CONSTRAINT_SET0) !== 0;
  const set1 = (constraints & CONSTRAINT_SET1) !== 0;
  if (profile === BASELINE) return set1;
  if (profile === MAIN && set0) return true;
  if (profile === EXTENDED && set0) return set1;
  return null;
}

/** Level 1b is written as 11 with constraint_set3 (ITU-T H.264 §A.3.1); it holds what level 1 does, and a little more. */
function levelIdcOf(constraints: number, level: number): number {
  return level === 11 && (constraints & CONSTRAINT_SET3) !== 0 ? 10 : level;
}

/** max-recv-level (RFC 6184 §8.1): the last two bytes of a profile-level-id. */
function maxReceiveLevel(value: string | undefined): number | null {
  if (value === undefined || !/^[0-9a-f]{4}$/i.test(value)) return null;
  return levelIdcOf(Number.parseInt(value.slice(0, 2), 16), Number.parseInt(value.slice(2), 16));
}
