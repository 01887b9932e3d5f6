/**
 * One rendition of a film on disk: a folder with a file for each two seconds, and one that says what they are.
 *
 *     rendition.json     the rendition, and how many segments it has; null while it is not whole
 *     000000.frames      the frames of the first two seconds, and so on; empty where there are none
 *
 * A segment is a string of the frame messages of wire.ts, whose times count from the film's start. The first picture of
 * each is a key frame. It gets its name when it is whole and on the disk, so whatever has a name can be played, and a
 * process that was killed goes on after the last of them.
 */

import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeFrame, type FrameMessage, type RenditionSpec, WireReader } from '../wire.ts';

export const SEGMENT_US = 2_000_000;

/** One frame of a prepared film. */
export interface StoredFrame {
  readonly keyFrame: boolean;
  /** Microseconds from the film's start. */
  readonly ptsUs: number;
  readonly data: Uint8Array;
}

interface Description {
  readonly rendition: RenditionSpec;
  readonly segments: number | null;
}

const DESCRIPTION = 'rendition.json';
const UNFINISHED = '.part';
/** Of many in one write: an access unit of a few hundred bytes is not worth a system call. */
const SEGMENT_ID = 0;

/** In which segment of its rendition a moment of a film is. */
export function segmentAt(filmUs: number): number {
  return Math.floor(filmUs / SEGMENT_US);
}

export class RenditionFolder {
  readonly path: string;
  readonly rendition: RenditionSpec;
  /** Segments from the film's start that are whole. */
  segments: number;
  /** Is the last of them the film's. */
  isWhole: boolean;

  /** Makes the folder, or finds what is there of it and clears away what was half written. */
  static async make(path: string, rendition: RenditionSpec): Promise<RenditionFolder> {
    await mkdir(path, { recursive: true });
    const names = await readdir(path);
    for (const name of names) if (name.endsWith(UNFINISHED)) await rm(join(path, name), { force: true });
    const found = await readDescription(path);
    if (found === null) await describe(path, { rendition, segments: null });
    const segments = found?.segments ?? countWhole(new Set(names));
    return new RenditionFolder(path, rendition, segments, found?.segments != null);
  }

  private constructor(path: string, rendition: RenditionSpec, segments: number, isWhole: boolean) {
    this.path = path;
    this.rendition = rendition;
    this.segments = segments;
    this.isWhole = isWhole;
  }

  /** Writes the next segment; when it resolves, neither a crash nor a power failure takes it away. Gives its size. */
  async add(frames: readonly StoredFrame[]): Promise<number> {
    const parts = frames.flatMap(({ keyFrame, ptsUs, data }) => {
      return encodeFrame({ type: 'frame', id: SEGMENT_ID, keyFrame, ptsUs: BigInt(ptsUs), data });
    });
    const bytes = Buffer.concat(parts);
    await writeWhole(join(this.path, segmentFile(this.segments)), bytes);
    this.segments++;
    return bytes.length;
  }

  /** The film has no more segments. */
  async finish(): Promise<void> {
    await describe(this.path, { rendition: this.rendition, segments: this.segments });
    this.isWhole = true;
  }
}

/** The frames of a segment; null when there is none (yet). Rejects when the file cannot be read or is damaged. */
export async function readSegment(folder: string, segment: number): Promise<StoredFrame[] | null> {
  const file = join(folder, segmentFile(segment));
  const bytes = await readFile(file).catch(absent);
  if (bytes === null) return null;
  const { messages, error } = new WireReader<FrameMessage>().push(bytes);
  if (error !== null) throw new Error(`${file}: ${error}`);
  return messages.map(({ keyFrame, ptsUs, data }) => ({ keyFrame, ptsUs: Number(ptsUs), data }));
}

/** How many segments the whole rendition has; null while it is not whole, or not there. */
export async function readSegmentCount(folder: string): Promise<number | null> {
  return (await readDescription(folder))?.segments ?? null;
}

/** What there is of a rendition: what it is, how much of it, and how large that is; null when it is not one. */
export async function lookAt(folder: string): Promise<RenditionStock | null> {
  const [description, names] = await Promise.all([readDescription(folder), readdir(folder).catch(absent)]);
  if (description === null || names === null) return null;
  const sizes = await Promise.all(names.map(async name => (await stat(join(folder, name)).catch(absent))?.size ?? 0));
  return {
    rendition: description.rendition,
    segments: description.segments ?? countWhole(new Set(names)),
    isWhole: description.segments !== null,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

export interface RenditionStock {
  readonly rendition: RenditionSpec;
  readonly segments: number;
  readonly isWhole: boolean;
  readonly bytes: number;
}

/** Writes a file that is there whole or not at all. */
export async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  const unfinished = `${path}.${process.pid}${UNFINISHED}`;
  const file = await open(unfinished, 'w');
  try {
    await writeFile(file, bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}

function segmentFile(segment: number): string {
  return `${String(segment).padStart(6, '0')}.frames`;
}

/** One after the other from the first: after a power failure a later one may be there without those before it. */
function countWhole(names: ReadonlySet<string>): number {
  let count = 0;
  while (names.has(segmentFile(count))) count++;
  return count;
}

async function describe(folder: string, description: Description): Promise<void> {
  await writeWhole(join(folder, DESCRIPTION), `${JSON.stringify(description)}\n`);
}

async function readDescription(folder: string): Promise<Description | null> {
  const text = await readFile(join(folder, DESCRIPTION), 'utf8').catch(absent);
  try {
    return text === null ? null : (JSON.parse(text) as Description);
  } catch {
    return null;
  }
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
