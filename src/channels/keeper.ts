import type { Channel, ChannelUse, Timers } from './channel.ts';
import { chooseAudio, chooseVideo, type VideoWish } from './renditions.ts';

/** What browsers and most phones take. */
const WISH: VideoWish = { codec: 'h264', packetizationMode: 1, maxLevelIdc: 31, profile: 'high' };

/** The pause before a channel that went off air is opened again, doubled with each try in vain, up to the last. */
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 60_000;

/**
 * Keeps a channel on air whether somebody watches or not, and of its renditions those that most viewers get, so that the
 * first picture of a call is there at once: H.264 in the best size of level 3.1, and Opus.
 */
export class Keeper {
  readonly #channel: Channel;
  readonly #timers: Timers;
  #use: ChannelUse | null = null;
  #watched: { release(): void }[] = [];
  #pauseMs = FIRST_PAUSE_MS;
  #retry: unknown = null;
  #isClosed = false;

  constructor(channel: Channel, timers: Timers) {
    this.#channel = channel;
    this.#timers = timers;
  }

  async keep(): Promise<void> {
    try {
      const use = await this.#channel.open(() => this.#lost(), 'keeper');
      if (this.#isClosed) return use.close();
      this.#use = use;
      this.#pauseMs = FIRST_PAUSE_MS;
      this.look();
    } catch {
      // Why is told to whoever calls, and stands in the log.
      this.#lost();
    }
  }

  /** The source may be another than it was: watches what is best of it now. */
  look(): void {
    const { info, config } = this.#channel;
    const use = this.#use;
    if (use === null || info === null) return;
    const before = this.#watched;
    this.#watched = [
      ...(info.video === null ? [] : [use.watch(chooseVideo(WISH, info.video, config.ladder))]),
      ...(info.audio === null ? [] : [use.watch(chooseAudio('opus', info.audio))]),
    ];
    for (const watch of before) watch.release();
  }

  close(): void {
    this.#isClosed = true;
    this.#timers.clearTimeout(this.#retry);
    for (const watch of this.#watched.splice(0)) watch.release();
    this.#use?.close();
    this.#use = null;
  }

  #lost(): void {
    if (this.#isClosed) return;
    for (const watch of this.#watched.splice(0)) watch.release();
    this.#use?.close();
    this.#use = null;
    this.#retry = this.#timers.setTimeout(() => void this.keep(), this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, LAST_PAUSE_MS);
  }
}
