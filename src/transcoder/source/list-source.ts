import { DialcastError } from '../../errors.ts';
import type { SkippedItem, SourceInfo } from '../wire.ts';
import { fileInput, readable } from './file.ts';
import { FILM_DELAY_US, InputSource } from './input-source.ts';
import { type Item, readItems } from './item-list.ts';
import { BEGINNING, whatIsOn } from './schedule.ts';
import type { Source, SourceOptions, SourceSink } from './source.ts';
import { Timeline } from './timeline.ts';

/** Of what can't be played, so many are named. */
const MOST_SKIPPED = 20;

interface Opened {
  readonly item: Item;
  readonly source: InputSource;
  readonly info: SourceInfo;
}

/**
 * The files of a folder or a playlist, one after another on one time line: the next is opened and
 * read while the last seconds of the one before it are played. With `loop` it is a channel that has no end, is read anew for each round, and begins
 * where it would be had it never been off.
 */
export class ListSource implements Source {
  readonly live: boolean;
  readonly #path: string;
  readonly #options: SourceOptions;
  readonly #timeline: Timeline;
  #items: readonly Item[] = [];
  /** Of the item that is opened next. */
  #next = 0;
  /** Items in a row of which nothing could be played. */
  #failures = 0;
  #skipped: readonly SkippedItem[] = [];
  #info: SourceInfo = { video: null, audio: null };
  #opened: Opened | null = null;

  constructor(options: SourceOptions) {
    const { url, loop, nowUs } = options;
    this.live = loop;
    this.#path = url.slice('file:'.length);
    this.#options = options;
    this.#timeline = new Timeline({ nowUs, delayUs: FILM_DELAY_US, live: false });
  }

  async open(): Promise<SourceInfo> {
    this.#items = await this.#read();
    const { index, offsetUs } = this.live ? await whatIsOn(this.#items, this.#options.nowUs()) : BEGINNING;
    this.#next = index;
    this.#opened = await this.#openNext(offsetUs, Promise.resolve());
    return this.#opened === null ? this.#failAll() : this.#complete(this.#opened.info);
  }

  async play(sink: SourceSink, signal: AbortSignal): Promise<void> {
    let before: Promise<void> = Promise.resolve();
    let fault: unknown = null;
    while (this.#opened !== null) {
      const { item, source, info } = this.#opened;
      this.#opened = null;
      this.#options.changed(this.#complete(info));
      const playing = this.#playItem(item, source, sink, signal);
      await Promise.race([source.isRead, playing]);
      // Two at a time, however short they are.
      await before;
      before = playing;
      if (signal.aborted) break;
      if (source.hasMedia) this.#isWell(item);
      else this.#skip(item, 'there is nothing in it');
      try {
        this.#opened = await this.#openNext(0, before);
      } catch (error) {
        fault = error;
      }
    }
    await before;
    if (signal.aborted) return;
    if (fault !== null) throw fault;
    if (this.live) this.#failAll();
  }

  async close(): Promise<void> {
    await this.#opened?.source.close();
  }

  async #playItem(item: Item, source: InputSource, sink: SourceSink, signal: AbortSignal): Promise<void> {
    try {
      await source.play(sink, signal);
    } catch (error) {
      this.#skip(item, (error as Error).message);
    } finally {
      await source.close();
    }
  }

  /** Null at the end of what is played once, and when nothing of a whole round can be played. */
  async #openNext(offsetUs: number, after: Promise<void>): Promise<Opened | null> {
    for (let beginUs = offsetUs; this.#failures < Math.max(this.#items.length, 1); beginUs = 0) {
      if (this.#next >= this.#items.length) {
        if (!this.live) return null;
        this.#items = await this.#read();
        this.#next = 0;
        const isThere = ({ item }: SkippedItem) => this.#items.some(({ name }) => name === item);
        this.#skipped = this.#skipped.filter(isThere);
      }
      const item = this.#items[this.#next++]!;
      const changed = (info: SourceInfo) => this.#options.changed(this.#complete(info));
      const options = { ...this.#options, loop: false, changed };
      const part = { timeline: this.#timeline, offsetUs: beginUs, after };
      const source = new InputSource(fileInput(`file:${item.path}`), options, part);
      try {
        return { item, source, info: await source.open() };
      } catch (error) {
        await source.close();
        this.#skip(item, error instanceof DialcastError ? error.detail : (error as Error).message);
      }
    }
    return null;
  }

  /** Viewers keep the picture or the sound that an item lacks: the next may have it. */
  #complete(info: SourceInfo): SourceInfo {
    const { video, audio } = this.#info;
    this.#info = { ...info, video: info.video ?? video, audio: info.audio ?? audio, skipped: this.#skipped };
    return this.#info;
  }

  #skip({ name }: Item, reason: string): void {
    this.#failures++;
    const others = this.#skipped.filter(({ item }) => item !== name);
    this.#skipped = [...others, { item: name, reason }].slice(-MOST_SKIPPED);
  }

  #isWell({ name }: Item): void {
    this.#failures = 0;
    this.#skipped = this.#skipped.filter(({ item }) => item !== name);
  }

  async #read(): Promise<readonly Item[]> {
    const fault = await readable(this.#path);
    if (fault !== null) throw new DialcastError('SOURCE_OPEN_FAILED', fault);
    const items = await readItems(this.#path);
    if (items.length > 0) return items;
    throw new DialcastError('SOURCE_OPEN_FAILED', 'there is no media file in the folder or playlist');
  }

  #failAll(): never {
    const named = this.#skipped.map(({ item, reason }) => `${item}: ${reason}`).join('; ');
    throw new DialcastError('SOURCE_OPEN_FAILED', `no file of the folder or playlist can be played (${named})`);
  }
}
