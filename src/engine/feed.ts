import type { TranscoderMessage } from '../transcoder/wire.ts';
import { KeyFrameGate } from './key-frame-gate.ts';
import type { FanOut } from './native.ts';
import { createPacketiser, MAX_PAYLOAD_BYTES, type Packetiser } from './packetise/index.ts';
import type { FeedSpec } from './protocol.ts';
import { rtpTimestamp } from './rtp/index.ts';

export type Frame = Extract<TranscoderMessage, { type: 'frame' }>;

/** A joining viewer waits at most this long behind another one's key frame. */
const KEY_FRAME_INTERVAL_MS = 300;

/** Who cannot say that he lost something sees it mended after this long. */
const UNASKED_KEY_FRAME_INTERVAL_MS = 2_000;

/** About three seconds of 2.5 Mb/s video, or two of audio: longer than any NACK is worth answering. */
const RING_PACKETS = { video: 1024, audio: 128 };
/** Each viewer of a film has a ring of his own, so it is one of about a second. */
const FILM_RING_PACKETS = { video: 256, audio: 64 };

/** RTP clocks in Hz: RFC 6184 §8.2.1, RFC 7741 §6.1, RFC 7587 §4.1, RFC 3551 §4.5.14. */
const CLOCK_RATE_HZ = { h264: 90_000, vp8: 90_000, opus: 48_000, pcma: 8_000, pcmu: 8_000 };

/** One rendition in the engine: packetised once per frame, then fanned out to every stream that watches it. */
export class Feed {
  readonly spec: FeedSpec;
  /** Frames that came from the encoder. */
  frames = 0;
  /** Is it the source's own packets. */
  passedThrough = false;
  readonly #fanOut: FanOut;
  readonly #handle: number;
  readonly #packetiser: Packetiser;
  readonly #clockRateHz: number;
  readonly #gate = new KeyFrameGate(KEY_FRAME_INTERVAL_MS);
  readonly #askKeyFrame: () => void;
  readonly #watching = new Set<number>();
  /** Streams that joined since the last key frame; before the next one they could decode nothing. */
  readonly #joining = new Set<number>();
  /** Streams whose viewers have no way to ask for a key frame. */
  readonly #mute = new Set<number>();
  #keyFrameAtMs = Number.NEGATIVE_INFINITY;

  constructor(spec: FeedSpec, fanOut: FanOut, askKeyFrame: () => void) {
    this.spec = spec;
    this.#fanOut = fanOut;
    this.#askKeyFrame = askKeyFrame;
    const ring = spec.film === undefined ? RING_PACKETS : FILM_RING_PACKETS;
    this.#handle = fanOut.addFeed(ring[spec.rendition.kind]);
    this.#packetiser = createPacketiser(spec.rendition);
    this.#clockRateHz = CLOCK_RATE_HZ[spec.rendition.codec];
  }

  get watchers(): number {
    return this.#watching.size + this.#joining.size;
  }

  /** From the next frame on that can be decoded by itself, the stream gets this feed. */
  join(stream: number, nowMs: number, asksForKeyFrames = true): void {
    this.#joining.add(stream);
    if (!asksForKeyFrames) this.#mute.add(stream);
    if (this.spec.rendition.kind === 'video') this.requestKeyFrame(nowMs);
  }

  leave(stream: number): void {
    this.#joining.delete(stream);
    this.#mute.delete(stream);
    if (this.#watching.delete(stream)) this.#fanOut.subscribe(stream, null);
  }

  requestKeyFrame(nowMs: number): void {
    if (this.#gate.request(nowMs)) this.#askKeyFrame();
  }

  /** The transcoder is there (again): its first frame will be a key frame. */
  transcoderStarted(): void {
    this.#gate.arrived();
  }

  push(frame: Pick<Frame, 'keyFrame' | 'ptsUs' | 'data'>, nowMs: number): void {
    this.frames++;
    if (frame.keyFrame || this.spec.rendition.kind === 'audio') this.#admit(nowMs);
    else if (this.#mute.size > 0 && nowMs - this.#keyFrameAtMs >= UNASKED_KEY_FRAME_INTERVAL_MS)
      this.requestKeyFrame(nowMs);
    else if (this.#gate.poll(nowMs)) this.#askKeyFrame();
    if (this.#watching.size === 0) return;
    const { payloads, sizes, marker } = this.#packetiser.packetise(frame.data, MAX_PAYLOAD_BYTES);
    this.#fanOut.push(this.#handle, rtpTimestamp(frame.ptsUs, this.#clockRateHz), payloads, sizes, marker);
  }

  close(): void {
    for (const stream of [...this.#watching]) this.leave(stream);
    this.#fanOut.removeFeed(this.#handle);
  }

  #admit(nowMs: number): void {
    this.#gate.arrived();
    this.#keyFrameAtMs = nowMs;
    for (const stream of this.#joining) {
      this.#fanOut.subscribe(stream, this.#handle);
      this.#watching.add(stream);
    }
    this.#joining.clear();
  }
}
