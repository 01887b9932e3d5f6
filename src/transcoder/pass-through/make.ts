import type { PassThrough } from '../wire.ts';

/** Does whoever takes the one take the other. Asked for each packet. */
export function isSameMake(a: PassThrough | null | undefined, b: PassThrough | null | undefined): boolean {
  if (a?.codec !== 'h264' || b?.codec !== 'h264') return a?.codec === b?.codec;
  return a.profile === b.profile && a.levelIdc === b.levelIdc;
}
