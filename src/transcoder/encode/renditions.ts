import type { Frame } from 'node-av/lib';
import type { EncodedFrame } from '../encoded-frame.ts';
import { isSameMake } from '../pass-through/index.ts';
import type { Medium, SourceSink } from '../source/index.ts';
import type { PassThrough, RenditionSpec, RenditionStats, VideoRendition } from '../wire.ts';
import { AUDIO_FORMATS, AudioEncoder } from './audio-encoder.ts';
import { PictureFilter } from './pictures.ts';
import { SoundFilter } from './sound.ts';
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
  readonly encoders: Map<number, Encoder>;
}

interface Rendition {
  readonly spec: RenditionSpec;
  /**
   * Comes of an encoder, which may still be opening; or of the source's own packets, or will from the next key frame on.
   */
  from: 'encoder' | 'packets';
  /** Has it had the key frame with which its packets begin. */
  hasBegun: boolean;
}

/**
 * Every rendition that is asked for: passed through where the source's packets are of the make that is wanted; else
 * filtered once for each size and format, and encoded once for each rendition.
 */
export class Renditions implements SourceSink {
  readonly #onFrame: (id: number, frame: EncodedFrame) => void;
  readonly #onError: (id: number, error: Error) => void;
  readonly #groups = { video: new Map<string, Group>(), audio: new Map<string, Group>() };
  readonly #renditions = new Map<number, Rendition>();
  readonly #makes: Record<Medium, PassThrough | null> = { video: null, audio: null };

  constructor(onFrame: (id: number, frame: EncodedFrame) => void, onError: (id: number, error: Error) => void) {
    this.#onFrame = onFrame;
    this.#onError = onError;
  }

  /** Begins with a key frame: of an encoder's at once, of the source's with its next. */
  async start(id: number, spec: RenditionSpec): Promise<void> {
    if (this.#renditions.has(id)) return;
    const rendition: Rendition = { spec, from: 'packets', hasBegun: false };
    this.#renditions.set(id, rendition);
    if (!this.#isPassed(spec)) await this.#encode(id, rendition);
  }

  stop(id: number): void {
    const rendition = this.#renditions.get(id);
    this.#renditions.delete(id);
    if (rendition !== undefined) this.#stopEncoder(id, rendition.spec);
  }

  /** Of no effect on what is passed through: it comes as it comes. */
  requestKeyFrame(id: number): void {
    const rendition = this.#renditions.get(id);
    if (rendition === undefined) return;
    const { spec } = rendition;
    this.#groups[spec.kind].get(groupKey(spec))?.encoders.get(id)?.requestKeyFrame?.();
  }

  video(frame: Frame, ptsUs: number): void {
    push(this.#groups.video, frame, ptsUs);
  }

  audio(frame: Frame, ptsUs: number): void {
    push(this.#groups.audio, frame, ptsUs);
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
        this.#stopEncoder(id, rendition.spec);
      }
      this.#onFrame(id, packet);
    }
  }

  stats(): RenditionStats[] {
    return [...this.#renditions].flatMap(([id, { spec, from }]) => {
      if (from === 'packets') return [{ id, framesEncoded: 0, keyFrames: 0, framesDropped: 0, passedThrough: true }];
      const encoder = this.#groups[spec.kind].get(groupKey(spec))?.encoders.get(id);
      if (encoder === undefined) return [];
      const { framesEncoded, keyFrames = 0, framesDropped = 0 } = encoder;
      return [{ id, framesEncoded, keyFrames, framesDropped }];
    });
  }

  async close(): Promise<void> {
    for (const id of [...this.#renditions.keys()]) this.stop(id);
  }

  #isPassed({ kind, passThrough }: RenditionSpec): boolean {
    return passThrough !== undefined && isSameMake(passThrough, this.#makes[kind]);
  }

  async #encode(id: number, rendition: Rendition): Promise<void> {
    const { spec } = rendition;
    rendition.from = 'encoder';
    rendition.hasBegun = false;
    // It may be stopped, or its packets may come, while the encoder is being opened or makes its last frame.
    const isWanted = () => this.#renditions.get(id) === rendition && rendition.from === 'encoder';
    try {
      const onFrame = (frame: EncodedFrame) => {
        if (isWanted()) this.#onFrame(id, frame);
      };
      const encoder =
        spec.kind === 'video' ? await VideoEncoder.open(spec, onFrame) : await AudioEncoder.open(spec, onFrame);
      const isOneTooMany = () => this.#group(spec).encoders.has(id);
      if (!isWanted() || isOneTooMany()) return void (await encoder.close());
      this.#group(spec).encoders.set(id, encoder);
    } catch (error) {
      if (!isWanted()) return;
      this.#renditions.delete(id);
      this.#onError(id, error as Error);
    }
  }

  #stopEncoder(id: number, spec: RenditionSpec): void {
    const key = groupKey(spec);
    const group = this.#groups[spec.kind].get(key);
    const encoder = group?.encoders.get(id);
    if (group === undefined || encoder === undefined) return;
    group.encoders.delete(id);
    void encoder.close();
    if (group.encoders.size > 0) return;
    this.#groups[spec.kind].delete(key);
    group.filter.close();
  }

  #group(spec: RenditionSpec): Group {
    const groups = this.#groups[spec.kind];
    const key = groupKey(spec);
    const filter = () => (spec.kind === 'video' ? new PictureFilter(spec) : new SoundFilter(AUDIO_FORMATS[spec.codec]));
    const group = groups.get(key) ?? { filter: filter(), encoders: new Map() };
    groups.set(key, group);
    return group;
  }
}

function push(groups: ReadonlyMap<string, Group>, frame: Frame, ptsUs: number): void {
  for (const { filter, encoders } of groups.values()) {
    filter.push(frame, ptsUs, (filtered, filteredUs) => {
      for (const encoder of encoders.values()) encoder.push(filtered, filteredUs);
    });
  }
}

function groupKey(spec: RenditionSpec): string {
  const pick = ({ width, height, frameRate }: VideoRendition) => [width, height, frameRate];
  return JSON.stringify(spec.kind === 'video' ? pick(spec) : AUDIO_FORMATS[spec.codec]);
}
