import { AVDISCARD_ALL, AVSEEK_FLAG_BACKWARD } from 'node-av/constants';
import { Dictionary, FFmpegError, FormatContext, type Frame, Packet, Rational, type Stream } from 'node-av/lib';
import { DialcastError } from '../../errors.ts';
import { openSubtitles, type SubtitleTrack } from '../subtitles/index.ts';
import type { SourceInfo } from '../wire.ts';
import { fileInput } from './file.ts';
import type { Medium } from './source.ts';
import { StreamDecoder } from './stream-decoder.ts';
import { NO_TIME, StreamPlayer } from './stream-player.ts';
import { chooseTracks, type TrackWishes } from './tracks.ts';

const MICROSECONDS = new Rational(1, 1_000_000);

/** What a film is, before anything of it is prepared. */
export interface FilmInfo {
  readonly info: SourceInfo;
  /** By what the file says. */
  readonly durationUs: number;
}

/** Takes a frame, which is its own only until it resolves. */
export type TakeFrame = (frame: Frame, filmUs: number) => Promise<void>;

/** Reads a film as fast as its frames are taken. Times are microseconds from its start. */
export class FilmReader {
  readonly #path: string;
  readonly #tracks: TrackWishes;
  #format = new FormatContext();

  /** Rejects with SOURCE_OPEN_FAILED. */
  static async open(path: string, tracks: TrackWishes): Promise<FilmReader> {
    const reader = new FilmReader(path, tracks);
    await reader.#open();
    return reader;
  }

  private constructor(path: string, tracks: TrackWishes) {
    this.#path = path;
    this.#tracks = tracks;
  }

  /** Rejects with SOURCE_OPEN_FAILED when it cannot be played. */
  async look(): Promise<FilmInfo> {
    const { languages } = chooseTracks(this.#format, this.#tracks);
    const [{ video = null }, { audio = null }] = [await this.#look('video'), await this.#look('audio')];
    const obstacle = 'a film is encoded before it is shown';
    const info: SourceInfo = {
      video: video && { ...video, obstacle },
      audio: audio && { ...audio, obstacle },
      languages,
    };
    const { duration } = this.#format;
    if (info.video === null && info.audio === null) fail('no picture or sound in it that can be decoded');
    if (duration <= 0n) fail('it does not say how long it is');
    return { info, durationUs: Number(duration) };
  }

  /** Gives each frame of a medium, from `fromUs` on or a little earlier, to `take`. Resolves when the film is over. */
  async read(medium: Medium, fromUs: number, take: TakeFrame): Promise<void> {
    if (fromUs > 0) {
      await this.#format.seekFrame(-1, BigInt(this.#startUs + fromUs), AVSEEK_FLAG_BACKWARD);
      if (await this.#readOn(medium, fromUs, take)) return;
      // A file in which no moment can be found is read from its start.
      await this.close();
      this.#format = new FormatContext();
      await this.#open();
    }
    await this.#readOn(medium, Number.POSITIVE_INFINITY, take);
  }

  async close(): Promise<void> {
    await this.#format.closeInput();
  }

  async #open(): Promise<void> {
    const { url, protocols, check } = fileInput(`file:${this.#path}`);
    const fault = await check();
    if (fault !== null) fail(fault);
    const options = Dictionary.fromObject({ protocol_whitelist: protocols.join(',') });
    const opened = await this.#format.openInput(url, null, options);
    if (opened < 0) fail(FFmpegError.strerror(opened));
    const found = await this.#format.findStreamInfo();
    if (found < 0) fail(FFmpegError.strerror(found));
  }

  async #look(medium: Medium): Promise<Partial<SourceInfo>> {
    const stream = chooseTracks(this.#format, this.#tracks)[medium];
    const options = { nowUs: () => 0, passThrough: false, changed: () => undefined };
    const player = stream && (await StreamPlayer.open(stream, options));
    const info = player?.info ?? {};
    player?.close();
    return info;
  }

  get #startUs(): number {
    const { startTime } = this.#format;
    return startTime === NO_TIME ? 0 : Number(startTime);
  }

  /** From where the file stands to its end; false, without a frame given, when the first begins after `latestUs`. */
  async #readOn(medium: Medium, latestUs: number, take: TakeFrame): Promise<boolean> {
    const { [medium]: stream, subtitles } = chooseTracks(this.#format, this.#tracks);
    const track = medium === 'video' && subtitles !== null ? openSubtitles(subtitles.codecpar) : null;
    const decoder = stream && (await StreamDecoder.open(stream, track));
    if (!stream || !decoder) return fail(`no ${medium} in it that can be decoded`);
    const wanted = [stream.index, track === null ? -1 : subtitles!.index];
    for (const each of this.#format.streams) if (!wanted.includes(each.index)) each.discard = AVDISCARD_ALL;
    let begins: boolean | null = null;
    const deliver = async (frame: Frame, filmUs: number) => {
      begins ??= filmUs <= latestUs;
      if (begins) await take(frame, filmUs);
      return begins;
    };
    using packet = new Packet();
    packet.alloc();
    try {
      while (begins !== false && (await this.#format.readFrame(packet)) >= 0) {
        if (track !== null && packet.streamIndex === subtitles?.index) this.#takeSubtitles(packet, subtitles, track);
        const copy = packet.streamIndex === stream.index ? packet.clone() : null;
        packet.unref();
        if (copy === null) continue;
        this.#setTime(copy, stream);
        await decoder.take(copy, true, deliver);
      }
      await decoder.end(deliver);
      return begins !== false;
    } finally {
      decoder.close();
    }
  }

  #takeSubtitles(packet: Packet, stream: Stream, track: SubtitleTrack): void {
    this.#setTime(packet, stream);
    const { data, pts, duration } = packet;
    if (data !== null && pts !== NO_TIME) track.take(data, Number(pts), Number(duration));
  }

  #setTime(packet: Packet, { timeBase }: Stream): void {
    packet.rescaleTs(timeBase, MICROSECONDS);
    const startUs = BigInt(this.#startUs);
    if (packet.pts === NO_TIME) packet.pts = packet.dts;
    if (packet.pts !== NO_TIME) packet.pts -= startUs;
    if (packet.dts !== NO_TIME) packet.dts -= startUs;
  }
}

function fail(fault: string): never {
  throw new DialcastError('SOURCE_OPEN_FAILED', fault);
}
