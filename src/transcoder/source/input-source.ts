import { AVERROR_INVALIDDATA, AVFMT_FLAG_CUSTOM_IO, AVSEEK_FLAG_BACKWARD } from 'node-av/constants';
import { Dictionary, FFmpegError, FormatContext, InputFormat, Packet, Rational, type Stream } from 'node-av/lib';
import { DialcastError } from '../../errors.ts';
import { openSubtitles, type SubtitleTrack } from '../subtitles/index.ts';
import type { Languages, SourceInfo } from '../wire.ts';
import { CommandOutput } from './command-output.ts';
import type { Input } from './input.ts';
import { LeadIn } from './lead-in.ts';
import { sleepUntil } from './pace.ts';
import { PacketQueue } from './packet-queue.ts';
import { PlaylistWatch } from './playlist-watch.ts';
import type { Source, SourceOptions, SourceSink } from './source.ts';
import { NO_TIME, StreamPlayer } from './stream-player.ts';
import { Timeline } from './timeline.ts';
import { chooseTracks, isBetter, isPlayable } from './tracks.ts';

/** Long enough for the decoders to be ready when the first frame is due. */
export const FILM_DELAY_US = 100_000;
/** More than the jitter of most networks, and little for a viewer. */
const LIVE_DELAY_US = 200_000;
const WATCH_INTERVAL_MS = 250;
/** Longer than between any two packets of what is not out. */
const SILENT_MS = 1_000;
const OPEN_TIMEOUT_MS = 10_000;
/** Viewers of what is live wait: no more of its pictures are looked at than have to be to know their rate. */
const QUICK = { fpsprobesize: '2' };
/** Who calls does not wait for much longer. */
const KNOWN_WITHIN_MS = 8_000;

export const MICROSECONDS = new Rational(1, 1_000_000);

/** Of what is one of several that are played one after another. */
export interface Part {
  /** Of all of them: each goes on where the one before it ends. */
  readonly timeline: Timeline;
  /** Where to begin, from its own beginning. */
  readonly offsetUs: number;
  /** The one before it is over: until then this one is read and not played, lest a late picture come after a new one. */
  readonly after: Promise<void>;
}

interface Subtitles {
  readonly index: number;
  readonly timeBase: Rational;
  readonly track: SubtitleTrack;
}

/** Whatever FFmpeg opens: demultiplexes it and gives its streams to players, each packet with the time at which it is due. */
export class InputSource implements Source {
  readonly #input: Input;
  readonly #options: SourceOptions;
  readonly #format = new FormatContext();
  readonly #command: CommandOutput | null;
  readonly #part: Part | null;
  readonly #read = Promise.withResolvers<void>();
  /** Of the streams that are played, in this pass. */
  #packets = 0;
  #players: StreamPlayer[] = [];
  /** Those in whose place a better stream is played now. */
  readonly #replaced: StreamPlayer[] = [];
  /** Streams that are not played. */
  readonly #unwanted = new Set<number>();
  /** While it plays. */
  #begin: ((player: StreamPlayer) => void) | null = null;
  #languages: Languages | undefined;
  #subtitles: Subtitles | null = null;
  #playlist: PlaylistWatch | null = null;
  #leadIn = new LeadIn({ hasPicture: false });
  #isPlaying = false;
  #readAtMs = 0;
  /** When the last of what was read is due. */
  #lastDueUs = 0;
  /** Are we waiting for the players, not for the source. */
  #held = false;

  constructor(input: Input, options: SourceOptions, part: Part | null = null) {
    this.#input = input;
    this.#options = options;
    this.#part = part;
    this.#command = input.command === null ? null : new CommandOutput(input.command);
  }

  async open(): Promise<SourceInfo> {
    const fault = (await this.#input.check()) ?? (await this.#openInTime());
    if (fault !== null) return this.#fail(fault);
    const tracks = chooseTracks(this.#format, this.#options.tracks);
    this.#languages = tracks.languages;
    const { subtitles } = tracks;
    const track = subtitles && openSubtitles(subtitles.codecpar);
    if (track !== null) this.#subtitles = { index: subtitles!.index, timeBase: subtitles!.timeBase, track };
    else this.#languages = { ...tracks.languages, subtitles: null };
    for (const stream of [tracks.video, tracks.audio]) if (stream !== null) await this.#play(stream);
    if (!this.#isKnown && this.live) await this.#becomeKnown();
    if (!this.#isKnown) return this.#fail('no picture or sound in it that can be decoded');
    return this.#info;
  }

  /** The fault, or null. */
  async #openInTime(): Promise<string | null> {
    const { url, format, options, protocols, live, listens } = this.#input;
    // Before that nothing of it can be interrupted.
    this.#format.allocContext();
    if (this.#command !== null) {
      this.#format.pb = this.#command.context;
      this.#format.setFlags(AVFMT_FLAG_CUSTOM_IO);
    }
    const quick = live === false ? {} : QUICK;
    const dictionary = Dictionary.fromObject({ ...quick, ...options, protocol_whitelist: protocols.join(',') });
    const demultiplexer = format === null ? null : InputFormat.findInputFormat(format);
    let isLate = false;
    const interrupt = () => {
      isLate = true;
      this.#interrupt();
    };
    const timeout = listens ? undefined : setTimeout(interrupt, OPEN_TIMEOUT_MS);
    try {
      const opened = await this.#format.openInput(url, demultiplexer, dictionary);
      const found = opened < 0 ? opened : await this.#format.findStreamInfo();
      if (isLate) return `the source did not open within ${OPEN_TIMEOUT_MS / 1_000} seconds`;
      if (opened < 0) return this.#command?.fault ?? describe(opened);
      return found < 0 ? describe(found) : null;
    } finally {
      clearTimeout(timeout);
    }
  }

  get #info(): SourceInfo {
    const media = this.#players.map(({ info }) => info);
    return Object.assign({ video: null, audio: null, languages: this.#languages }, ...media);
  }

  /** Is there anything to tell of. */
  get #isKnown(): boolean {
    return this.#info.video !== null || this.#info.audio !== null;
  }

  get live(): boolean {
    return this.#input.live ?? this.#format.duration === NO_TIME;
  }

  /** Resolves when there is no more to be read; what was read may still have to be played. */
  get isRead(): Promise<void> {
    return this.#read.promise;
  }

  /** Has anything been read that can be played. */
  get hasMedia(): boolean {
    return this.#packets > 0;
  }

  async play(sink: SourceSink, signal: AbortSignal): Promise<void> {
    const stop = () => {
      this.#interrupt();
      for (const { queue } of this.#players) queue.clear();
    };
    signal.addEventListener('abort', stop, { once: true });
    if (this.#format.iformat?.name === 'hls') {
      this.#playlist = new PlaylistWatch({ url: this.#input.url, fetch, nowMs: () => performance.now() });
    }
    const watch = this.live ? setInterval(() => void this.#watch(), WATCH_INTERVAL_MS) : undefined;
    // Ends the players, whatever they still have.
    const lost = new AbortController();
    const isWanted = AbortSignal.any([signal, lost.signal]);
    const playing: Promise<void>[] = [];
    const { promise: failed, reject } = Promise.withResolvers<never>();
    const begin = async (player: StreamPlayer) => {
      await this.#part?.after;
      await player.play(sink, isWanted);
    };
    this.#begin = player => {
      const done = begin(player);
      done.catch(reject);
      playing.push(done);
    };
    for (const player of this.#players) this.#begin(player);
    this.#isPlaying = true;
    try {
      const over = this.#demultiplex(signal, lost).then(async endUs => {
        await Promise.all(playing);
        // The last picture is shown for its time as well; of a part the next one sees to that.
        if (!this.live && this.#part === null) await sleepUntil(endUs, this.#options.nowUs, signal);
      });
      await Promise.race([failed, over]);
    } finally {
      this.#begin = null;
      this.#isPlaying = false;
      clearInterval(watch);
      signal.removeEventListener('abort', stop);
    }
  }

  async close(): Promise<void> {
    for (const player of [...this.#players, ...this.#replaced]) player.close();
    if (this.#command !== null) this.#format.pb = null;
    this.#command?.close();
    await this.#format.closeInput();
  }

  /** Null when it cannot be played. */
  async #play(stream: Stream): Promise<StreamPlayer | null> {
    const { nowUs, passThrough, changed } = this.#options;
    const player = await StreamPlayer.open(stream, {
      nowUs,
      passThrough,
      subtitles: this.#subtitles?.track ?? null,
      changed: () => changed(this.#info),
    });
    if (player === null) return null;
    this.#players.push(player);
    this.#begin?.(player);
    return player;
  }

  /** A stream that was not there when the source was opened; it is played when it is the first of its kind, or better. */
  async #welcome(index: number): Promise<StreamPlayer | null> {
    const stream = this.#format.streams[index];
    if (stream === undefined || this.#unwanted.has(index)) return null;
    const { tracks } = this.#options;
    const played = this.#players.find(player => player.isOfKind(stream));
    const isWanted = isPlayable(stream) && (played === undefined || isBetter(stream, played.stream, tracks));
    const player = isWanted ? await this.#play(stream) : null;
    if (player === null) this.#unwanted.add(index);
    else if (played !== undefined) {
      this.#players = this.#players.filter(each => each !== played);
      this.#replaced.push(played);
      played.queue.clear();
    }
    if (player !== null) {
      const subtitles = this.#languages?.subtitles ?? null;
      this.#languages = { ...chooseTracks(this.#format, tracks).languages, subtitles };
    }
    return player;
  }

  /** Reads on until one of its streams says what it is, which some do late. */
  async #becomeKnown(): Promise<void> {
    using packet = new Packet();
    packet.alloc();
    let isLate = false;
    const timeout = setTimeout(() => {
      isLate = true;
      this.#interrupt();
    }, KNOWN_WITHIN_MS);
    while (!this.#isKnown && !isLate && (await this.#format.readFrame(packet)) >= 0) {
      const player = await this.#playerOf(packet.streamIndex);
      await player?.learn(packet);
      packet.unref();
    }
    clearTimeout(timeout);
  }

  async #playerOf(streamIndex: number): Promise<StreamPlayer | null> {
    return this.#players.find(({ index }) => index === streamIndex) ?? (await this.#welcome(streamIndex));
  }

  /**
   * Reads ahead of the players as far as their queues allow. Ends with the source, or when it falls silent, with the time
   * at which all of it is over.
   */
  async #demultiplex(signal: AbortSignal, lost: AbortController): Promise<number> {
    using packet = new Packet();
    packet.alloc();
    const { live } = this;
    const { loop, nowUs } = this.#options;
    const ownTime = () => new Timeline({ nowUs, delayUs: live ? LIVE_DELAY_US : FILM_DELAY_US, live });
    const timeline = this.#part?.timeline ?? ownTime();
    if (this.#part !== null) await this.#enter(this.#part);
    this.#leadIn = new LeadIn({ hasPicture: live && this.#info.video !== null });
    this.#readAtMs = performance.now();
    let silentUntilMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const waitsSinceMs = this.#readAtMs;
      const result = await this.#format.readFrame(packet);
      this.#readAtMs = performance.now();
      const wasSilent = this.#readAtMs - waitsSinceMs > SILENT_MS && nowUs() > this.#lastDueUs;
      if (wasSilent) silentUntilMs = this.#readAtMs;
      if (result < 0) {
        // What FFmpeg still had when it gave up is as old as the silence before: no picture of that ends the slate.
        if (live && (this.#readAtMs - silentUntilMs) * 1_000 < LIVE_DELAY_US) lost.abort();
        // The end of the file, or of what can be read of it.
        for (const { queue } of this.#players) queue.push('end');
        if (live || !loop || this.#packets === 0) break;
        this.#packets = 0;
        const startUs = this.#startUs();
        timeline.beginAnew(startUs);
        await this.#format.seekFrame(-1, BigInt(startUs), AVSEEK_FLAG_BACKWARD);
        continue;
      }
      if (packet.streamIndex === this.#subtitles?.index) this.#takeSubtitles(packet, this.#subtitles, timeline);
      const player = await this.#playerOf(packet.streamIndex);
      // A decoder takes a packet of nothing for the end of its stream.
      if (player !== null && packet.size > 0) {
        this.#take(packet, player, timeline);
        this.#packets++;
      }
      packet.unref();
      this.#held = PacketQueue.areFull(this.#queues);
      if (this.#held) await PacketQueue.untilRoom(this.#queues);
      this.#readAtMs = performance.now();
    }
    for (const { queue } of this.#players) queue.close();
    this.#read.resolve();
    return timeline.endUs;
  }

  async #enter({ timeline, offsetUs }: Part): Promise<void> {
    const startUs = this.#startUs();
    if (timeline.endUs > 0) timeline.beginAnew(startUs);
    if (offsetUs > 0) await this.#format.seekFrame(-1, BigInt(startUs + Math.round(offsetUs)), AVSEEK_FLAG_BACKWARD);
  }

  #take(packet: Packet, player: StreamPlayer, timeline: Timeline): void {
    packet.rescaleTs(player.timeBase, MICROSECONDS);
    const time = packet.pts === NO_TIME ? packet.dts : packet.pts;
    const mediaUs = time === NO_TIME ? player.nextUs : Number(time);
    const durationUs = Number(packet.duration) || player.usualDurationUs;
    player.nextUs = mediaUs + durationUs;
    if (this.#leadIn.leavesOut(player.medium, packet.isKeyframe, mediaUs)) return;
    const dueUs = Math.round(timeline.due(player.index, mediaUs, durationUs, this.#held));
    this.#lastDueUs = Math.max(this.#lastDueUs, dueUs);
    const shift = BigInt(dueUs - mediaUs);
    if (packet.pts !== NO_TIME) packet.pts += shift;
    else if (time === NO_TIME) packet.pts = BigInt(dueUs);
    if (packet.dts !== NO_TIME) packet.dts += shift;
    // Nothing is decoded after it is shown, whatever a damaged time stamp says.
    if (packet.pts !== NO_TIME && packet.dts > packet.pts) packet.dts = packet.pts;
    player.take(packet);
  }

  #takeSubtitles(packet: Packet, { timeBase, track }: Subtitles, timeline: Timeline): void {
    packet.rescaleTs(timeBase, MICROSECONDS);
    const { data, pts, duration } = packet;
    if (data !== null && pts !== NO_TIME)
      track.take(data, Math.round(timeline.dueBeside(Number(pts), this.#startUs())), Number(duration));
  }

  get #queues(): readonly PacketQueue[] {
    return this.#players.map(({ queue }) => queue);
  }

  /** The segments of a playlist come seldom: what was read of them is played first. */
  async #watch(): Promise<void> {
    const isPlayed = !this.#held && this.#options.nowUs() > this.#lastDueUs;
    const isOver =
      this.#playlist === null
        ? isPlayed && performance.now() - this.#readAtMs > this.#input.stallMs
        : await this.#playlist.isLeftBehind(isPlayed);
    if (isOver && this.#isPlaying) this.#interrupt();
  }

  /** Ends a read that waits for the source. */
  #interrupt(): void {
    this.#format.interrupt();
    this.#command?.stop();
  }

  #startUs(): number {
    const { startTime } = this.#format;
    return startTime === NO_TIME ? 0 : Number(startTime);
  }

  #fail(fault: string): never {
    throw new DialcastError('SOURCE_OPEN_FAILED', fault);
  }
}

/** FFmpeg's own words for what it finds no format in say nothing to whoever calls. */
function describe(result: number): string {
  if (result === AVERROR_INVALIDDATA)
    return 'it is no media file or stream that FFmpeg knows, or its beginning is damaged';
  return FFmpegError.strerror(result);
}
