import type { Frame } from 'node-av/lib';
import {
  AUDIO_FORMATS,
  AUDIO_FRAME_MS,
  AudioEncoder,
  PictureFilter,
  SoundFilter,
  VideoEncoder,
} from '../encode/index.ts';
import type { EncodedFrame } from '../encoded-frame.ts';
import type { FilmReader } from '../source/index.ts';
import type { AudioRendition, VideoRendition } from '../wire.ts';
import { type RenditionFolder, readSegment, SEGMENT_US, type StoredFrame, segmentAt } from './rendition-folder.ts';

/** With so much of what was before, a sound encoder that goes on sounds as if it had never stopped. */
const RUN_UP_US = 1_000_000;

/** Makes the segments that are missing. `added` hears of each, with its size in bytes. */
export async function prepare(
  reader: FilmReader,
  folder: RenditionFolder,
  added: (bytes: number) => void,
): Promise<void> {
  const writer = new SegmentWriter(folder, added);
  const { rendition } = folder;
  const fromUs = folder.segments * SEGMENT_US;
  if (rendition.kind === 'video') await preparePictures(reader, rendition, fromUs, await lastOf(folder), writer);
  else await prepareSound(reader, rendition, fromUs, writer);
  await writer.finish();
}

/** The time of the last frame that is there; null when there is none. */
async function lastOf({ path, segments }: RenditionFolder): Promise<number | null> {
  for (let segment = segments - 1; segment >= 0; segment--) {
    const last = (await readSegment(path, segment))?.at(-1);
    if (last !== undefined) return last.ptsUs;
  }
  return null;
}

/** Each segment can be decoded by itself. Of pictures beyond the rate those are left out that always were. */
async function preparePictures(
  reader: FilmReader,
  rendition: VideoRendition,
  fromUs: number,
  lastUs: number | null,
  writer: SegmentWriter,
): Promise<void> {
  const filter = new PictureFilter(rendition);
  if (lastUs !== null) filter.goOnAfter(lastUs);
  const encoder = await VideoEncoder.open(rendition, {
    effort: 'full',
    hardware: null,
    // Nothing is late, and nothing is left out.
    nowUs: () => 0,
    load: { encoded: () => undefined, leftOut: () => undefined },
    onFrame: frame => writer.push(frame),
    onFailed: () => undefined,
  });
  let segment = -1;
  try {
    await reader.read('video', fromUs, async (frame, filmUs) => {
      if (filmUs < fromUs) return;
      if (segmentAt(filmUs) !== segment) {
        segment = segmentAt(filmUs);
        encoder.requestKeyFrame();
      }
      filter.push(frame, filmUs, (filtered, filteredUs) => encoder.push(filtered, filteredUs));
      await encoder.settled();
      await writer.settled();
    });
  } finally {
    await encoder.close();
    filter.close();
  }
}

async function prepareSound(
  reader: FilmReader,
  rendition: AudioRendition,
  fromUs: number,
  writer: SegmentWriter,
): Promise<void> {
  const filter = new SoundFilter(AUDIO_FORMATS[rendition.codec], AUDIO_FRAME_MS * 1000);
  const encoder = await AudioEncoder.open(rendition, frame => writer.push(frame));
  try {
    await reader.read('audio', fromUs - RUN_UP_US, async (frame: Frame, filmUs: number) => {
      if (filmUs < fromUs - RUN_UP_US) return;
      filter.push(frame, filmUs, (filtered, filteredUs) => encoder.push(filtered, filteredUs));
      await writer.settled();
    });
  } finally {
    await encoder.close();
    filter.close();
  }
}

/** Collects frames until their segment is whole. */
class SegmentWriter {
  readonly #folder: RenditionFolder;
  readonly #added: (bytes: number) => void;
  #frames: StoredFrame[] = [];
  /** Those of whole segments that are not written yet. */
  readonly #whole: StoredFrame[][] = [];
  #segment: number;

  constructor(folder: RenditionFolder, added: (bytes: number) => void) {
    this.#folder = folder;
    this.#added = added;
    this.#segment = folder.segments;
  }

  push({ keyFrame, ptsUs, data }: EncodedFrame): void {
    const segment = segmentAt(ptsUs);
    // What is there already comes again where an encoder runs up.
    if (segment < this.#segment) return;
    while (this.#segment < segment) this.#next();
    this.#frames.push({ keyFrame, ptsUs, data });
  }

  async settled(): Promise<void> {
    for (let frames = this.#whole.shift(); frames !== undefined; frames = this.#whole.shift()) {
      this.#added(await this.#folder.add(frames));
    }
  }

  /** The film is over. */
  async finish(): Promise<void> {
    if (this.#frames.length > 0) this.#next();
    await this.settled();
    await this.#folder.finish();
  }

  #next(): void {
    this.#whole.push(this.#frames);
    this.#frames = [];
    this.#segment++;
  }
}
