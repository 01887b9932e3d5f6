const START_CODE = Buffer.of(0, 0, 1);

/**
 * Finds the NAL units of an Annex B byte stream (ITU-T H.264 §B.1) and writes the start and end of each into `bounds`,
 * in turns; what comes before the first start code is no NAL unit. Returns how many numbers it wrote.
 */
export function findNalUnits(stream: Buffer, bounds: number[]): number {
  let count = 0;
  let start = stream.indexOf(START_CODE);
  while (start !== -1) {
    start += START_CODE.length;
    const next = stream.indexOf(START_CODE, start);
    let end = next === -1 ? stream.length : next;
    // Trailing zeros, the first of a four-byte start code among them, belong to no NAL unit: one ends in a set bit.
    while (end > start && stream[end - 1] === 0) end--;
    if (end > start) {
      bounds[count++] = start;
      bounds[count++] = end;
    }
    start = next;
  }
  return count;
}
