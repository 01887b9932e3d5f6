import { AV_PIX_FMT_YUV420P } from 'node-av/constants';
import type { Frame } from 'node-av/lib';
import { FilterChain } from '../filter-chain.ts';
import type { VideoRendition } from '../wire.ts';

/** Of the time between two pictures. */
const TOLERANCE = 0.4;

/** Brings pictures to a rendition's size and rate, aspect kept, and to what every encoder takes. */
export class PictureFilter {
  readonly #rendition: Pick<VideoRendition, 'width' | 'height' | 'frameRate'>;
  readonly #chain: FilterChain;
  #nextUs = Number.NEGATIVE_INFINITY;

  constructor(rendition: Pick<VideoRendition, 'width' | 'height' | 'frameRate'>) {
    this.#rendition = rendition;
    const { width, height } = rendition;
    this.#chain = new FilterChain('video', [
      [
        'scale',
        `w=${width}:h=${height}:force_original_aspect_ratio=decrease:force_divisible_by=2:reset_sar=1:flags=bilinear`,
      ],
      ['pad', `w=${width}:h=${height}:x=-1:y=-1`],
      ['setsar', 'sar=1'],
      ['format', 'pix_fmts=yuv420p'],
    ]);
  }

  /** Calls back at most once, at once, and not for pictures beyond the rendition's rate. */
  push(frame: Frame, ptsUs: number, onFrame: (frame: Frame, ptsUs: number) => void): void {
    if (!this.#isDue(ptsUs)) return;
    const { width, height } = this.#rendition;
    const { num, den } = frame.sampleAspectRatio;
    const isSquare = num === den || num === 0;
    if (isSquare && frame.width === width && frame.height === height && frame.format === AV_PIX_FMT_YUV420P) {
      return onFrame(frame, ptsUs);
    }
    const aspect = num > 0 ? `${num}/${den}` : '1/1';
    const description = `video_size=${frame.width}x${frame.height}:pix_fmt=${frame.format}:time_base=1/1000000:pixel_aspect=${aspect}`;
    this.#chain.push(frame, description, filtered => onFrame(filtered, ptsUs));
  }

  /** Goes on as if it had taken a picture then. */
  goOnAfter(ptsUs: number): void {
    this.#nextUs = ptsUs + 1_000_000 / this.#rendition.frameRate;
  }

  close(): void {
    this.#chain.close();
  }

  #isDue(ptsUs: number): boolean {
    const periodUs = 1_000_000 / this.#rendition.frameRate;
    // So much tolerance that an uneven source of the same rate keeps every picture, and one of twice the rate every second.
    if (ptsUs < this.#nextUs - periodUs * TOLERANCE) return false;
    const isFirst = this.#nextUs === Number.NEGATIVE_INFINITY;
    this.#nextUs = isFirst ? ptsUs + periodUs : Math.max(this.#nextUs + periodUs, ptsUs + periodUs / 2);
    return true;
  }
}
