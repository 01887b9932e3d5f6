import type { ChannelConfig } from '../config/index.ts';
import type { Logger } from '../observe/index.ts';
import type {
  FilmInfo,
  PreparationHandle,
  PreparationStart,
  RenditionSpec,
  RenditionStock,
} from '../transcoder/index.ts';
import type { FilmCache, FilmSource } from './cache.ts';

export interface FilmsOptions {
  readonly cache: FilmCache;
  readonly log: Logger;
  readonly segmentUs: number;
  /** Starts a process that prepares. */
  readonly start: PreparationStart;
  readonly onOpened: (channel: string, film: FilmInfo) => void;
  /** It cannot be played, or not on from where it is prepared to. */
  readonly onFailed: (channel: string, reason: string) => void;
}

/** How far a film is prepared, by the least of what was asked for of it. */
export interface FilmProgress {
  readonly durationUs: number;
  readonly preparedUs: number;
}

interface Rendition {
  readonly folder: string;
  segments: number;
  isWhole: boolean;
  process: PreparationHandle | null;
  /** Processes that died in a row without having made anything. */
  failures: number;
}

interface Film {
  readonly source: FilmSource;
  readonly renditions: Map<string, Rendition>;
  /** What was prepared of it when it was opened. */
  stock: readonly RenditionStock[];
  folder: string;
  info: FilmInfo | null;
  look: PreparationHandle | null;
}

const MOST_FAILURES = 3;

/** Films that are on: what they are, and their renditions, which are prepared while somebody watches. */
export class Films {
  readonly #options: FilmsOptions;
  readonly #films = new Map<string, Film>();
  /** Processes that were told to end and have not yet. */
  readonly #ending = new Set<Promise<void>>();

  constructor(options: FilmsOptions) {
    this.#options = options;
  }

  /** Processes that prepare now. */
  get preparing(): number {
    return [...this.#films.values()].flatMap(processesOf).length;
  }

  /** `onOpened` or `onFailed` follows, unless it is closed before. */
  open(channel: ChannelConfig): void {
    const source = sourceOf(channel);
    const film: Film = { source, renditions: new Map(), stock: [], folder: '', info: null, look: null };
    this.#films.set(channel.name, film);
    this.#find(channel.name, film).catch((error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ENOENT' ? 'no such file' : error.message;
      if (this.#films.get(channel.name) === film) this.#options.onFailed(channel.name, reason);
    });
  }

  /** What is not prepared yet stays so until the next time. */
  close(name: string): void {
    const film = this.#films.get(name);
    if (film === undefined) return;
    this.#films.delete(name);
    for (const { folder } of film.renditions.values()) this.#options.cache.release(folder);
    for (const process of processesOf(film)) this.#end(process);
  }

  /** The folder of a rendition, which from now on is prepared if it is not whole. The film must be open. */
  use(name: string, rendition: RenditionSpec): string {
    const { cache } = this.#options;
    const film = this.#films.get(name);
    if (film === undefined) throw new Error(`the film ${name} is not open`);
    const key = JSON.stringify(rendition);
    const known = film.renditions.get(key);
    if (known !== undefined) return known.folder;
    const folder = cache.renditionFolder(film.folder, rendition);
    const { segments = 0, isWhole = false } = film.stock.find(each => JSON.stringify(each.rendition) === key) ?? {};
    const made: Rendition = { folder, segments, isWhole, process: null, failures: 0 };
    film.renditions.set(key, made);
    cache.hold(folder);
    if (!isWhole) this.#prepare(name, film, made, rendition);
    return folder;
  }

  /** Null for what is no film that is open. */
  progress(name: string): FilmProgress | null {
    const film = this.#films.get(name);
    if (film?.info == null) return null;
    const { durationUs } = film.info;
    const least = Math.min(
      ...[...film.renditions.values()].map(({ segments, isWhole }) =>
        isWhole ? durationUs : Math.min(durationUs, segments * this.#options.segmentUs),
      ),
    );
    return { durationUs, preparedUs: film.renditions.size === 0 ? 0 : least };
  }

  /** Resolves when every process is gone. */
  async shutDown(): Promise<void> {
    for (const name of [...this.#films.keys()]) this.close(name);
    await Promise.all(this.#ending);
  }

  async #find(name: string, film: Film): Promise<void> {
    const { cache, onOpened } = this.#options;
    film.folder = await cache.filmFolder(film.source);
    const info = (await cache.info(film.folder)) ?? (await this.#look(film));
    await cache.keepInfo(film.folder, info);
    film.stock = await cache.stock(film.folder);
    if (this.#films.get(name) !== film) return;
    film.info = info;
    onOpened(name, info);
  }

  #look(film: Film): Promise<FilmInfo> {
    const { promise, resolve, reject } = Promise.withResolvers<FilmInfo>();
    film.look = this.#options.start({
      task: { ...film.source, make: null },
      onMessage: message => {
        film.look = null;
        if (message.type === 'film') resolve({ info: message.info, durationUs: message.durationUs });
        if (message.type === 'failed') reject(new Error(message.reason));
      },
      onDied: how => {
        film.look = null;
        reject(new Error(`looking at the film failed (${how})`));
      },
    });
    return promise;
  }

  #prepare(name: string, film: Film, made: Rendition, rendition: RenditionSpec): void {
    const { cache, log, start } = this.#options;
    const fields = { channel: name, codec: rendition.codec };
    const fail = (reason: string) => {
      made.process = null;
      if (this.#films.get(name) === film) this.#options.onFailed(name, reason);
    };
    const process = start({
      task: { ...film.source, make: { folder: made.folder, rendition } },
      onMessage: message => {
        if (message.type === 'failed') return fail(message.reason);
        if (message.type === 'film') return;
        made.segments = message.segments;
        made.failures = 0;
        if (message.type === 'whole') {
          made.isWhole = true;
          made.process = null;
          return log.info(fields, 'a film is prepared');
        }
        void cache.grown(made.folder, message.bytes).then(hasRoom => {
          if (hasRoom || made.process !== process) return;
          this.#end(process);
          fail('the cache of films is full of what is being watched');
        });
      },
      onDied: how => {
        log.warn({ ...fields, how }, 'preparing a film was interrupted');
        if (++made.failures > MOST_FAILURES) return fail(`preparing the film failed again and again (${how})`);
        if (this.#films.get(name) === film) this.#prepare(name, film, made, rendition);
      },
    });
    made.process = process;
    log.info({ ...fields, pid: process.pid }, 'preparing a film');
  }

  #end(process: PreparationHandle): void {
    process.stop();
    this.#ending.add(process.gone);
    void process.gone.then(() => this.#ending.delete(process.gone));
  }
}

export function sourceOf({ source, audioLanguage, subtitles }: ChannelConfig): FilmSource {
  const tracks = { audioLanguage: audioLanguage ?? null, subtitles: subtitles ?? null };
  return { path: source.slice('file:'.length), tracks };
}

function processesOf({ look, renditions }: Film): PreparationHandle[] {
  return [look, ...[...renditions.values()].map(({ process }) => process)].filter(process => process !== null);
}
