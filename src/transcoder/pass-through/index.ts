import {
  AV_CODEC_ID_H264,
  AV_CODEC_ID_OPUS,
  AV_CODEC_ID_PCM_ALAW,
  AV_CODEC_ID_PCM_MULAW,
  AV_CODEC_ID_VP8,
} from 'node-av/constants';
import type { Verdict } from '../wire.ts';
import { H264Passage } from './h264.ts';
import type { Passage } from './passage.ts';
import { g711DurationUs, opusDurationUs, SoundPassage } from './sound.ts';
import { Vp8Passage } from './vp8.ts';

export { isSameMake } from './make.ts';
export type { Passage } from './passage.ts';

/** What a container says of a stream; FFmpeg's CodecParameters are that. */
export interface StreamParameters {
  readonly codecId: number;
  readonly extradata: Buffer | null;
  /** Pictures that are sent after one that is shown later. */
  readonly videoDelay: number;
  readonly sampleRate: number;
  readonly channels: number;
}

/** The byte of an OpusHead (RFC 7845 §5.1) that says how channels are mapped; beyond 0 there is more than stereo. */
const OPUS_MAPPING_FAMILY = 18;

/** How a stream's packets are passed on, or that they never are. */
export function createPassage(stream: StreamParameters, codecName: string): Passage | Verdict {
  const { codecId, extradata, videoDelay, sampleRate, channels } = stream;
  switch (codecId) {
    case AV_CODEC_ID_H264:
      return new H264Passage(extradata, videoDelay > 0);
    case AV_CODEC_ID_VP8:
      return new Vp8Passage();
    case AV_CODEC_ID_OPUS:
      if (channels > 2 || (extradata?.[OPUS_MAPPING_FAMILY] ?? 0) > 0)
        return { obstacle: 'it has more than two channels' };
      return new SoundPassage({ codec: 'opus' }, opusDurationUs);
    case AV_CODEC_ID_PCM_ALAW:
    case AV_CODEC_ID_PCM_MULAW:
      if (sampleRate !== 8_000 || channels !== 1) return { obstacle: 'it is not of 8 kHz in one channel' };
      return new SoundPassage({ codec: codecId === AV_CODEC_ID_PCM_ALAW ? 'pcma' : 'pcmu' }, g711DurationUs);
    default:
      return { obstacle: `viewers do not take ${codecName}` };
  }
}
