import { AV_CODEC_ID_DVB_SUBTITLE } from 'node-av/constants';
import type { CodecParameters } from 'node-av/lib';
import { CUE_READERS } from './cue-text.ts';
import { DvbSubtitles } from './dvb-subtitles.ts';
import type { SubtitleTrack } from './layer.ts';
import { headerOf, TextSubtitles } from './text-subtitles.ts';

export type { PictureSize, SubtitleTrack } from './layer.ts';
export { Overlay } from './overlay.ts';

/** Null for a kind of subtitles that cannot be shown. */
export function openSubtitles({
  codecId,
  extradata,
}: Pick<CodecParameters, 'codecId' | 'extradata'>): SubtitleTrack | null {
  if (codecId === AV_CODEC_ID_DVB_SUBTITLE) return new DvbSubtitles(extradata);
  const read = CUE_READERS.get(codecId);
  return read === undefined ? null : new TextSubtitles(read, headerOf(extradata));
}
