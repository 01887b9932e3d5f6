import { DialcastError } from '../../errors.ts';
import type { FilmReader } from './film-reader.ts';
import type { Input } from './input.ts';
import type { Source, SourceOptions } from './source.ts';
import type { TrackWishes } from './tracks.ts';

export type { FilmInfo, FilmReader } from './film-reader.ts';
export { sleepUntil } from './pace.ts';
export type { Medium, Source, SourceOptions, SourceSink } from './source.ts';
export type { TrackWishes } from './tracks.ts';

type Kind = (options: SourceOptions) => Promise<Source>;

/** What FFmpeg opens, by the kind's own way of saying how. */
const opened = (describe: () => Promise<(url: string) => Input>): Kind => {
  return async options => {
    const [{ InputSource }, input] = await Promise.all([import('./input-source.ts'), describe()]);
    return new InputSource(input(options.url), options);
  };
};

const openedFile = opened(async () => (await import('./file.ts')).fileInput);

/** What each URL scheme is made by; loaded when needed, since a process plays one source. */
const KINDS: Readonly<Record<string, Kind>> = {
  dvb: opened(async () => (await import('./dvb.ts')).dvbInput),
  exec: opened(async () => (await import('./exec.ts')).execInput),
  file: async options => {
    const { isItemList } = await import('./item-list.ts');
    if (!(await isItemList(options.url.slice('file:'.length)))) return openedFile(options);
    return new (await import('./list-source.ts')).ListSource(options);
  },
  http: opened(async () => (await import('./http.ts')).httpInput),
  https: opened(async () => (await import('./http.ts')).httpInput),
  rtmp: opened(async () => (await import('./rtmp.ts')).rtmpInput),
  rtmps: opened(async () => (await import('./rtmp.ts')).rtmpInput),
  rtp: opened(async () => (await import('./rtp.ts')).rtpInput),
  rtsp: opened(async () => (await import('./rtsp.ts')).rtspInput),
  rtsps: opened(async () => (await import('./rtsp.ts')).rtspInput),
  sdp: opened(async () => (await import('./sdp.ts')).sdpInput),
  srt: opened(async () => (await import('./srt.ts')).srtInput),
  testcard: async options => new (await import('./testcard.ts')).TestcardSource(options),
  udp: opened(async () => (await import('./udp.ts')).udpInput),
  vlc: opened(async () => (await import('./vlc.ts')).vlcInput),
};

/** Schemes that {@link createSource} knows. */
export const SOURCE_KINDS: readonly string[] = Object.keys(KINDS);

/** The source that a URL names. Rejects with SOURCE_UNSUPPORTED. */
export async function createSource(options: SourceOptions): Promise<Source> {
  const scheme = options.url.split(':', 1)[0]!;
  const kind = Object.hasOwn(KINDS, scheme) ? KINDS[scheme] : undefined;
  if (kind === undefined) {
    const known = SOURCE_KINDS.map(each => `${each}:`).join(', ');
    throw new DialcastError('SOURCE_UNSUPPORTED', `${options.url}: no source kind ${scheme}: (there are ${known})`);
  }
  return kind(options);
}

/** A film, to be read as fast as it goes. Rejects with SOURCE_OPEN_FAILED. */
export async function openFilm(path: string, tracks: TrackWishes): Promise<FilmReader> {
  const { FilmReader: Reader } = await import('./film-reader.ts');
  return Reader.open(path, tracks);
}
