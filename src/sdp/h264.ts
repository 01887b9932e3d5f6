import type { AcceptedMedia } from './types.ts';

/** What an H.264 payload type of the offer allows us to send. */
export type H264Format = Pick<
  AcceptedMedia,
  'packetizationMode' | 'profileLevelId' | 'maxLevelIdc' | 'levelAsymmetryAllowed'
> & { readonly maxLevelIdc: number; readonly constrained: boolean };

/** RFC 6184 §8.1: without profile-level-id, Baseline profile at level 1 must be inferred. */
const DEFAULT_PROFILE_LEVEL_ID = '42000a';

const BASELINE = 0x42;
const MAIN = 0x4d;
const EXTENDED = 0x58;

/** The constraint_set flags in the second byte of profile-level-id. */
const CONSTRAINT_SET0 = 0x80;
const CONSTRAINT_SET1 = 0x40;
const CONSTRAINT_SET3 = 0x10;

/** Null when the payload type wants a profile that is not Baseline, or packets that we do not make. */
export function readH264Format(parameters: ReadonlyMap<string, string>): H264Format | null {
  const profileLevelId = parameters.get('profile-level-id') ?? DEFAULT_PROFILE_LEVEL_ID;
  if (!/^[0-9a-f]{6}$/i.test(profileLevelId)) return null;
  const [profile, constraints, level] = [0, 2, 4].map(at => Number.parseInt(profileLevelId.slice(at, at + 2), 16)) as [
    number,
    number,
    number,
  ];
  const constrained = isBaseline(profile, constraints);
  if (constrained === null) return null;
  // RFC 6184 §6.2: single NAL unit mode is what a missing parameter means.
  const mode = parameters.get('packetization-mode') ?? '0';
  if (mode !== '0' && mode !== '1') return null;

  const levelAsymmetryAllowed = parameters.get('level-asymmetry-allowed') === '1';
  const receive = levelAsymmetryAllowed ? maxReceiveLevel(parameters.get('max-recv-level')) : null;
  return {
    packetizationMode: mode === '1' ? 1 : 0,
    profileLevelId,
    maxLevelIdc: Math.max(levelIdc(constraints, level), receive ?? 0),
    levelAsymmetryAllowed,
    constrained,
  };
}

/** Orders the better one first: whole frames rather than slices that fit a packet, then larger pictures. */
export function compareH264Formats(a: H264Format, b: H264Format): number {
  return (
    b.packetizationMode - a.packetizationMode ||
    b.maxLevelIdc - a.maxLevelIdc ||
    Number(b.constrained) - Number(a.constrained)
  );
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
function levelIdc(constraints: number, level: number): number {
  return level === 11 && (constraints & CONSTRAINT_SET3) !== 0 ? 10 : level;
}

/** max-recv-level (RFC 6184 §8.1): the last two bytes of a profile-level-id. */
function maxReceiveLevel(value: string | undefined): number | null {
  if (value === undefined || !/^[0-9a-f]{4}$/i.test(value)) return null;
  return levelIdc(Number.parseInt(value.slice(0, 2), 16), Number.parseInt(value.slice(2), 16));
}
