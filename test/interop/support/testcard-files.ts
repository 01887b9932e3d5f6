/** Reads the test card from what a phone wrote to files: its pictures and its sound. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { find } from './programs.ts';

const WIDTH = 1280;
const HEIGHT = 720;
const BITS = 48;
const SQUARE = 16;
const BEEP_HZ = 1_000;
const BLOCK_MS = 10;

/** Of full scale 32767; the beep has 8000. */
const LOUD = 1_000;

/** The Unix time in milliseconds that the squares of a whole 1280 × 720 picture tell; throws for another size. */
export function timeOfPicture(file: string): number {
  const arguments_ = ['-v', 'error', '-i', file, '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'];
  const pixels = execFileSync(find('ffmpeg')!, arguments_, { maxBuffer: 2 ** 24 });
  if (pixels.length !== WIDTH * HEIGHT) throw new Error(`${file} has ${pixels.length} pixels`);
  let time = 0;
  for (let bit = 0; bit < BITS; bit++) {
    const middle = (SQUARE / 2) * WIDTH + bit * SQUARE + SQUARE / 2;
    time = 2 * time + (pixels[middle]! > 128 ? 1 : 0);
  }
  return time;
}

export interface Sound {
  readonly seconds: number;
  /** Where a 1 kHz tone began, and how long it lasted; those that the recording's ends may have cut are left out. */
  readonly beeps: readonly { readonly atMs: number; readonly lengthMs: number }[];
  /** Milliseconds in which something else was heard. */
  readonly otherMs: number;
}

/** What is in a WAV file of 16-bit samples: blocks of silence, of the tone, and of anything else. */
export function listen(file: string): Sound {
  const { samples, sampleRateHz } = readWav(file);
  const blockSize = (sampleRateHz * BLOCK_MS) / 1000;
  const blocks: ('silence' | 'tone' | 'other')[] = [];
  for (let at = 0; at + blockSize <= samples.length; at += blockSize) {
    blocks.push(judge(samples.subarray(at, at + blockSize), sampleRateHz));
  }
  const beeps: { atMs: number; lengthMs: number }[] = [];
  for (let start = blocks.indexOf('silence'); start < blocks.length; start++) {
    if (start < 0 || blocks[start] !== 'tone' || blocks[start - 1] === 'tone') continue;
    const end = blocks.findIndex((block, index) => index > start && block !== 'tone');
    if (end >= 0) beeps.push({ atMs: start * BLOCK_MS, lengthMs: (end - start) * BLOCK_MS });
  }
  return {
    seconds: samples.length / sampleRateHz,
    beeps,
    otherMs: blocks.filter(block => block === 'other').length * BLOCK_MS,
  };
}

/** Goertzel's algorithm: how much of a block's energy is in the tone. */
function judge(samples: Int16Array, sampleRateHz: number): 'silence' | 'tone' | 'other' {
  const coefficient = 2 * Math.cos((2 * Math.PI * BEEP_HZ) / sampleRateHz);
  let energy = 0;
  let before = 0;
  let last = 0;
  for (const sample of samples) {
    energy += sample * sample;
    [before, last] = [last, sample + coefficient * last - before];
  }
  if (Math.sqrt(energy / samples.length) < LOUD) return 'silence';
  const power = (2 * (before * before + last * last - coefficient * before * last)) / samples.length;
  return power / energy > 0.7 ? 'tone' : 'other';
}

/** The first channel of a RIFF file with 16-bit samples. */
function readWav(file: string): { samples: Int16Array; sampleRateHz: number } {
  const bytes = readFileSync(file);
  let channels = 1;
  let sampleRateHz = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    if (name === 'fmt ') {
      channels = bytes.readUInt16LE(at + 10);
      sampleRateHz = bytes.readUInt32LE(at + 12);
    }
    if (name === 'data') {
      const end = Math.min(at + 8 + size, bytes.length);
      const samples = new Int16Array(Math.floor((end - at - 8) / (2 * channels)));
      for (let n = 0; n < samples.length; n++) samples[n] = bytes.readInt16LE(at + 8 + 2 * channels * n);
      return { samples, sampleRateHz };
    }
    at += 8 + size + (size % 2);
  }
  throw new Error(`${file} has no sound`);
}
