import type { Frame } from 'node-av/lib';
import type { SourceSink } from '../source/index.ts';
import type { RenditionSpec, TranscoderMessage, VideoRendition } from '../wire.ts';
import { AUDIO_FORMATS, AudioEncoder } from './audio-encoder.ts';
import { PictureFilter } from './pictures.ts';
import { SoundFilter } from './sound.ts';
import { type EncodedFrame, VideoEncoder } from './video-encoder.ts';

type RenditionStats = Extract<TranscoderMessage, { type: 'stats' }>['renditions'][number];

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

/** Every rendition that is asked for: filtered once for each size and format, encoded once for each rendition. */
export class Renditions implements SourceSink {
  readonly #onFrame: (id: number, frame: EncodedFrame) => void;
  readonly #onError: (id: number, error: Error) => void;
  readonly #groups = { video: new Map<string, Group>(), audio: new Map<string, Group>() };
  readonly #specs = new Map<number, RenditionSpec>();

  constructor(onFrame: (id: number, frame: EncodedFrame) => void, onError: (id: number, error: Error) => void) {
    this.#onFrame = onFrame;
    this.#onError = onError;
  }

  /** Starts an encoder; its first frame is a key frame. */
  async start(id: number, spec: RenditionSpec): Promise<void> {
    if (this.#specs.has(id)) return;
    this.#specs.set(id, spec);
    try {
      const onFrame = (frame: EncodedFrame) => this.#onFrame(id, frame);
      const encoder =
        spec.kind === 'video' ? await VideoEncoder.open(spec, onFrame) : await AudioEncoder.open(spec, onFrame);
      // It may have been stopped while it was being opened.
      if (this.#specs.get(id) !== spec) return void (await encoder.close());
      this.#group(spec).encoders.set(id, encoder);
    } catch (error) {
      this.#specs.delete(id);
      this.#onError(id, error as Error);
    }
  }

  stop(id: number): void {
    const spec = this.#specs.get(id);
    this.#specs.delete(id);
    if (spec === undefined) return;
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

  requestKeyFrame(id: number): void {
    const spec = this.#specs.get(id);
    if (spec !== undefined) this.#groups[spec.kind].get(groupKey(spec))?.encoders.get(id)?.requestKeyFrame?.();
  }

  video(frame: Frame, ptsUs: number): void {
    push(this.#groups.video, frame, ptsUs);
  }

  audio(frame: Frame, ptsUs: number): void {
    push(this.#groups.audio, frame, ptsUs);
  }

  stats(): RenditionStats[] {
    const groups = [...this.#groups.video.values(), ...this.#groups.audio.values()];
    return groups.flatMap(({ encoders }) =>
      [...encoders].map(([id, { framesEncoded, keyFrames = 0, framesDropped = 0 }]) => ({
        id,
        framesEncoded,
        keyFrames,
        framesDropped,
      })),
    );
  }

  async close(): Promise<void> {
    for (const id of [...this.#specs.keys()]) this.stop(id);
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
