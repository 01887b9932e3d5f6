import type { EncodedFrame } from '../encoded-frame.ts';
import type { Verdict } from '../wire.ts';
import { KeyFrameDistance } from './key-frame-distance.ts';
import { joinNalUnits, type LengthBytes, readExtradata, splitNalUnits } from './nal-units.ts';
import {
  type PictureParameters,
  readPictureParameters,
  readSequenceParameters,
  type SequenceParameters,
} from './parameter-sets.ts';
import { NOT_YET_KNOWN, type Passage } from './passage.ts';

/** nal_unit_type, ITU-T H.264 table 7-1. */
const NAL = { lastSlice: 5, idr: 5, sequenceParameters: 7, pictureParameters: 8 };
const TYPE_BITS = 0x1f;

interface Kept<Parameters> {
  readonly unit: Buffer;
  readonly parameters: Parameters;
}

/**
 * H.264: slices and nothing else, with the parameter sets before each IDR picture, and wherever they change. Access unit
 * delimiters, supplemental information and filler tell a viewer nothing.
 */
export class H264Passage implements Passage {
  readonly #lengthBytes: LengthBytes;
  readonly #distance: KeyFrameDistance;
  readonly #sequenceSets = new Map<number, Kept<SequenceParameters>>();
  readonly #pictureSets = new Map<number, Kept<PictureParameters>>();
  #latest: SequenceParameters | null = null;

  constructor(extradata: Buffer | null, isReordered: boolean) {
    const { lengthBytes, units } = readExtradata(extradata);
    this.#lengthBytes = lengthBytes;
    this.#distance = new KeyFrameDistance(isReordered);
    for (const unit of units) this.#takeParameters(unit);
  }

  take(data: Buffer, ptsUs: number): EncodedFrame | null {
    const slices: Buffer[] = [];
    const changed: Buffer[] = [];
    for (const unit of splitNalUnits(data, this.#lengthBytes)) {
      const type = unit[0]! & TYPE_BITS;
      if (type >= 1 && type <= NAL.lastSlice) slices.push(unit);
      else if (this.#takeParameters(unit)) changed.push(unit);
    }
    if (slices.length === 0) return null;
    const keyFrame = slices.some(unit => (unit[0]! & TYPE_BITS) === NAL.idr);
    this.#distance.take(keyFrame, ptsUs);
    const sets = keyFrame
      ? [...this.#sequenceSets.values(), ...this.#pictureSets.values()].map(kept => kept.unit)
      : changed;
    return { keyFrame, ptsUs, data: joinNalUnits([...sets, ...slices]) };
  }

  get verdict(): Verdict {
    const { profile, levelIdc } = this.#latest ?? { profile: null, levelIdc: 0 };
    const obstacle = this.#formatObstacle ?? this.#distance.obstacle;
    if (obstacle !== null || profile === null) return { obstacle: obstacle ?? NOT_YET_KNOWN };
    const passThrough = { codec: 'h264', profile, levelIdc } as const;
    return this.#distance.isKnown ? { passThrough } : { passThrough, obstacle: NOT_YET_KNOWN };
  }

  get #formatObstacle(): string | null {
    if (this.#latest === null) return null;
    const { profile, profileIdc, isUsualFormat, isProgressive } = this.#latest;
    if (!isUsualFormat) return 'its pictures are not of 8 bits in 4:2:0';
    if (profile === null) return `its H.264 profile ${profileIdc} is none that viewers take`;
    if (!isProgressive) return 'it is interlaced';
    const hasSliceGroups = [...this.#pictureSets.values()].some(({ parameters }) => parameters.hasSliceGroups);
    return hasSliceGroups ? 'it has slice groups' : null;
  }

  /** Is it a parameter set that was not known. */
  #takeParameters(unit: Buffer): boolean {
    const type = unit[0]! & TYPE_BITS;
    if (type === NAL.sequenceParameters) {
      const parameters = readSequenceParameters(unit);
      if (parameters === null || !keep(this.#sequenceSets, unit, parameters)) return false;
      this.#latest = parameters;
      return true;
    }
    const parameters = type === NAL.pictureParameters ? readPictureParameters(unit) : null;
    return parameters !== null && keep(this.#pictureSets, unit, parameters);
  }
}

/** A copy, since the packet's memory is not ours. False when it is known already. */
function keep<Parameters extends { readonly id: number }>(
  sets: Map<number, Kept<Parameters>>,
  unit: Buffer,
  parameters: Parameters,
): boolean {
  if (sets.get(parameters.id)?.unit.equals(unit)) return false;
  sets.set(parameters.id, { unit: Buffer.from(unit), parameters });
  return true;
}
