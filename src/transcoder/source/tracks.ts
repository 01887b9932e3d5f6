import {
  AV_DISPOSITION_ATTACHED_PIC,
  AV_DISPOSITION_COMMENT,
  AV_DISPOSITION_DEFAULT,
  AV_DISPOSITION_DESCRIPTIONS,
  AV_DISPOSITION_FORCED,
  AV_DISPOSITION_HEARING_IMPAIRED,
  AV_DISPOSITION_VISUAL_IMPAIRED,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_SUBTITLE,
  AVMEDIA_TYPE_VIDEO,
} from 'node-av/constants';
import type { FormatContext, Stream } from 'node-av/lib';
import type { Languages } from '../wire.ts';

/** Languages in any code of ISO 639; null for what the source itself holds for best, and for no subtitles. */
export interface TrackWishes {
  readonly audioLanguage: string | null;
  readonly subtitles: string | null;
}

const ANY: TrackWishes = { audioLanguage: null, subtitles: null };

export interface Tracks {
  readonly video: Stream | null;
  readonly audio: Stream | null;
  readonly subtitles: Stream | null;
  readonly languages: Languages;
}

/** What a track is made for beside the ordinary; another one of the same language is better. */
const SPECIAL =
  AV_DISPOSITION_COMMENT |
  AV_DISPOSITION_DESCRIPTIONS |
  AV_DISPOSITION_FORCED |
  AV_DISPOSITION_HEARING_IMPAIRED |
  AV_DISPOSITION_VISUAL_IMPAIRED;

/** Of what a container has, what is played: the wanted languages where there are any, else what FFmpeg holds for best. */
export function chooseTracks(format: FormatContext, wishes: TrackWishes = ANY): Tracks {
  const { streams } = format;
  const ofType = (type: number) => streams.filter(stream => stream.codecpar.codecType === type && !isCover(stream));
  const best = (type: typeof AVMEDIA_TYPE_VIDEO | typeof AVMEDIA_TYPE_AUDIO, related = -1) => {
    const stream = streams[format.findBestStream(type, -1, related)];
    return stream === undefined || isCover(stream) ? (ofType(type)[0] ?? null) : stream;
  };
  const video = best(AVMEDIA_TYPE_VIDEO);
  const heard = ofType(AVMEDIA_TYPE_AUDIO);
  const read = ofType(AVMEDIA_TYPE_SUBTITLE);
  // Sound of the same programme, where there are several.
  const audio = inLanguage(heard, wishes.audioLanguage) ?? best(AVMEDIA_TYPE_AUDIO, video?.index);
  const subtitles = inLanguage(read, wishes.subtitles);
  return {
    video,
    audio,
    subtitles,
    languages: {
      audio: audio && languageOf(audio),
      subtitles: subtitles && languageOf(subtitles),
      available: { audio: languagesOf(heard), subtitles: languagesOf(read) },
    },
  };
}

/** Is it picture or sound. */
export function isPlayable(stream: Stream): boolean {
  const { codecType } = stream.codecpar;
  return (codecType === AVMEDIA_TYPE_VIDEO || codecType === AVMEDIA_TYPE_AUDIO) && !isCover(stream);
}

/** Is late sound what was wanted, and what is played in its place is not. */
export function isBetter(late: Stream, played: Stream, { audioLanguage }: TrackWishes = ANY): boolean {
  if (audioLanguage === null || late.codecpar.codecType !== AVMEDIA_TYPE_AUDIO) return false;
  return speaks(late, audioLanguage) && !speaks(played, audioLanguage);
}

/** One of ISO 639's codes, the shortest of its language's: `deu` and `ger` are `de`. Null for what names none. */
export function canonicalLanguage(code: string): string | null {
  if (!/^[a-z]{2,3}$/i.test(code)) return null;
  const [language = 'und'] = Intl.getCanonicalLocales(code);
  return language === 'und' ? null : language;
}

/** A cover picture in a music file is not a film. */
function isCover({ disposition }: Stream): boolean {
  return (disposition & AV_DISPOSITION_ATTACHED_PIC) !== 0;
}

function inLanguage(streams: readonly Stream[], wanted: string | null): Stream | null {
  if (wanted === null) return null;
  const rank = ({ disposition }: Stream) =>
    (disposition & SPECIAL ? 0 : 2) + (disposition & AV_DISPOSITION_DEFAULT ? 1 : 0);
  const [first = null] = streams.filter(stream => speaks(stream, wanted)).sort((a, b) => rank(b) - rank(a));
  return first;
}

function speaks(stream: Stream, wanted: string): boolean {
  return codesOf(stream).includes(canonicalLanguage(wanted) ?? wanted);
}

function languageOf(stream: Stream): string | null {
  return codesOf(stream)[0] ?? null;
}

function languagesOf(streams: readonly Stream[]): string[] {
  return [...new Set(streams.flatMap(codesOf))];
}

/** MPEG-TS has several of one stream where its two channels are two languages. */
function codesOf(stream: Stream): string[] {
  const said = stream.metadata?.get('language') ?? '';
  return said.split(',').flatMap(code => canonicalLanguage(code.trim()) ?? []);
}
