import type { Frame } from 'node-av/lib';
import type { EncodedFrame } from '../encoded-frame.ts';
import { isSameMake } from '../pass-through/index.ts';
import type { Medium, SourceSink } from '../source/index.ts';
import type {
  Effort,
  EncoderCount,
  HardwareKind,
  PassThrough,
  RenditionSpec,
  RenditionStats,
  VideoRendition,
} from '../wire.ts';
import { AUDIO_FORMATS, AudioEncoder } from './audio-encoder.ts';
import type { LoadWatch } from './load-watch.ts';
import { PictureFilter } from './pictures.ts';
import { SoundFilter } from './sound.ts';
import { videoCodecFor } from './video-codecs.ts';
import { VideoEncoder } from './video-encoder.ts';

interface Filter {
  push(frame: Frame, ptsUs: number, onFrame: (frame: Frame, ptsUs: number) => void): void;
  close(): void;
}

interface Encoder {
  push(frame: Frame, ptsUs: number): void;
  close(): Promise<void>;
  requestKeyFrame?(): void;
  readonly framesEncoded: number;
  readonly keyFrames?: number;
  readonly framesDropped?: number;
}

/** Encoders that want the same pictures or the same sound, behind the one filter that makes them. */
interface Group {
  readonly filter: Filter;
  readonly encoders: Set<Encoder>;
}

interface Rendition {
  readonly spec: RenditionSpec;
  /**
   * Comes of an encoder, which may still be opening; or of the source's own packets, or will from the next key frame on.
   */
  from: 'encoder' | 'packets';
  /** Has it had the key frame with which its packets begin. */
  hasBegun: boolean;
  /** Whose frames are the rendition's; another one may be opening to take its place. */
  encoder: { readonly it: Encoder; readonly group: string } | null;
  /** Counts encoders that were opened for it, so that an earlier one does not take the place of a later one. */
  openings: number;
}

export interface RenditionsOptions {
  readonly onFrame: (id: number, frame: EncodedFrame) => void;
  /** It cannot be made. */
  readonly onError: (id: number, error: Error) => void;
  /** H.264 is encoded in software from now on, because the hardware did not go on. */
  readonly onHardwareFailed: (reason: string) => void;
  readonly hardware: HardwareKind | null;
  /** Unix time in microseconds. */
  readonly nowUs: () => number;
  readonly load: Pick<LoadWatch, 'encoded' | 'leftOut'>;
}

/**
 * Every rendition that is asked for: passed through where the source's packets are of the make that is wanted; else
 * filtered once for each size and format, and encoded once for each rendition.
 */
export class Renditions implements SourceSink {
  readonly #options: RenditionsOptions;
  readonly #groups = { video: new Map<string, Group>(), audio: new Map<string, Group>() };
  readonly #renditions = new Map<number, Rendition>();
  readonly #makes: Record<Medium, PassThrough | null> = { video: null, audio: null };
  /** All that are not closed to the end, whoever uses them. */
  readonly #encoders = { video: new Set<Encoder>(), audio: new Set<Encoder>() };
  #effort: Effort = 'full';
  #hardware: HardwareKind | null;

  constructor(options: RenditionsOptions) {
    this.#options = options;
    this.#hardware = options.hardware;
  }

  /** Begins with a key frame: of an encoder's at once, of the source's with its next. */
  async start(id: number, spec: RenditionSpec): Promise<void> {
    if (this.#renditions.has(id)) return;
    const rendition: Rendition = { spec, from: 'packets', hasBegun: false, encoder: null, openings: 0 };
    this.#renditions.set(id, rendition);
    if (!this.#isPassed(spec)) await this.#encode(id, rendition);
  }

  stop(id: number): void {
    const rendition = this.#renditions.get(id);
    this.#renditions.delete(id);
    if (rendition !== undefined) this.#stopEncoder(rendition);
  }

  /** Of no effect on what is passed through: it comes as it comes. */
  requestKeyFrame(id: number): void {
    this.#renditions.get(id)?.encoder?.it.requestKeyFrame?.();
  }

  /**
   * What is done for pictures from now on. Each encoder goes on until another one has taken its place, which begins with
   * a key frame.
   */
  async setEffort(effort: Effort): Promise<void> {
    if (effort === this.#effort) return;
    this.#effort = effort;
    await this.#reopen();
  }

  video(frame: Frame, ptsUs: number): void {
    push(this.#groups.video, frame, ptsUs);
  }

  audio(frame: Frame, ptsUs: number): void {
    push(this.#groups.audio, frame, ptsUs);
  }

  late(): void {
    this.#options.load.leftOut();
  }

  needsFrames(medium: Medium): boolean {
    return [...this.#renditions.values()].some(({ spec, from }) => spec.kind === medium && from === 'encoder');
  }

  /** What does not come as packets any more is encoded from now on. */
  passes(medium: Medium, make: PassThrough | null): void {
    this.#makes[medium] = make;
    for (const [id, rendition] of this.#renditions) {
      if (rendition.from === 'packets' && rendition.spec.kind === medium && !this.#isPassed(rendition.spec)) {
        void this.#encode(id, rendition);
      }
    }
  }

  packet(medium: Medium, packet: EncodedFrame): void {
    for (const [id, rendition] of this.#renditions) {
      if (rendition.spec.kind !== medium || !this.#isPassed(rendition.spec)) continue;
      if (!rendition.hasBegun) {
        if (!packet.keyFrame) continue;
        rendition.from = 'packets';
        rendition.hasBegun = true;
        this.#stopEncoder(rendition);
      }
      this.#options.onFrame(id, packet);
    }
  }

  stats(): RenditionStats[] {
    return [...this.#renditions].flatMap(([id, { from, encoder }]) => {
      if (from === 'packets') return [{ id, framesEncoded: 0, keyFrames: 0, framesDropped: 0, passedThrough: true }];
      if (encoder === null) return [];
      const { framesEncoded, keyFrames = 0, framesDropped = 0 } = encoder.it;
      return [{ id, framesEncoded, keyFrames, framesDropped }];
    });
  }

  get encoders(): EncoderCount {
    return { video: this.#encoders.video.size, audio: this.#encoders.audio.size };
  }

  async close(): Promise<void> {
    for (const id of [...this.#renditions.keys()]) this.stop(id);
  }

  #isPassed({ kind, passThrough }: RenditionSpec): boolean {
    return passThrough !== undefined && isSameMake(passThrough, this.#makes[kind]);
  }

  async #encode(id: number, rendition: Rendition): Promise<void> {
    rendition.from = 'encoder';
    rendition.hasBegun = false;
    const opening = ++rendition.openings;
    const spec = withEffort(rendition.spec, this.#effort);
    // It may be stopped, its packets may come, or the effort may change, while the encoder is being opened.
    const isWanted = () =>
      this.#renditions.get(id) === rendition && rendition.from === 'encoder' && rendition.openings === opening;
    try {
      const encoder = await this.#open(spec, frame => {
        if (rendition.encoder?.it === encoder && isWanted()) this.#options.onFrame(id, frame);
      });
      if (!isWanted()) return await this.#end(spec.kind, encoder);
      this.#stopEncoder(rendition);
      rendition.encoder = { it: encoder, group: this.#join(spec, encoder) };
    } catch (error) {
      if (!isWanted()) return;
      if (this.#fallBack(spec, (error as Error).message)) return await this.#encode(id, rendition);
      this.#stopEncoder(rendition);
      this.#renditions.delete(id);
      this.#options.onError(id, error as Error);
    }
  }

  async #open(spec: RenditionSpec, onFrame: (frame: EncodedFrame) => void): Promise<Encoder> {
    const onFailed = (reason: string) => {
      if (this.#fallBack(spec, reason)) void this.#reopen();
    };
    const encoder =
      spec.kind === 'audio'
        ? await AudioEncoder.open(spec, onFrame)
        : await VideoEncoder.open(spec, {
            ...this.#options,
            effort: this.#effort,
            hardware: this.#hardware,
            onFrame,
            onFailed,
          });
    this.#encoders[spec.kind].add(encoder);
    return encoder;
  }

  /** False when it was not hardware that failed. */
  #fallBack(spec: RenditionSpec, reason: string): boolean {
    if (spec.kind !== 'video' || videoCodecFor(spec, this.#hardware) === videoCodecFor(spec, null)) return false;
    this.#hardware = null;
    this.#options.onHardwareFailed(reason);
    return true;
  }

  /** New encoders for all pictures that have one. */
  async #reopen(): Promise<void> {
    const encoded = [...this.#renditions].filter(([, { spec, from }]) => spec.kind === 'video' && from === 'encoder');
    await Promise.all(encoded.map(([id, rendition]) => this.#encode(id, rendition)));
  }

  #stopEncoder(rendition: Rendition): void {
    const { encoder, spec } = rendition;
    if (encoder === null) return;
    rendition.encoder = null;
    void this.#end(spec.kind, encoder.it);
    const groups = this.#groups[spec.kind];
    const group = groups.get(encoder.group)!;
    group.encoders.delete(encoder.it);
    if (group.encoders.size > 0) return;
    groups.delete(encoder.group);
    group.filter.close();
  }

  async #end(kind: Medium, encoder: Encoder): Promise<void> {
    await encoder.close();
    this.#encoders[kind].delete(encoder);
  }

  /** Returns the key of the group that it joins. */
  #join(spec: RenditionSpec, encoder: Encoder): string {
    const groups = this.#groups[spec.kind];
    const key = groupKey(spec);
    const filter = () => (spec.kind === 'video' ? new PictureFilter(spec) : new SoundFilter(AUDIO_FORMATS[spec.codec]));
    const group = groups.get(key) ?? { filter: filter(), encoders: new Set() };
    groups.set(key, group);
    group.encoders.add(encoder);
    return key;
  }
}

/** As it is made with an effort; presets are the encoder's business. */
function withEffort(spec: RenditionSpec, effort: Effort): RenditionSpec {
  return spec.kind === 'video' && effort === 'halfRate' ? { ...spec, frameRate: spec.frameRate / 2 } : spec;
}

function push(groups: ReadonlyMap<string, Group>, frame: Frame, ptsUs: number): void {
  for (const { filter, encoders } of groups.values()) {
    filter.push(frame, ptsUs, (filtered, filteredUs) => {
      for (const encoder of encoders) encoder.push(filtered, filteredUs);
    });
  }
}

function groupKey(spec: RenditionSpec): string {
  const pick = ({ width, height, frameRate }: VideoRendition) => [width, height, frameRate];
  return JSON.stringify(spec.kind === 'video' ? pick(spec) : AUDIO_FORMATS[spec.codec]);
}
