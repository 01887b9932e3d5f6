import type { RenditionSpec } from '../../transcoder/wire.ts';

export const SILENCE_US = 20_000;
const SAMPLES = 160;

const FRAMES: Readonly<Record<string, Buffer>> = {
  // RFC 6716 §3.1: one CELT frame of 20 ms over the full band; what it decodes to is nothing.
  opus: Buffer.of(0xf8, 0xff, 0xfe),
  // ITU-T G.711: the codes of the value 0.
  pcma: Buffer.alloc(SAMPLES, 0xd5),
  pcmu: Buffer.alloc(SAMPLES, 0xff),
};

/** 20 ms of silence in a rendition's codec; null for pictures. */
export function silenceOf({ codec }: RenditionSpec): Buffer | null {
  return FRAMES[codec] ?? null;
}
