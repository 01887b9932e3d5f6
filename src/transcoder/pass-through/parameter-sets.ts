import type { H264Profile } from '../wire.ts';
import { BitReader } from './bits.ts';

/** What a sequence parameter set (ITU-T H.264 §7.3.2.1.1) says of whom its pictures are for. */
export interface SequenceParameters {
  readonly id: number;
  /** The least that a decoder has to know; null for what few know. */
  readonly profile: H264Profile | null;
  readonly profileIdc: number;
  readonly levelIdc: number;
  /** 8 bits, 4:2:0. */
  readonly isUsualFormat: boolean;
  readonly isProgressive: boolean;
}

export interface PictureParameters {
  readonly id: number;
  /** Does it have what only Extended and the unconstrained Baseline profile do (§7.4.2.2). */
  readonly hasSliceGroups: boolean;
}

const BASELINE = 66;
const MAIN = 77;
const HIGH = 100;

const CONSTRAINT_SET0 = 0x80;
const CONSTRAINT_SET3 = 0x10;

/** Profiles whose sets say more of the format. */
const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const YUV_420 = 1;
const YUV_444 = 3;

const MAX_IDS = { sequence: 31, picture: 255 };
const MAX_CYCLE = 255;

/** Null when it is damaged. */
export function readSequenceParameters(nalUnit: Uint8Array): SequenceParameters | null {
  const reader = new BitReader(nalUnit);
  const profileIdc = reader.bits(8);
  const constraints = reader.bits(8);
  const level = reader.bits(8);
  const id = reader.unsigned();
  let isUsualFormat = true;
  if (HIGH_PROFILES.has(profileIdc)) {
    const chroma = reader.unsigned();
    if (chroma === YUV_444) reader.flag();
    const [lumaDepth, chromaDepth] = [8 + reader.unsigned(), 8 + reader.unsigned()];
    reader.flag();
    if (reader.flag()) skipScalingLists(reader, chroma === YUV_444 ? 12 : 8);
    isUsualFormat = chroma === YUV_420 && lumaDepth === 8 && chromaDepth === 8;
  }
  reader.unsigned();
  skipPictureOrder(reader);
  reader.unsigned();
  reader.flag();
  reader.unsigned();
  reader.unsigned();
  const isProgressive = reader.flag();
  if (reader.overrun || id > MAX_IDS.sequence) return null;
  return {
    id,
    profile: profileOf(profileIdc, constraints),
    profileIdc,
    levelIdc: levelOf(profileIdc, constraints, level),
    isUsualFormat,
    isProgressive,
  };
}

/** Null when it is damaged. */
export function readPictureParameters(nalUnit: Uint8Array): PictureParameters | null {
  const reader = new BitReader(nalUnit);
  const id = reader.unsigned();
  reader.unsigned();
  reader.flag();
  reader.flag();
  const hasSliceGroups = reader.unsigned() > 0;
  return reader.overrun || id > MAX_IDS.picture ? null : { id, hasSliceGroups };
}

/** §A.2.1: Baseline without slice groups is taken for Constrained Baseline, since nobody reorders slices. */
function profileOf(profileIdc: number, constraints: number): H264Profile | null {
  if (profileIdc === BASELINE) return 'baseline';
  if (profileIdc === MAIN) return (constraints & CONSTRAINT_SET0) !== 0 ? 'baseline' : 'main';
  return profileIdc === HIGH ? 'high' : null;
}

/** §A.3.1: level 1b, however it is written, needs more than a decoder of level 1 can do. */
function levelOf(profileIdc: number, constraints: number, level: number): number {
  const is1b = level === 9 || (level === 11 && profileIdc !== HIGH && (constraints & CONSTRAINT_SET3) !== 0);
  return is1b ? 11 : level;
}

/** §7.3.2.1.1.1 */
function skipScalingLists(reader: BitReader, lists: number): void {
  for (let list = 0; list < lists; list++) {
    if (!reader.flag()) continue;
    let next = 8;
    for (let index = 0; index < (list < 6 ? 16 : 64) && next !== 0; index++) {
      next = (next + reader.signed() + 256) % 256;
    }
  }
}

function skipPictureOrder(reader: BitReader): void {
  const type = reader.unsigned();
  if (type === 0) reader.unsigned();
  if (type !== 1) return;
  reader.flag();
  reader.signed();
  reader.signed();
  const cycle = Math.min(reader.unsigned(), MAX_CYCLE);
  for (let index = 0; index < cycle; index++) reader.signed();
}
