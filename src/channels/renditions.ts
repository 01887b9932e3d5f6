import type { LadderRung } from '../config/index.ts';
import type { AudioRendition, H264Profile, PassThrough, SourceInfo, VideoRendition } from '../transcoder/index.ts';
import { h264LevelOf } from './h264-levels.ts';

/** What a viewer's negotiated video asks of the encoder. */
export interface VideoWish {
  readonly codec: 'h264' | 'vp8';
  readonly packetizationMode: 0 | 1;
  /** H.264: the level_idc that the viewer's decoder allows (RFC 6184 §8.1); null when the codec has none. */
  readonly maxLevelIdc: number | null;
  /** H.264: what the viewer's decoder can do; null when the codec has none. */
  readonly profile: H264Profile | null;
}

type Video = NonNullable<SourceInfo['video']>;
type Audio = NonNullable<SourceInfo['audio']>;

/** Sizes that suit most, best first. */
const LADDER: readonly LadderRung[] = [
  { width: 1280, height: 720, frameRate: 30, bitrateBps: 2_500_000 },
  { width: 640, height: 360, frameRate: 30, bitrateBps: 800_000 },
  { width: 320, height: 180, frameRate: 30, bitrateBps: 250_000 },
  { width: 176, height: 144, frameRate: 15, bitrateBps: 60_000 },
];

/** Each profile's decoder knows those before it. */
const PROFILES: readonly H264Profile[] = ['baseline', 'main', 'high'];

/**
 * The best rung that the viewer's decoder takes, with the source scaled down into it (never up), aspect kept; passed
 * through where the viewer takes what comes in, and then the rung is for when that is not possible.
 */
export function chooseVideo(wish: VideoWish, source: Video, ladder: readonly LadderRung[] = []): VideoRendition {
  const passThrough = source.passThrough !== undefined && takes(wish, source.passThrough) ? source.passThrough : null;
  // By the level of what is passed through, so that all whom it is passed through to share one rendition.
  const maxLevelIdc = passThrough?.codec === 'h264' ? passThrough.levelIdc : wish.maxLevelIdc;
  const fitted = [...ladder, ...LADDER].map(rung => fit(source, rung));
  // It is what comes out that has to be within the level: a small source fits where its rung would not.
  const size = fitted.find(each => maxLevelIdc === null || h264LevelOf(each) <= maxLevelIdc) ?? fitted.at(-1)!;
  return {
    kind: 'video',
    codec: wish.codec,
    packetizationMode: wish.packetizationMode,
    ...size,
    ...(passThrough !== null && { passThrough }),
  };
}

/** The source as large as it fits into a rung. */
function fit(source: Video, rung: LadderRung): LadderRung {
  // An upright picture gets the size turned on its side: a decoder takes as many pixels either way.
  const [long, short] = [Math.max(rung.width, rung.height), Math.min(rung.width, rung.height)];
  const [most, least] = [Math.max(source.width, source.height), Math.min(source.width, source.height)];
  const scale = Math.min(1, long / most, short / least);
  const [width, height] = [even(source.width * scale), even(source.height * scale)];
  // A smaller picture needs more bits per pixel for the same look; the exponent is the usual rule of thumb.
  const share = ((width * height) / (rung.width * rung.height)) ** 0.75;
  return {
    width,
    height,
    frameRate: evenFrameRate(source.frameRate, rung.frameRate),
    bitrateBps: Math.round(rung.bitrateBps * Math.min(1, share)),
  };
}

export function chooseAudio(codec: AudioRendition['codec'], { passThrough }: Audio): AudioRendition {
  return { kind: 'audio', codec, ...(passThrough?.codec === codec && { passThrough }) };
}

function takes({ codec, packetizationMode, maxLevelIdc, profile }: VideoWish, make: PassThrough): boolean {
  if (make.codec !== codec) return false;
  if (make.codec !== 'h264') return true;
  // Nobody cuts the slices of what is passed through so that each fits a packet.
  if (packetizationMode !== 1 || maxLevelIdc === null || profile === null) return false;
  return make.levelIdc <= maxLevelIdc && PROFILES.indexOf(make.profile) <= PROFILES.indexOf(profile);
}

/**
 * Of a source with more pictures than the most each second or third, where that is not much less: movement stays even.
 * A rate that is only measured may be a little beyond the most.
 */
function evenFrameRate(rate: number, most: number): number {
  const even = rate / Math.max(1, Math.ceil(rate / most - 0.1));
  return Math.min(most, even < most * 0.75 ? rate : even);
}

/** 4:2:0 chroma needs even sides. */
function even(pixels: number): number {
  return Math.max(2, 2 * Math.floor(pixels / 2));
}
