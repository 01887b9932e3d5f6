import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { DialcastError } from '../errors.ts';
import type { FilmInfo, RenditionSpec, RenditionStock, TrackWishes } from '../transcoder/index.ts';

export interface FilmSource {
  /** Absolute. */
  readonly path: string;
  readonly tracks: TrackWishes;
}

export interface FilmCacheOptions {
  readonly folder: string;
  readonly sizeBytes: number;
  readonly nowMs: () => number;
  /** Of a rendition's folder; null when it is none. */
  readonly lookAt: (folder: string) => Promise<RenditionStock | null>;
  readonly writeWhole: (path: string, text: string) => Promise<void>;
}

interface Kept {
  bytes: number;
  usedAtMs: number;
  /** Who plays or prepares it. */
  users: number;
}

/** Of a part of the name that says how films are encoded: another number has all of them prepared anew. */
const ENCODING = 1;
const FILM = 'film.json';
const KEY_DIGITS = 20;

/**
 * Renditions of films on disk: a folder for each film, in it one for each rendition. The film's name is made of all by
 * which one file is told from another, so a file that was changed is another film, and the old one is left to be evicted.
 */
export class FilmCache {
  readonly #options: FilmCacheOptions;
  readonly #kept = new Map<string, Kept>();

  constructor(options: FilmCacheOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return [...this.#kept.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Finds what is there. Rejects with CACHE_UNUSABLE. */
  async open(): Promise<void> {
    const { folder, lookAt } = this.#options;
    await mkdir(folder, { recursive: true }).catch(cause => {
      throw new DialcastError('CACHE_UNUSABLE', `cache.folder: ${cause.message}`, { cause });
    });
    for (const film of await foldersIn(folder)) {
      for (const path of await foldersIn(film)) {
        const stock = await lookAt(path);
        if (stock === null) continue;
        const { mtimeMs } = await stat(path);
        this.#kept.set(path, { bytes: stock.bytes, usedAtMs: mtimeMs, users: 0 });
      }
    }
  }

  /** The folder of a film; rejects when there is no such file. */
  async filmFolder({ path, tracks }: FilmSource): Promise<string> {
    const { size, mtimeMs } = await stat(path);
    return join(this.#options.folder, digest([ENCODING, path, size, mtimeMs, tracks]));
  }

  renditionFolder(filmFolder: string, rendition: RenditionSpec): string {
    return join(filmFolder, `${rendition.codec}-${digest(rendition)}`);
  }

  /** What was found out of a film before; null for a new one. */
  async info(filmFolder: string): Promise<FilmInfo | null> {
    try {
      return JSON.parse(await readFile(join(filmFolder, FILM), 'utf8')) as FilmInfo;
    } catch {
      return null;
    }
  }

  async keepInfo(filmFolder: string, info: FilmInfo): Promise<void> {
    await mkdir(filmFolder, { recursive: true });
    await this.#options.writeWhole(join(filmFolder, FILM), `${JSON.stringify(info)}\n`);
  }

  /** What there is of each rendition of a film. */
  async stock(filmFolder: string): Promise<RenditionStock[]> {
    const found = await Promise.all((await foldersIn(filmFolder)).map(path => this.#options.lookAt(path)));
    return found.filter(each => each !== null);
  }

  /** It is not evicted until it was let go as often. */
  hold(folder: string): void {
    const kept = this.#kept.get(folder) ?? { bytes: 0, usedAtMs: 0, users: 0 };
    this.#kept.set(folder, kept);
    kept.users++;
    this.#use(folder, kept);
  }

  release(folder: string): void {
    const kept = this.#kept.get(folder);
    if (kept === undefined) return;
    kept.users--;
    this.#use(folder, kept);
  }

  /**
   * It has grown. What nobody holds makes room for it, that which was used longest ago first; false when all that is left
   * is held and still more than may be.
   */
  async grown(folder: string, bytes: number): Promise<boolean> {
    const kept = this.#kept.get(folder);
    if (kept !== undefined) kept.bytes += bytes;
    const evictable = [...this.#kept].filter(([, { users }]) => users === 0);
    evictable.sort(([, a], [, b]) => a.usedAtMs - b.usedAtMs);
    for (const [path] of evictable) {
      if (this.bytes <= this.#options.sizeBytes) break;
      this.#kept.delete(path);
      await rm(path, { recursive: true, force: true });
    }
    return this.bytes <= this.#options.sizeBytes;
  }

  /** The folder itself remembers, for the next start. */
  #use(folder: string, kept: Kept): void {
    kept.usedAtMs = this.#options.nowMs();
    const time = kept.usedAtMs / 1000;
    void utimes(folder, time, time).catch(() => undefined);
  }
}

function digest(what: unknown): string {
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, KEY_DIGITS);
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter(entry => entry.isDirectory()).map(({ name }) => join(folder, name));
}
