export interface PlaylistWatchOptions {
  /** Of the playlist, or of one that names playlists. */
  readonly url: string;
  readonly fetch: typeof fetch;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/** What a live playlist says of itself (RFC 8216 §4.3.3). */
interface MediaPlaylist {
  readonly targetMs: number;
  /** The number that its next segment will have. */
  readonly next: number;
}

const ANSWER_MS = 5_000;
const MOST_BYTES = 2 ** 20;

/**
 * Tells when a live playlist of HLS goes on and FFmpeg does not go with it: who makes its segments was started anew and
 * counts them from the beginning, which RFC 8216 §6.2.2 forbids and everybody does. FFmpeg would wait until their number
 * comes to where it was.
 */
export class PlaylistWatch {
  readonly #options: PlaylistWatchOptions;
  /** By the last look, and by the first one since nothing came of it. */
  #known: MediaPlaylist | null = null;
  #atFirst: MediaPlaylist | null = null;
  /** When it was first seen that the playlist went on. */
  #wentOnAtMs: number | null = null;
  #nextLookAtMs = 0;

  constructor(options: PlaylistWatchOptions) {
    this.#options = options;
  }

  /** Asked again and again while the playlist is played, `silent` when nothing comes of it: is it to be opened anew. */
  async isLeftBehind(silent: boolean): Promise<boolean> {
    const { nowMs } = this.#options;
    if (!silent) [this.#atFirst, this.#wentOnAtMs] = [null, null];
    // What it is like while all is well is to be known, once.
    if (nowMs() < this.#nextLookAtMs || (!silent && this.#known !== null)) return false;
    this.#nextLookAtMs = Number.POSITIVE_INFINITY;
    const found = await this.#look().catch(() => null);
    const before = this.#known;
    this.#known = found ?? before;
    // RFC 8216 §6.3.4: one that has not changed is asked for again after half of its target duration.
    const pauseMs = (this.#known?.targetMs ?? ANSWER_MS) / 2;
    this.#nextLookAtMs = nowMs() + pauseMs;
    if (found === null || !silent) return false;
    if (before !== null && found.next < before.next) return true;
    this.#atFirst ??= found;
    if (found.next > this.#atFirst.next) this.#wentOnAtMs ??= nowMs();
    // FFmpeg has asked as well by then, and read what it found.
    return this.#wentOnAtMs !== null && nowMs() - this.#wentOnAtMs >= 2 * pauseMs;
  }

  async #look(): Promise<MediaPlaylist | null> {
    const { url } = this.#options;
    const text = await this.#load(url);
    const variant = /^#EXT-X-STREAM-INF:.*\n(?:#.*\n|\s*\n)*([^#\s].*)$/m.exec(text)?.[1];
    return readPlaylist(variant === undefined ? text : await this.#load(new URL(variant.trim(), url).href));
  }

  async #load(address: string): Promise<string> {
    const url = new URL(address);
    const headers = new Headers({ 'user-agent': 'Dialcast' });
    if (url.username !== '') {
      const credentials = [url.username, url.password].map(decodeURIComponent).join(':');
      headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
      [url.username, url.password] = ['', ''];
    }
    const { body } = await this.#options.fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS) });
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MOST_BYTES) throw new RangeError('a playlist beyond all measure');
    }
    return text;
  }
}

function readPlaylist(text: string): MediaPlaylist | null {
  const number = (tag: string) => Number(new RegExp(`^#${tag}:(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  const target = number('EXT-X-TARGETDURATION');
  if (Number.isNaN(target)) return null;
  const segments = text.match(/^#EXTINF:/gm)?.length ?? 0;
  return { targetMs: Math.max(1, target) * 1_000, next: (number('EXT-X-MEDIA-SEQUENCE') || 0) + segments };
}
