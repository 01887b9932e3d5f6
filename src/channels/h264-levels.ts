/** What a stream asks of its decoder. */
export interface StreamSize {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly bitrateBps: number;
}

/** ITU-T H.264 table A-1: level_idc, macroblocks a second, macroblocks a picture, kilobits a second. */
const LEVELS: readonly (readonly [levelIdc: number, perSecond: number, perPicture: number, kbps: number])[] = [
  [10, 1_485, 99, 64],
  [11, 3_000, 396, 192],
  [12, 6_000, 396, 384],
  [13, 11_880, 396, 768],
  [20, 11_880, 396, 2_000],
  [21, 19_800, 792, 4_000],
  [22, 20_250, 1_620, 4_000],
  [30, 40_500, 1_620, 10_000],
  [31, 108_000, 3_600, 14_000],
  [32, 216_000, 5_120, 20_000],
  [40, 245_760, 8_192, 20_000],
  [42, 522_240, 8_704, 50_000],
  [50, 589_824, 22_080, 135_000],
  [51, 983_040, 36_864, 240_000],
  [52, 2_073_600, 36_864, 240_000],
];

/** The lowest level of the Baseline and Main profiles that holds the stream; the highest when none does. */
export function h264LevelOf({ width, height, frameRate, bitrateBps }: StreamSize): number {
  const macroblocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  const [levelIdc] =
    LEVELS.find(
      ([, perSecond, perPicture, kbps]) =>
        macroblocks <= perPicture && macroblocks * frameRate <= perSecond && bitrateBps <= kbps * 1000,
    ) ?? LEVELS.at(-1)!;
  return levelIdc;
}
