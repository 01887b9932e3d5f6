/**
 * The frame protocol between a transcoder and the engine, over a Unix socket or TCP.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------------------------------------------------------+
 *     |            length of what follows this field (bytes)          |
 *     +---------------+-----------------------------------------------+
 *     |     type      |  body: JSON, or for a frame:                  |
 *     +---------------+---------------+---------------+---------------+
 *     |          rendition id         |     flags     |  pts, Unix    |
 *     +-------------------------------+---------------+               |
 *     |  time in microseconds, unsigned 64 bit        +---------------+
 *     |                                               | access unit … |
 *     +-----------------------------------------------+---------------+
 *
 * A transcoder connects, says `hello`, then sends `source` states, frames and `stats`; the engine answers with
 * `start`, `stop` and `keyFrame`. After a reconnect the engine sends `start` again for what is still watched.
 */

/** What one encoder makes. `id` is chosen by the engine and names the rendition on this connection. */
export type RenditionSpec = VideoRendition | AudioRendition;

export interface VideoRendition {
  readonly kind: 'video';
  readonly codec: 'h264' | 'vp8';
  /** RFC 6184 §6: 0 = every NAL unit fits one packet, 1 = non-interleaved (FU-A, STAP-A). Always 1 for VP8. */
  readonly packetizationMode: 0 | 1;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly bitrateBps: number;
}

export interface AudioRendition {
  readonly kind: 'audio';
  readonly codec: 'opus' | 'pcma' | 'pcmu';
}

/** What the source has, once it is open. */
export interface SourceInfo {
  readonly video: { readonly width: number; readonly height: number; readonly frameRate: number } | null;
  readonly audio: { readonly sampleRateHz: number; readonly channels: number } | null;
}

export type TranscoderMessage =
  | { type: 'hello'; channel: string; token: string; pid: number }
  | { type: 'source'; state: 'open'; info: SourceInfo }
  | { type: 'source'; state: 'failed'; reason: string }
  | { type: 'stats'; renditions: { id: number; framesEncoded: number; keyFrames: number; framesDropped: number }[] }
  | {
      type: 'frame';
      id: number;
      keyFrame: boolean;
      /** Unix time in microseconds at which the frame is to be presented; audio and video share it. */
      ptsUs: bigint;
      /** H.264: Annex B with parameter sets before each IDR. VP8, Opus: one frame. G.711: the samples. */
      data: Uint8Array;
    };

export type EngineMessage =
  | { type: 'start'; id: number; rendition: RenditionSpec }
  | { type: 'stop'; id: number }
  | { type: 'keyFrame'; id: number };
