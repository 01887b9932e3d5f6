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
 * A transcoder connects, says `hello`, then sends `source` states, frames, thumbnails, `encoding` and `stats`; the engine
 * answers with `start`, `stop` and `keyFrame`. After a reconnect the engine sends `start` again for what is still watched.
 */

import { createHmac } from 'node:crypto';

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
  /** While the source's packets are of this make they are the rendition, as they come; else it is encoded. */
  readonly passThrough?: PassThrough;
}

export interface AudioRendition {
  readonly kind: 'audio';
  readonly codec: 'opus' | 'pcma' | 'pcmu';
  /** As for video. */
  readonly passThrough?: PassThrough;
}

/** What a decoder has to know at least; each can do what those before it can. The first is Constrained Baseline. */
export type H264Profile = 'baseline' | 'main' | 'high';

/** The make of packets that viewers take as they come. */
export type PassThrough =
  | { readonly codec: 'h264'; readonly profile: H264Profile; readonly levelIdc: number }
  | { readonly codec: 'vp8' | 'opus' | 'pcma' | 'pcmu' };

/** May a stream's packets go to viewers as they come. */
export interface Verdict {
  /** Their make, when they may or when that is still to be seen. */
  readonly passThrough?: PassThrough;
  /** Why they may not (yet), as half a sentence; left out when they may. */
  readonly obstacle?: string;
}

/** What the source has, once it is open. */
export interface SourceInfo {
  /** As large as it is to be shown, upright and in square pixels. */
  readonly video: ({ readonly width: number; readonly height: number; readonly frameRate: number } & Verdict) | null;
  readonly audio: ({ readonly sampleRateHz: number; readonly channels: number } & Verdict) | null;
  /** Left out for what has no tracks to choose from. */
  readonly languages?: Languages;
  /** Of a folder or a playlist: what can't be played, or the latest of it. */
  readonly skipped?: readonly SkippedItem[];
}

/** A file that can't be played. */
export interface SkippedItem {
  /** Its name, without the folder. */
  readonly item: string;
  readonly reason: string;
}

/** Each a code of ISO 639, the shortest of its language's. */
export interface Languages {
  /** Of the tracks that are played; null for one that does not say, and for none. */
  readonly audio: string | null;
  readonly subtitles: string | null;
  readonly available: { readonly audio: readonly string[]; readonly subtitles: readonly string[] };
}

export type TranscoderMessage =
  | { type: 'hello'; channel: string; token: string; pid: number }
  /** Also when there is something new to say of an open source. */
  | { type: 'source'; state: 'open'; info: SourceInfo }
  | { type: 'source'; state: 'failed'; reason: string }
  /** Nothing comes of a live source; viewers see a slate until it is `open` again. */
  | { type: 'source'; state: 'out'; reason: string }
  /** A film that does not loop is over. */
  | { type: 'source'; state: 'ended' }
  /** A small picture of what is on, now and then; in Base64. */
  | { type: 'thumbnail'; jpeg: string }
  | { type: 'stats'; renditions: RenditionStats[]; encoders: EncoderCount }
  /** At the start, and when it changes. */
  | { type: 'encoding'; encoding: Encoding }
  | {
      type: 'frame';
      id: number;
      keyFrame: boolean;
      /** Unix time in microseconds at which the frame is to be presented; audio and video share it. */
      ptsUs: bigint;
      /** H.264: Annex B with parameter sets before each IDR. VP8, Opus: one frame. G.711: the samples. */
      data: Uint8Array;
    };

/** Encoders that are there, those among them that are being opened or ended. */
export interface EncoderCount {
  readonly video: number;
  readonly audio: number;
}

/** What a process does for its pictures; each is less work than the one before it. */
export const EFFORTS = ['full', 'fasterPreset', 'halfRate'] as const;
export type Effort = (typeof EFFORTS)[number];

/** FFmpeg's ways to encoders in hardware. */
export const HARDWARE_KINDS = ['nvenc', 'qsv', 'vaapi', 'v4l2'] as const;
export type HardwareKind = (typeof HARDWARE_KINDS)[number];

/** How pictures are encoded. */
export interface Encoding {
  readonly effort: Effort;
  /** What H.264 is encoded with where it can be; null for software. */
  readonly hardware: HardwareKind | null;
  /** Why the hardware is not used any more. */
  readonly fault?: string;
}

export interface RenditionStats {
  readonly id: number;
  /** By its encoder; with an encoder that runs now alone. */
  readonly framesEncoded: number;
  readonly keyFrames: number;
  readonly framesDropped: number;
  /** Is there no encoder, because the source's own packets are passed through. */
  readonly passedThrough?: true;
}

export type EngineMessage =
  | { type: 'start'; id: number; rendition: RenditionSpec }
  | { type: 'stop'; id: number }
  | { type: 'keyFrame'; id: number };

export type FrameMessage = Extract<TranscoderMessage, { type: 'frame' }>;

/** What a channel's transcoder has to say in its hello: one that a hostile source got into can pose as no other's. */
export function channelToken(secret: string, channel: string): string {
  return createHmac('sha256', secret).update(channel).digest('hex');
}

/** Longer than any access unit or JSON body that means well. */
export const MAX_MESSAGE_BYTES = 8 * 2 ** 20;

/** Of what is wrong with a source: it is for a log, and for a SIP header. */
export const MOST_REASON_CHARACTERS = 1_000;

const LENGTH_BYTES = 4;
const FRAME_TYPE = 1;
const JSON_TYPE = 2;
/** Type, rendition id, flags and time stamp. */
const FRAME_HEADER_BYTES = 14;
const KEY_FRAME_FLAG = 0x01;

/** A frame's header and its data as they follow each other on the wire; the data is not copied. */
export function encodeFrame(frame: FrameMessage): [Buffer, Uint8Array] {
  const header = Buffer.allocUnsafe(LENGTH_BYTES + FRAME_HEADER_BYTES);
  header.writeUInt32BE(FRAME_HEADER_BYTES + frame.data.byteLength, 0);
  header.writeUInt8(FRAME_TYPE, 4);
  header.writeUInt32BE(frame.id, 5);
  header.writeUInt8(frame.keyFrame ? KEY_FRAME_FLAG : 0, 9);
  header.writeBigUInt64BE(frame.ptsUs, 10);
  return [header, frame.data];
}

/** Any message but a frame. */
export function encodeMessage(message: EngineMessage | Exclude<TranscoderMessage, FrameMessage>): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const header = Buffer.allocUnsafe(LENGTH_BYTES + 1);
  header.writeUInt32BE(1 + body.length, 0);
  header.writeUInt8(JSON_TYPE, 4);
  return Buffer.concat([header, body]);
}

/**
 * Puts a byte stream together into messages. What comes from the other side of the socket is not trusted further
 * than its framing: after an error the stream cannot be read any more and is to be closed.
 */
export class WireReader<Message extends { type: string }> {
  /** What was received and does not make a whole message yet. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  #wanted = LENGTH_BYTES;

  push(chunk: Buffer): { messages: Message[]; error: string | null } {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const messages: Message[] = [];
    if (this.#bytes < this.#wanted) return { messages, error: null };
    let rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#bytes);
    let error: string | null = null;
    for (;;) {
      this.#wanted = LENGTH_BYTES;
      if (rest.length < LENGTH_BYTES) break;
      const bytes = rest.readUInt32BE(0);
      if (bytes === 0 || bytes > MAX_MESSAGE_BYTES) {
        error = `a message of ${bytes} bytes`;
        break;
      }
      this.#wanted = LENGTH_BYTES + bytes;
      if (rest.length < this.#wanted) break;
      const message = decode<Message>(rest.subarray(LENGTH_BYTES, this.#wanted));
      if (typeof message === 'string') {
        error = message;
        break;
      }
      messages.push(message);
      rest = rest.subarray(this.#wanted);
    }
    this.#chunks = rest.length === 0 || error !== null ? [] : [rest];
    this.#bytes = error === null ? rest.length : 0;
    return { messages, error };
  }
}

/** The message, or what is wrong with it. */
function decode<Message>(bytes: Buffer): Message | string {
  const type = bytes.readUInt8(0);
  if (type === FRAME_TYPE) {
    if (bytes.length < FRAME_HEADER_BYTES) return 'a frame without a whole header';
    const frame: FrameMessage = {
      type: 'frame',
      id: bytes.readUInt32BE(1),
      keyFrame: (bytes.readUInt8(5) & KEY_FRAME_FLAG) !== 0,
      ptsUs: bytes.readBigUInt64BE(6),
      data: bytes.subarray(FRAME_HEADER_BYTES),
    };
    return frame as Message;
  }
  if (type !== JSON_TYPE) return `a message of unknown type ${type}`;
  try {
    const message: unknown = JSON.parse(bytes.toString('utf8', 1));
    if (typeof message === 'object' && message !== null && 'type' in message) return message as Message;
    return 'a message without a type';
  } catch {
    return 'a message that is not JSON';
  }
}
