import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AV_LOG_QUIET, AV_PIX_FMT_YUV420P } from 'node-av/constants';
import { Log } from 'node-av/lib';
import { FilterChain } from './filter-chain.ts';
import { Canvas, pictureFrame } from './picture/index.ts';

// It says what is wrong with what is refused here on purpose.
Log.setLevel(AV_LOG_QUIET);

const description = (width: number, format: number = AV_PIX_FMT_YUV420P) =>
  `video_size=${width}x16:pix_fmt=${format}:time_base=1/1000000`;

/** Widths of what comes of pictures that are said to be so. */
function widths(descriptions: readonly string[]): number[] {
  const chain = new FilterChain('video', [['scale', 'w=iw*2:h=ih']]);
  const found: number[] = [];
  for (const each of descriptions) {
    using picture = pictureFrame(new Canvas(32, 16));
    chain.push(picture, each, ({ width }) => found.push(width));
  }
  chain.close();
  return found;
}

describe('a chain of filters', () => {
  it('leaves out what FFmpeg refuses, and goes on with what it does not', () => {
    for (const refused of [description(0), description(32, 100_000), 'nonsense']) {
      assert.deepEqual(widths([description(32), refused, refused, description(32)]), [64, 64], refused);
    }
  });

  it('gives in the end what it holds back', () => {
    const chain = new FilterChain('video', [['bwdif', 'mode=send_frame']]);
    const times: number[] = [];
    const take = ({ pts }: { pts: bigint }, timeBaseSeconds: number) => times.push(Number(pts) * timeBaseSeconds);
    for (const seconds of [1, 2, 3]) {
      using picture = pictureFrame(new Canvas(32, 16));
      picture.pts = BigInt(seconds * 1_000_000);
      chain.push(picture, description(32), take);
    }
    assert.deepEqual(times, [1, 2]);
    chain.end(take);
    chain.end(take);
    assert.deepEqual(times, [1, 2, 3]);
    chain.close();
  });
});
