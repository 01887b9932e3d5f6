import type { AudioRendition, SourceInfo, VideoRendition } from '../transcoder/index.ts';

/** What a viewer's negotiated video asks of the encoder. */
export interface VideoWish {
  readonly codec: 'h264' | 'vp8';
  readonly packetizationMode: 0 | 1;
  /** H.264: the level_idc that the viewer's decoder allows (RFC 6184 §8.1); null when the codec has none. */
  readonly maxLevelIdc: number | null;
}

/** The box into which a rendition fits, and its bit rate when it fills the box. */
interface Rung {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly bitrateBps: number;
  /** Lowest H.264 level (ITU-T H.264 table A-1) whose frame size, macroblock rate and bit rate hold this rung. */
  readonly levelIdc: number;
}

/** Best first. */
const LADDER: readonly Rung[] = [
  { width: 1280, height: 720, frameRate: 30, bitrateBps: 2_500_000, levelIdc: 31 },
  { width: 640, height: 360, frameRate: 30, bitrateBps: 800_000, levelIdc: 30 },
  { width: 320, height: 180, frameRate: 30, bitrateBps: 250_000, levelIdc: 13 },
  { width: 176, height: 144, frameRate: 15, bitrateBps: 60_000, levelIdc: 10 },
];

/** The best rung that the viewer's decoder takes, with the source scaled down into it (never up), aspect kept. */
export function chooseVideo(wish: VideoWish, source: NonNullable<SourceInfo['video']>): VideoRendition {
  const { maxLevelIdc } = wish;
  const rung = LADDER.find(({ levelIdc }) => maxLevelIdc === null || levelIdc <= maxLevelIdc) ?? LADDER.at(-1)!;
  const scale = Math.min(1, rung.width / source.width, rung.height / source.height);
  const width = even(source.width * scale);
  const height = even(source.height * scale);
  // A smaller picture needs more bits per pixel for the same look; the exponent is the usual rule of thumb.
  const share = ((width * height) / (rung.width * rung.height)) ** 0.75;
  return {
    kind: 'video',
    codec: wish.codec,
    packetizationMode: wish.packetizationMode,
    width,
    height,
    frameRate: Math.min(rung.frameRate, source.frameRate),
    bitrateBps: Math.round(rung.bitrateBps * Math.min(1, share)),
  };
}

export function chooseAudio(codec: AudioRendition['codec']): AudioRendition {
  return { kind: 'audio', codec };
}

/** 4:2:0 chroma needs even sides. */
function even(pixels: number): number {
  return Math.max(2, 2 * Math.floor(pixels / 2));
}
