import type { FilterSpec } from '../filter-chain.ts';

/** Where a source's pictures are to be turned or mirrored, as a phone held upright or a camera on its head has it. */
export interface Orientation {
  readonly filters: readonly FilterSpec[];
  /** Is what is as wide as it was high. */
  readonly swapsSides: boolean;
}

export const UPRIGHT: Orientation = { filters: [], swapsSides: false };

const MATRIX_BYTES = 9 * 4;

/**
 * What a display matrix asks for (ISO/IEC 14496-12 §8.3.2: a b u, c d v, x y w, each of 32 bits), by quarters: nobody
 * watches a picture that stands at another angle.
 *
 *     x' = a·x + c·y
 *     y' = b·x + d·y
 */
export function orientationOf(matrix: Buffer | null): Orientation {
  if (matrix === null || matrix.length < MATRIX_BYTES) return UPRIGHT;
  const [a, b, c, d] = [0, 1, 3, 4].map(index => matrix.readInt32LE(index * 4)) as [number, number, number, number];
  if (Math.abs(b) > Math.abs(a)) {
    const [rightGoesDown, bottomGoesRight] = [b > 0, c > 0];
    const direction = rightGoesDown
      ? bottomGoesRight
        ? 'cclock_flip'
        : 'clock'
      : bottomGoesRight
        ? 'cclock'
        : 'clock_flip';
    return { filters: [['transpose', `dir=${direction}`]], swapsSides: true };
  }
  const filters: FilterSpec[] = [];
  if (a < 0) filters.push(['hflip', '']);
  if (d < 0) filters.push(['vflip', '']);
  return { filters, swapsSides: false };
}
