const START_CODE = Buffer.of(0, 0, 1);
/** An AVCDecoderConfigurationRecord's first byte (ISO/IEC 14496-15 §5.3.3.1). */
const AVCC_VERSION = 1;
const AVCC_HEADER_BYTES = 6;
const SEQUENCE_SETS_MASK = 0x1f;

/** How NAL units stand in a stream's packets: after start codes (null), or after their lengths in so many bytes. */
export type LengthBytes = number | null;

/** The parameter sets that a container keeps apart from the pictures, and how its packets are divided. */
export function readExtradata(extradata: Buffer | null): { lengthBytes: LengthBytes; units: readonly Buffer[] } {
  if (extradata === null || extradata[0] !== AVCC_VERSION || extradata.length <= AVCC_HEADER_BYTES) {
    return { lengthBytes: null, units: extradata === null ? [] : splitByStartCodes(extradata) };
  }
  const units: Buffer[] = [];
  let at = AVCC_HEADER_BYTES - 1;
  for (const mask of [SEQUENCE_SETS_MASK, 0xff]) {
    const count = (extradata[at++] ?? 0) & mask;
    for (let index = 0; index < count && at + 2 <= extradata.length; index++) {
      const bytes = extradata.readUInt16BE(at);
      units.push(extradata.subarray(at + 2, at + 2 + bytes));
      at += 2 + bytes;
    }
  }
  return { lengthBytes: (extradata[4]! & 3) + 1, units: units.filter(({ length }) => length > 0) };
}

/** The NAL units of an access unit. What is damaged ends it. */
export function splitNalUnits(data: Buffer, lengthBytes: LengthBytes): readonly Buffer[] {
  if (lengthBytes === null) return splitByStartCodes(data);
  const units: Buffer[] = [];
  for (let at = 0; at + lengthBytes < data.length; ) {
    const bytes = data.readUIntBE(at, lengthBytes);
    at += lengthBytes;
    if (bytes > data.length - at) break;
    if (bytes > 0) units.push(data.subarray(at, at + bytes));
    at += bytes;
  }
  return units;
}

/** Annex B (ITU-T H.264 §B.1): trailing zeros belong to no NAL unit. */
function splitByStartCodes(data: Buffer): readonly Buffer[] {
  const units: Buffer[] = [];
  for (let at = data.indexOf(START_CODE); at !== -1; ) {
    const start = at + START_CODE.length;
    at = data.indexOf(START_CODE, start);
    let end = at === -1 ? data.length : at;
    while (end > start && data[end - 1] === 0) end--;
    if (end > start) units.push(data.subarray(start, end));
  }
  return units;
}

/** Annex B, with a four-byte start code before each. */
export function joinNalUnits(units: readonly Uint8Array[]): Uint8Array {
  const bytes = units.reduce((sum, { length }) => sum + 4 + length, 0);
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const unit of units) {
    joined[at + 3] = 1;
    joined.set(unit, at + 4);
    at += 4 + unit.length;
  }
  return joined;
}
