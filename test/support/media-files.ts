import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A file in a folder of its own, gone after the test. */
export function writeMedia(t: TestContext, name: string, content: Uint8Array | string): string {
  const folder = mkdtempSync(join(tmpdir(), 'media-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A WAVE file with a sawtooth: 16 bit, mono, 8 kHz. */
export function wave(durationMs: number): Buffer {
  const sampleRateHz = 8_000;
  const samples = Int16Array.from({ length: (sampleRateHz * durationMs) / 1000 }, (_, index) => (index % 80) * 200);
  const data = Buffer.from(samples.buffer);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(2 * sampleRateHz, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

/** Uncompressed video (YUV4MPEG2): picture n is of luma 16 + n. */
export function y4m({ width, height, frameRate, frames }: Record<'width' | 'height' | 'frameRate' | 'frames', number>) {
  const pictures = Array.from({ length: frames }, (_, index) =>
    Buffer.concat([
      Buffer.from('FRAME\n'),
      Buffer.alloc(width * height, 16 + index),
      Buffer.alloc((width * height) / 2, 128),
    ]),
  );
  const header = `YUV4MPEG2 W${width} H${height} F${frameRate}:1 Ip A1:1 C420jpeg\n`;
  return Buffer.concat([Buffer.from(header), ...pictures]);
}
