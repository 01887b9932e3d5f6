import { AV_PIX_FMT_BGRA } from 'node-av/constants';
import { FFmpegError, Frame } from 'node-av/lib';

/** Something transparent to be laid over a picture; the same object as long as it is the same. */
export interface Layer {
  /** In BGRA. */
  readonly frame: Frame;
  /** Where in the picture, and how large there; even numbers, as chroma has them. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The picture to lay it over. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
  /** How wide a pixel of it is for each that it is high. */
  readonly pixelAspect: number;
}

/** One track of subtitles, of whatever kind. */
export interface SubtitleTrack {
  /** Takes a packet. `dueUs`: Unix time in microseconds; `durationUs` is 0 when it is not known. */
  take(data: Buffer, dueUs: number, durationUs: number): void;
  /** What is to be seen at this moment, which never is before one that was asked for earlier; null for nothing. */
  at(ptsUs: number, picture: PictureSize): Layer | null;
  close(): void;
}

export const BYTES_PER_PIXEL = 4;

/** A frame with a copy of the pixels, which have no padding between their rows. Throws what FFmpeg says. */
export function bgraFrame(width: number, height: number, pixels: Buffer): Frame {
  const frame = new Frame();
  frame.alloc();
  frame.width = width;
  frame.height = height;
  frame.format = AV_PIX_FMT_BGRA;
  FFmpegError.throwIfError(frame.getBuffer(1), 'allocating subtitles');
  pixels.copy(frame.data![0]!);
  return frame;
}
