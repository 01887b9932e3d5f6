import { AV_FRAME_FLAG_INTERLACED, AV_PKT_DATA_DISPLAYMATRIX } from 'node-av/constants';
import { type Frame, Rational, type Stream } from 'node-av/lib';
import { FilterChain } from '../filter-chain.ts';
import { Overlay, type SubtitleTrack } from '../subtitles/index.ts';
import { type Orientation, orientationOf } from './orientation.ts';

/** Pixels that are narrower or wider than this are a mistake of whoever said so. */
const MOST_ASPECT = 8;

/** A picture and when it is due; whoever gets it frees it. */
export interface Picture {
  readonly frame: Frame;
  readonly ptsUs: number;
}

/**
 * Makes decoded pictures fit to be shown on screens of today: whole ones of those that are interlaced, upright, and each
 * with the shape of its pixels. Others go through as they are.
 */
export class ViewablePictures {
  readonly #stream: Stream;
  readonly #orientation: Orientation;
  readonly #turning: FilterChain;
  /** Doubles lines where that is asked for alone, so it may stay once it was needed. */
  readonly #whole: FilterChain;
  readonly #subtitles: SubtitleTrack | null;
  readonly #overlay = new Overlay();
  #isInterlaced = false;

  constructor(stream: Stream, subtitles: SubtitleTrack | null = null) {
    this.#stream = stream;
    this.#subtitles = subtitles;
    this.#orientation = orientationOf(stream.codecpar.getCodedSideData(AV_PKT_DATA_DISPLAYMATRIX));
    const { filters } = this.#orientation;
    this.#turning = new FilterChain('video', filters);
    this.#whole = new FilterChain('video', [['bwdif', 'mode=send_frame:deint=interlaced'], ...filters]);
  }

  /** Are they as they came, so that viewers may get packets as they come as well. */
  get obstacle(): string | null {
    const { filters } = this.#orientation;
    if (this.#subtitles !== null) return 'subtitles are shown in it';
    if (filters.length > 0) return 'its pictures are to be turned';
    const { num, den } = this.#pixelAspect(this.#stream.codecpar.sampleAspectRatio);
    return num === den ? null : 'its pixels are not square';
  }

  /** How large pictures of this many pixels are shown. */
  shown(width: number, height: number, pixelAspect: Rational): { width: number; height: number } {
    const { num, den } = this.#pixelAspect(pixelAspect);
    const wide = Math.round((width * num) / den);
    return this.#orientation.swapsSides ? { width: height, height: wide } : { width: wide, height };
  }

  /** Takes a frame of the decoder's and gives what can be shown now: mostly one picture, with some delay at first. */
  take(frame: Frame, ptsUs: number): Picture[] {
    frame.sampleAspectRatio = this.#pixelAspect(frame.sampleAspectRatio);
    this.#isInterlaced ||= frame.hasFlags(AV_FRAME_FLAG_INTERLACED);
    if (!this.#isInterlaced && this.#orientation.filters.length === 0) return this.#pictureOf(frame, ptsUs);
    frame.pts = BigInt(ptsUs);
    const { num, den } = frame.sampleAspectRatio;
    const description = `video_size=${frame.width}x${frame.height}:pix_fmt=${frame.format}:time_base=1/1000000:pixel_aspect=${num}/${den}`;
    return this.#collect(onFrame => this.#chain.push(frame, description, onFrame));
  }

  /** Gives what is held back; what comes next has nothing to do with it. */
  end(): Picture[] {
    return this.#collect(onFrame => this.#chain.end(onFrame));
  }

  /** Forgets it. */
  reset(): void {
    this.#chain.reset();
  }

  close(): void {
    this.#turning.close();
    this.#whole.close();
    this.#overlay.close();
    this.#subtitles?.close();
  }

  get #chain(): FilterChain {
    return this.#isInterlaced ? this.#whole : this.#turning;
  }

  /** A container knows better than what is in it. */
  #pixelAspect(ofPictures: Rational): Rational {
    const said = [this.#stream.sampleAspectRatio, ofPictures].find(({ num, den }) => num > 0 && den > 0);
    if (said === undefined) return new Rational(1, 1);
    const aspect = said.num / said.den;
    return aspect > MOST_ASPECT || aspect < 1 / MOST_ASPECT ? new Rational(1, 1) : said;
  }

  #collect(run: (onFrame: (filtered: Frame, timeBaseSeconds: number) => void) => void): Picture[] {
    const made: Picture[] = [];
    run((filtered, timeBaseSeconds) => {
      made.push(...this.#pictureOf(filtered, Math.round(Number(filtered.pts) * timeBaseSeconds * 1_000_000)));
    });
    return made;
  }

  /** With its subtitles in it. */
  #pictureOf(frame: Frame, ptsUs: number): Picture[] {
    const { width, height, sampleAspectRatio } = frame;
    const { num, den } = sampleAspectRatio;
    const layer = this.#subtitles?.at(ptsUs, { width, height, pixelAspect: num > 0 ? num / den : 1 }) ?? null;
    if (layer !== null) frame.pts = BigInt(ptsUs);
    const shown = (layer && this.#overlay.draw(frame, layer)) ?? frame.clone();
    return shown === null ? [] : [{ frame: shown, ptsUs }];
  }
}
