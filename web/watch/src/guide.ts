import type { Channel } from './channels.ts';
import { type Listing, localTime, programmeWords } from './programmes.ts';

export interface GuideHandlers {
  chosen(target: string): void;
  /** The list was read anew. */
  listed(): void;
}

const POLL_INTERVAL_MS = 5_000;
const PROGRAMMES_INTERVAL_MS = 60_000;

/** The list of channels beside the screen, kept current while the page is seen. */
export class Guide {
  readonly #list: HTMLElement;
  readonly #note: HTMLElement;
  readonly #handlers: GuideHandlers;
  readonly #rows = new Map<string, HTMLLIElement>();
  #channels: readonly Channel[] = [];
  #listings: ReadonlyMap<string, Listing> = new Map();
  #current: string | null = null;

  constructor(list: HTMLElement, note: HTMLElement, handlers: GuideHandlers) {
    this.#list = list;
    this.#note = note;
    this.#handlers = handlers;
    list.addEventListener('click', event => this.#clicked(event));
    document.addEventListener('visibilitychange', () => {
      void this.refresh();
      void this.#refreshProgrammes();
    });
    setInterval(() => void this.refresh(), POLL_INTERVAL_MS);
    setInterval(() => void this.#refreshProgrammes(), PROGRAMMES_INTERVAL_MS);
    void this.#refreshProgrammes();
  }

  get channels(): readonly Channel[] {
    return this.#channels;
  }

  /** Marks the channel that is called or watched. */
  set current(name: string | null) {
    this.#current = name;
    for (const [rowName, row] of this.#rows) markCurrent(row, rowName === name);
  }

  async refresh(): Promise<void> {
    if (document.hidden) return;
    try {
      const response = await fetch('/api/channels', { headers: { accept: 'application/json' } });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      const { channels } = (await response.json()) as { channels: Channel[] };
      this.#channels = channels.toSorted((a, b) => a.number - b.number);
      this.#note.textContent = channels.length === 0 ? 'There are no channels yet.' : '';
      this.#list.dataset.stale = 'false';
    } catch {
      // The channels that are known stay: they can be called as soon as the server is back.
      this.#note.textContent = 'The guide cannot be read. Trying again …';
      this.#list.dataset.stale = 'true';
    }
    this.#render();
    this.#handlers.listed();
  }

  async #refreshProgrammes(): Promise<void> {
    if (document.hidden) return;
    try {
      const response = await fetch('/api/guide', { headers: { accept: 'application/json' } });
      if (!response.ok) return;
      const { channels } = (await response.json()) as { channels: Listing[] };
      this.#listings = new Map(channels.map(listing => [listing.name, listing]));
      if (this.#channels.length > 0) this.#render();
    } catch {
      // What is on is an extra: the list of channels says when the server is gone.
    }
  }

  #render(): void {
    this.#list.setAttribute('aria-busy', 'false');
    const names = new Set(this.#channels.map(({ name }) => name));
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      row.remove();
      this.#rows.delete(name);
    }
    for (const [index, channel] of this.#channels.entries()) {
      const row = this.#rows.get(channel.name) ?? this.#newRow(channel.name);
      fill(row, channel, this.#listings.get(channel.name) ?? null);
      markCurrent(row, channel.name === this.#current);
      if (this.#list.children[index] !== row) this.#list.insertBefore(row, this.#list.children[index] ?? null);
    }
  }

  #newRow(name: string): HTMLLIElement {
    const template = document.querySelector<HTMLTemplateElement>('#channel-row')!;
    const row = template.content.firstElementChild!.cloneNode(true) as HTMLLIElement;
    const link = row.querySelector('a')!;
    link.href = `/watch/${encodeURIComponent(name)}`;
    link.dataset.channel = name;
    this.#rows.set(name, row);
    return row;
  }

  #clicked(event: MouseEvent): void {
    // With a modifier key the viewer wants another tab or window, which the link gives.
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest<HTMLAnchorElement>('a[data-channel]');
    if (link === null) return;
    event.preventDefault();
    this.#handlers.chosen(link.dataset.channel!);
  }
}

function fill(row: HTMLLIElement, { number, title, kind, onAir, viewers }: Channel, listing: Listing | null): void {
  const text = (part: string, value: string) => {
    const element = row.querySelector<HTMLElement>(`[data-part="${part}"]`)!;
    // Untouched text spares screen readers an announcement, and the browser a layout.
    if (element.textContent !== value) element.textContent = value;
  };
  text('number', String(number));
  text('title', title);
  text('kind', kind === 'film' ? 'Film' : 'Live');
  text('viewers', viewers === 0 ? 'Ready to call' : viewers === 1 ? '1 viewer' : `${viewers} viewers`);
  text('programmes', listing === null ? '' : programmeWords(listing, localTime));
  showLogo(row.querySelector('img')!, listing?.logo ?? null);
  row.dataset.onAir = String(onAir);
  row.dataset.kind = kind;
}

function showLogo(image: HTMLImageElement, logo: string | null): void {
  if ((image.dataset.logo ?? null) === logo) return;
  image.hidden = true;
  delete image.dataset.logo;
  if (logo === null) return;
  image.dataset.logo = logo;
  // One that cannot be had leaves no hole.
  image.onload = () => {
    image.hidden = false;
  };
  image.src = logo;
}

function markCurrent(row: HTMLLIElement, current: boolean): void {
  const link = row.querySelector('a')!;
  if (current) link.setAttribute('aria-current', 'true');
  else link.removeAttribute('aria-current');
}
