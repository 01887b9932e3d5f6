/** `dialcast prepare`: has films ready before anybody calls. Composes what it needs, as server.ts does. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { chooseAudio, chooseVideo } from './channels/index.ts';
import type { ChannelConfig, Config } from './config/index.ts';
import { DialcastError } from './errors.ts';
import { FilmCache, sourceOf } from './films/index.ts';
import {
  type FilmInfo,
  lookAt,
  type PreparationHandle,
  type PreparationMessage,
  type PreparationTask,
  type RenditionSpec,
  SEGMENT_US,
  startPreparation,
  writeWhole,
} from './transcoder/index.ts';

/** What browsers and most phones get. */
const USUAL = { codec: 'h264', packetizationMode: 1, maxLevelIdc: 31, profile: 'baseline' } as const;

export interface Terminal {
  readonly isTTY: boolean;
  write(text: string): void;
}

/** One after the other, each as fast as the machine can. What is there already is not made again. */
export class FilmPreparer {
  readonly #cache: FilmCache;
  readonly #terminal: Terminal;
  #running: PreparationHandle | null = null;
  #stopped = false;

  constructor(config: Config, terminal: Terminal) {
    this.#cache = new FilmCache({ ...config.cache, lookAt, writeWhole, nowMs: Date.now });
    this.#terminal = terminal;
  }

  /** Rejects with SOURCE_OPEN_FAILED, TRANSCODER_FAILED or CACHE_UNUSABLE. */
  async prepare(films: readonly ChannelConfig[]): Promise<void> {
    await this.#cache.open();
    for (const film of films) if (!this.#stopped) await this.#prepareFilm(film);
  }

  /** What is prepared stays. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#running?.stop();
    await this.#running?.gone;
  }

  async #prepareFilm(channel: ChannelConfig): Promise<void> {
    const source = sourceOf(channel);
    if (!existsSync(source.path)) throw new DialcastError('SOURCE_OPEN_FAILED', `${source.path}: no such file`);
    const folder = await this.#cache.filmFolder(source);
    const film = (await this.#cache.info(folder)) ?? (await this.#look(source));
    if (film === null) return;
    await this.#cache.keepInfo(folder, film);
    const begun = (await this.#cache.stock(folder)).map(({ rendition }) => rendition);
    const wanted = new Map([...usualOf(film, channel), ...begun].map(each => [JSON.stringify(each), each]));
    for (const rendition of wanted.values()) {
      if (this.#stopped) return;
      const title = `${channel.name}: ${rendition.codec}${sizeOf(rendition)}`;
      const make = { folder: this.#cache.renditionFolder(folder, rendition), rendition };
      this.#cache.hold(make.folder);
      await this.#make({ ...source, make }, title, film.durationUs, make.folder);
      this.#cache.release(make.folder);
    }
  }

  async #look(source: Pick<PreparationTask, 'path' | 'tracks'>): Promise<FilmInfo | null> {
    const last = await this.#run({ ...source, make: null }, () => undefined);
    return last?.type === 'film' ? { info: last.info, durationUs: last.durationUs } : null;
  }

  async #make(task: PreparationTask, title: string, durationUs: number, folder: string): Promise<void> {
    const progress = new Progress(this.#terminal, title);
    const last = await this.#run(task, ({ segments, bytes }) => {
      progress.show(Math.min(1, (segments * SEGMENT_US) / durationUs));
      return this.#cache.grown(folder, bytes);
    });
    if (last !== null) progress.end();
  }

  /** Its last word; null when it was stopped. */
  #run(
    task: PreparationTask,
    onSegments: (message: Extract<PreparationMessage, { type: 'segments' }>) => unknown,
  ): Promise<PreparationMessage | null> {
    const { promise, resolve: done, reject } = Promise.withResolvers<PreparationMessage | null>();
    const fail = (reason: string) => reject(new DialcastError('SOURCE_OPEN_FAILED', `${task.path}: ${reason}`));
    const running = startPreparation({
      task,
      onMessage: message => {
        if (message.type === 'failed') return fail(message.reason);
        if (message.type !== 'segments') return done(message);
        void Promise.resolve(onSegments(message)).then(hasRoom => {
          if (hasRoom !== false) return;
          running.stop();
          fail('the cache has no room for it; raise cache.sizeGB');
        });
      },
      onDied: how => reject(new DialcastError('TRANSCODER_FAILED', `${task.path}: ${how}`)),
    });
    this.#running = running;
    void running.gone.then(() => done(null));
    return promise;
  }
}

/** The films that are named, by channel or by file; without names all channels that are films. */
export function filmsOf(config: Config, names: readonly string[]): readonly ChannelConfig[] | string {
  const films = config.channels.filter(({ film }) => film);
  if (names.length === 0) return films;
  const found: ChannelConfig[] = [];
  for (const name of names) {
    const channel = config.channels.find(each => [each.name, String(each.number)].includes(name));
    if (channel !== undefined && !channel.film) return `${name} is no film; give it film: true`;
    if (channel === undefined && !existsSync(name)) return `${name} is neither a channel nor a file`;
    const path = resolve(name);
    const same = channel ?? films.find(({ source }) => source === `file:${path}`);
    found.push(same ?? { number: 0, name, title: name, source: `file:${path}`, loop: false, film: true });
  }
  return found;
}

function usualOf({ info: { video, audio } }: FilmInfo, { ladder }: ChannelConfig): RenditionSpec[] {
  return [
    ...(video === null ? [] : [chooseVideo(USUAL, video, ladder)]),
    ...(audio === null ? [] : [chooseAudio('opus', audio)]),
  ];
}

function sizeOf(rendition: RenditionSpec): string {
  return rendition.kind === 'video' ? ` ${rendition.width}x${rendition.height}` : '';
}

/** One line that changes on a terminal, a line for each tenth elsewhere. */
class Progress {
  readonly #terminal: Terminal;
  readonly #title: string;
  #shown = -1;

  constructor(terminal: Terminal, title: string) {
    this.#terminal = terminal;
    this.#title = title;
  }

  show(part: number): void {
    const { isTTY } = this.#terminal;
    const percent = isTTY ? Math.floor(part * 100) : 10 * Math.floor(part * 10);
    if (percent === this.#shown) return;
    this.#shown = percent;
    this.#terminal.write(isTTY ? `\r${this.#title} ${percent} %` : `${this.#title} ${percent} %\n`);
  }

  end(): void {
    this.#terminal.write(`${this.#terminal.isTTY ? '\r' : ''}${this.#title} is prepared\n`);
  }
}
