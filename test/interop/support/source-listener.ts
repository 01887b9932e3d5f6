/** Process entry: plays the source in its arguments until so many beeps were heard, and prints what came of it in JSON. */

import type { Frame } from 'node-av/lib';
import { createSource } from '../../../src/transcoder/source/index.ts';
import { frameSink } from '../../support/frame-sink.ts';
import type { DueTimes } from './source-probe.ts';

const [FLASH_LEFT, FLASH_TOP] = [1216 / 1280, 656 / 720];
const WHITE = 128;
const LOUD = 0.1;
/** The tone goes through zero twice in a millisecond; between two beeps are 900 ms. */
const QUIET_MS = 300;

const nowUs = () => Math.round((performance.timeOrigin + performance.now()) * 1_000);

async function listen(url: string, beeps: number, loop: boolean): Promise<DueTimes> {
  const startedUs = nowUs();
  const source = await createSource({ url, loop, passThrough: false, nowUs, changed: () => undefined });
  const enough = new AbortController();
  const seen = { firstPictureMs: Number.NaN, pictures: 0, flashesAtMs: [] as number[], beepsAtMs: [] as number[] };
  let wasWhite = true;
  let loudAtMs = Number.NaN;
  const sink = frameSink({
    video: (frame, ptsUs) => {
      if (seen.pictures++ === 0) seen.firstPictureMs = (ptsUs - startedUs) / 1_000;
      const isWhite = lumaOfFlash(frame) > WHITE;
      if (isWhite && !wasWhite) seen.flashesAtMs.push(ptsUs / 1_000);
      wasWhite = isWhite;
    },
    audio: (frame, ptsUs) => {
      const samples = floats(frame);
      // What was there before the first frame is not known.
      if (Number.isNaN(loudAtMs)) loudAtMs = ptsUs / 1_000;
      for (const [index, sample] of samples.entries()) {
        if (Math.abs(sample) < LOUD) continue;
        const atMs = ptsUs / 1_000 + (index * 1_000) / frame.sampleRate;
        if (atMs - loudAtMs > QUIET_MS) seen.beepsAtMs.push(atMs);
        loudAtMs = atMs;
      }
      if (seen.beepsAtMs.length >= beeps && seen.flashesAtMs.length >= beeps) enough.abort();
    },
  });
  try {
    await source.open();
    await source.play(sink, enough.signal);
  } finally {
    await source.close();
  }
  if (!enough.signal.aborted) throw new Error(`${url} ended after ${seen.beepsAtMs.length} beeps`);
  return seen;
}

function lumaOfFlash({ data, linesize, width, height }: Frame): number {
  const x = Math.round((FLASH_LEFT + 0.025) * width);
  const y = Math.round((FLASH_TOP + 0.044) * height);
  return data![0]![y * linesize[0]! + x]!;
}

/** The first channel of planar floats, which is what FFmpeg's decoders of AAC and Opus make. */
function floats({ data, nbSamples }: Frame): Float32Array {
  const plane = data![0]!;
  return new Float32Array(plane.buffer, plane.byteOffset, nbSamples);
}

const [url = '', beeps, loop] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await listen(url, Number(beeps), loop === 'true')));
