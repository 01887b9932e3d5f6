import { AV_PIX_FMT_YUV420P } from 'node-av/constants';
import { FFmpegError, Frame } from 'node-av/lib';
import type { Canvas } from './canvas.ts';

/** Without padding between rows, as a canvas has none either. */
const ALIGNMENT = 1;

/**
 * A frame with a copy of the canvas. `Frame.fromVideoBuffer` only points at the buffer that it is given: an encoder
 * that works while the next picture is drawn would see half of each. Throws what FFmpeg says when memory is short.
 */
export function pictureFrame({ width, height, data }: Canvas): Frame {
  const frame = new Frame();
  frame.alloc();
  frame.width = width;
  frame.height = height;
  frame.format = AV_PIX_FMT_YUV420P;
  FFmpegError.throwIfError(frame.getBuffer(ALIGNMENT), 'allocating a picture');
  let offset = 0;
  for (const [plane, pixels] of [width * height, (width * height) / 4, (width * height) / 4].entries()) {
    data.copy(frame.data![plane]!, 0, offset, offset + pixels);
    offset += pixels;
  }
  return frame;
}
