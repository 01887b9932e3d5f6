import { access, constants } from 'node:fs/promises';
import { AVMEDIA_TYPE_AUDIO, AVMEDIA_TYPE_VIDEO, AVSEEK_FLAG_BACKWARD } from 'node-av/constants';
import { FFmpegError, FormatContext, Packet } from 'node-av/lib';
import { DialcastError } from '../../errors.ts';
import type { SourceInfo } from '../wire.ts';
import { PacketQueue } from './packet-queue.ts';
import type { Source, SourceOptions, SourceSink } from './source.ts';
import { StreamPlayer } from './stream-player.ts';

/** Long enough for the decoders to be ready when the first frame is due. */
const START_DELAY_US = 100_000;

/** A file of any container and codec that FFmpeg reads. */
export class FileSource implements Source {
  readonly #path: string;
  readonly #loop: boolean;
  readonly #nowUs: () => number;
  readonly #format = new FormatContext();
  #players: StreamPlayer[] = [];

  constructor({ url, loop, nowUs }: SourceOptions) {
    this.#path = url.slice('file:'.length);
    this.#loop = loop;
    this.#nowUs = nowUs;
  }

  async open(): Promise<SourceInfo> {
    const fail = (fault: string, cause?: unknown): never => {
      throw new DialcastError('SOURCE_OPEN_FAILED', fault, { cause });
    };
    // FFmpeg's own words for a missing file do not say more, and a folder it cannot name at all.
    await access(this.#path, constants.R_OK).catch(error => fail(describe(error), error));
    // Only local files: a playlist must not make us fetch what somebody else chose.
    const opened = await this.#format.openInput(`file:${this.#path}`, null, null);
    if (opened < 0) fail(FFmpegError.strerror(opened));
    const found = await this.#format.findStreamInfo();
    if (found < 0) fail(FFmpegError.strerror(found));
    const players = [await this.#openStream(AVMEDIA_TYPE_VIDEO), await this.#openStream(AVMEDIA_TYPE_AUDIO)];
    this.#players = players.filter(player => player !== null);
    if (this.#players.length === 0) fail('no picture or sound in it that can be decoded');
    return Object.assign({ video: null, audio: null }, ...this.#players.map(({ info }) => info));
  }

  async play(sink: SourceSink, signal: AbortSignal): Promise<void> {
    const stop = () => {
      for (const { queue } of this.#players) queue.clear();
    };
    signal.addEventListener('abort', stop, { once: true });
    const anchorUs = this.#nowUs() + START_DELAY_US;
    await Promise.all([
      this.#demultiplex(signal),
      ...this.#players.map(player => player.play(sink, anchorUs, this.#nowUs, signal)),
    ]);
  }

  async close(): Promise<void> {
    for (const player of this.#players) player.close();
    await this.#format.closeInput();
  }

  async #openStream(type: typeof AVMEDIA_TYPE_VIDEO | typeof AVMEDIA_TYPE_AUDIO): Promise<StreamPlayer | null> {
    const index = this.#format.findBestStream(type);
    const stream = index < 0 ? undefined : this.#format.streams[index];
    // A cover picture in a music file is not a film.
    if (stream === undefined || stream.attachedPic !== null) return null;
    return StreamPlayer.open(stream);
  }

  /** Reads ahead of the players as far as their queues allow. */
  async #demultiplex(signal: AbortSignal): Promise<void> {
    const packet = new Packet();
    packet.alloc();
    const startUs = this.#startUs();
    let offsetUs = -startUs;
    while (!signal.aborted) {
      const result = await this.#format.readFrame(packet);
      if (result < 0) {
        // The end of the file, or of what can be read of it.
        const endUs = Math.max(...this.#players.map(player => player.endUs));
        for (const { queue } of this.#players) queue.push('end');
        if (!this.#loop || endUs <= offsetUs + startUs) break;
        offsetUs = endUs - startUs;
        await this.#format.seekFrame(-1, BigInt(startUs), AVSEEK_FLAG_BACKWARD);
        continue;
      }
      const player = this.#players.find(({ index }) => index === packet.streamIndex);
      player?.take(packet, offsetUs);
      packet.unref();
      await PacketQueue.untilRoom(this.#players.map(each => each.queue));
    }
    for (const player of this.#players) player.queue.close();
    packet.free();
  }

  #startUs(): number {
    const start = Number(this.#format.startTime);
    // AV_NOPTS_VALUE, the most negative 64-bit number, says that the container does not know.
    return Math.abs(start) > Number.MAX_SAFE_INTEGER ? 0 : start;
  }
}

function describe(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'no such file';
  if (error.code === 'EACCES') return 'permission denied';
  return error.message;
}
