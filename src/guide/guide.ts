import type { ChannelWish, GuideConfig } from '../config/index.ts';
import { DialcastError } from '../errors.ts';
import type { Logger } from '../observe/index.ts';
import { type DocumentLimits, type DocumentVersion, isOnTheWeb, openDocument, shownPlace } from './document.ts';
import { type Playlist, parsePlaylist } from './playlist.ts';
import { between, nowAndNext, type Programme, type Schedule } from './programmes.ts';
import { Refresher, type Timers } from './refresher.ts';
import { XmltvReader } from './xmltv.ts';

export interface GuideOptions {
  readonly config: GuideConfig;
  /** URL schemes of the source kinds. */
  readonly sourceKinds: readonly string[];
  /** Why a source may not be played here; null when it may. */
  readonly sourceRefusal: (source: string) => string | null;
  readonly log: Logger;
  readonly timers: Timers;
  readonly nowUnixMs: () => number;
  readonly random: () => number;
  /** A playlist was read: this is what is in all of them. Returns the ids of all channels in XMLTV. */
  readonly onChannels: (playlists: readonly ImportedChannels[]) => ReadonlySet<string>;
}

/** The channels of one playlist; none before it was read. */
export interface ImportedChannels {
  readonly firstNumber: number;
  readonly channels: readonly ChannelWish[];
}

const MIB = 2 ** 20;
const PLAYLIST_LIMITS: DocumentLimits = { maxBytes: 8 * MIB, maxUnzippedBytes: 8 * MIB };
const XMLTV_LIMITS: DocumentLimits = { maxBytes: 64 * MIB, maxUnzippedBytes: 256 * MIB };

const HOUR_MS = 3_600_000;
const PAST_MS = 24 * HOUR_MS;
const AHEAD_MS = 14 * 24 * HOUR_MS;
/** Faults of a playlist that the log gets, with the number of all. */
const LOGGED_FAULTS = 20;

/** Reads playlists and programmes from where others keep them, again and again, and knows what is on. */
export class Guide {
  readonly #options: GuideOptions;
  readonly #refreshers: { readonly playlists: readonly Refresher[]; readonly xmltv: readonly Refresher[] };
  readonly #imported: ImportedChannels[];
  /** In the order of the configuration; empty before a document was read. */
  readonly #schedules: Schedule[];
  #wanted: ReadonlySet<string> = new Set();

  constructor(options: GuideOptions) {
    const { xmltv, playlists } = options.config;
    this.#options = options;
    this.#imported = playlists.map(({ firstNumber }) => ({ firstNumber, channels: [] }));
    this.#schedules = xmltv.map(() => new Map());
    this.#refreshers = {
      playlists: playlists.map(({ source }, index) =>
        this.#refresher(source, (known, signal) => this.#readPlaylist(index, source, known, signal)),
      ),
      xmltv: xmltv.map((place, index) =>
        this.#refresher(place, (known, signal) => this.#readXmltv(index, place, known, signal)),
      ),
    };
  }

  /**
   * Begins to read everything. Resolves when the playlists that are files were read, so that their channels are there;
   * what is on the web comes when it comes.
   */
  async start(): Promise<void> {
    const { playlists } = this.#options.config;
    this.#wanted = this.#options.onChannels(this.#imported);
    const started = this.#refreshers.playlists.map(refresher => refresher.start());
    // Which programmes are wanted is known once the playlists were tried.
    void Promise.all(started).then(() => {
      for (const refresher of this.#refreshers.xmltv) void refresher.start();
    });
    await Promise.all(started.filter((_, index) => !isOnTheWeb(playlists[index]!.source)));
  }

  /** What is on now and next on the channel with this id in XMLTV. */
  nowAndNext(guideId: string | undefined): { readonly now: Programme | null; readonly next: Programme | null } {
    return nowAndNext(this.#programmes(guideId), this.#options.nowUnixMs());
  }

  between(guideId: string | undefined, fromMs: number, toMs: number): readonly Programme[] {
    return between(this.#programmes(guideId), fromMs, toMs);
  }

  close(): void {
    for (const refresher of [...this.#refreshers.playlists, ...this.#refreshers.xmltv]) refresher.close();
  }

  #programmes(guideId: string | undefined): readonly Programme[] {
    if (guideId === undefined) return [];
    return this.#schedules.find(schedule => schedule.has(guideId))?.get(guideId) ?? [];
  }

  #refresher(
    place: string,
    read: (known: DocumentVersion | null, signal: AbortSignal) => Promise<DocumentVersion | null>,
  ): Refresher {
    const { config, timers, random, log } = this.#options;
    return new Refresher({
      read,
      refreshMs: config.refreshHours * HOUR_MS,
      timers,
      random,
      onFailed: ({ message }, retryMs) =>
        log.warn(
          { place: shownPlace(place), reason: message, retrySeconds: retryMs / 1000 },
          'a part of the guide cannot be read; what was read before stays',
        ),
    });
  }

  async #readPlaylist(
    index: number,
    place: string,
    known: DocumentVersion | null,
    signal: AbortSignal,
  ): Promise<DocumentVersion | null> {
    const document = await openDocument(place, known, PLAYLIST_LIMITS, signal);
    if (document === null) return null;
    let text = '';
    for await (const piece of document.text) text += piece;
    const playlist = parsePlaylist(text, { place, ...this.#options });
    if ('refusal' in playlist) throw new DialcastError('GUIDE_UNREADABLE', playlist.refusal);
    this.#takePlaylist(index, place, playlist);
    return document.version;
  }

  #takePlaylist(index: number, place: string, { channels, faults }: Playlist): void {
    const { log, onChannels } = this.#options;
    const fields = { place: shownPlace(place), channels: channels.length };
    if (faults.length === 0) log.info(fields, 'a playlist was read');
    else log.warn({ ...fields, faults: faults.slice(0, LOGGED_FAULTS) }, 'a playlist was read, but not all of it');
    this.#imported[index] = { ...this.#imported[index]!, channels };
    const before = this.#wanted;
    this.#wanted = onChannels(this.#imported);
    if ([...this.#wanted].every(id => before.has(id))) return;
    for (const refresher of this.#refreshers.xmltv) refresher.again();
  }

  async #readXmltv(
    index: number,
    place: string,
    known: DocumentVersion | null,
    signal: AbortSignal,
  ): Promise<DocumentVersion | null> {
    const { log, nowUnixMs } = this.#options;
    const document = await openDocument(place, known, XMLTV_LIMITS, signal);
    if (document === null) return null;
    const [nowMs, wanted] = [nowUnixMs(), this.#wanted];
    const reader = new XmltvReader({
      isWanted: id => wanted.has(id),
      fromMs: nowMs - PAST_MS,
      toMs: nowMs + AHEAD_MS,
    });
    for await (const text of document.text) if (!reader.push(text)) break;
    const result = reader.end();
    if ('refusal' in result) throw new DialcastError('GUIDE_UNREADABLE', result.refusal);
    const { schedule, programmes, faults } = result;
    this.#schedules[index] = schedule;
    const fields = { place: shownPlace(place), channels: schedule.size, programmes };
    if (faults.length === 0) log.info(fields, 'a programme guide was read');
    else log.warn({ ...fields, faults }, 'a programme guide was read, but not all of it');
    return document.version;
  }
}
