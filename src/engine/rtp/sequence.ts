/** How far `b` is ahead of `a` on the circle of 16-bit sequence numbers: -32768 to 32767. */
export function sequenceDistance(a: number, b: number): number {
  return ((b - a) << 16) >> 16;
}

/** Does `candidate` come after `reference` (RFC 3550 §A.1). */
export function isNewer(candidate: number, reference: number): boolean {
  return sequenceDistance(reference, candidate) > 0;
}
