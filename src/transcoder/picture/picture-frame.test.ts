import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLACK, Canvas, WHITE } from './canvas.ts';
import { pictureFrame } from './picture-frame.ts';

test('a frame keeps its picture when the canvas is drawn on again', () => {
  // A width that FFmpeg would pad.
  const canvas = new Canvas(50, 20);
  canvas.rectangle(0, 0, 50, 20, WHITE);
  const white = Buffer.from(canvas.data);
  using frame = pictureFrame(canvas);
  canvas.rectangle(0, 0, 50, 20, BLACK);
  assert.deepEqual(Buffer.concat(frame.data!.map(plane => plane.subarray())), white);
});
