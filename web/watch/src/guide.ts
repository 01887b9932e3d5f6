import type { Channel } from './channels.ts';

export interface GuideHandlers {
  chosen(target: string): void;
  /** The list was read anew. */
  listed(): void;
}

const POLL_INTERVAL_MS = 5_000;

/** The list of channels beside the screen, kept current while the page is seen. */
export class Guide {
  readonly #list: HTMLElement;
  readonly #note: HTMLElement;
  readonly #handlers: GuideHandlers;
  readonly #rows = new Map<string, HTMLLIElement>();
  #channels: readonly Channel[] = [];
  #current: string | null = null;

  constructor(list: HTMLElement, note: HTMLElement, handlers: GuideHandlers) {
    this.#list = list;
    this.#note = note;
    this.#handlers = handlers;
    list.addEventListener('click', event => this.#clicked(event));
    document.addEventListener('visibilitychange', () => void this.refresh());
    setInterval(() => void this.refresh(), POLL_INTERVAL_MS);
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
      fill(row, channel);
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

function fill(row: HTMLLIElement, { number, title, kind, onAir, viewers }: Channel): void {
  const text = (part: string, value: string) => {
    const element = row.querySelector<HTMLElement>(`[data-part="${part}"]`)!;
    // Untouched text spares screen readers an announcement, and the browser a layout.
    if (element.textContent !== value) element.textContent = value;
  };
  text('number', String(number));
  text('title', title);
  text('kind', kind === 'film' ? 'Film' : 'Live');
  text('viewers', viewers === 0 ? 'Ready to call' : viewers === 1 ? '1 viewer' : `${viewers} viewers`);
  row.dataset.onAir = String(onAir);
  row.dataset.kind = kind;
}

function markCurrent(row: HTMLLIElement, current: boolean): void {
  const link = row.querySelector('a')!;
  if (current) link.setAttribute('aria-current', 'true');
  else link.removeAttribute('aria-current');
}
