import sax from 'sax';
import { type AnnouncedProgramme, inOrder, type Schedule } from './programmes.ts';

export interface XmltvOptions {
  /** Is this the id of a channel whose programmes are wanted; those of all others are passed over. */
  readonly isWanted: (id: string) => boolean;
  /** What ends before or begins after these moments is passed over. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface XmltvResult {
  readonly schedule: Schedule;
  readonly programmes: number;
  /** What is wrong with the document in spite of which it was read, the first of each kind. */
  readonly faults: readonly string[];
}

const MOST_PROGRAMMES = 200_000;
const MOST_CHARACTERS = { title: 200, subtitle: 200, description: 1_000, category: 100 };
/** Before it is cut to what is shown. */
const MOST_CHARACTERS_OF_A_TEXT = 10_000;
/** XMLTV has four levels; a tag that is open costs memory. */
const MOST_LEVELS = 32;
/** No tag, text or comment that means well is longer; the parser keeps it until its end. */
const MOST_CHARACTERS_OF_A_PART = 1_048_576;

/** The children of `programme` that are shown, and what they are to us. Of several in different languages the first counts. */
const TEXTS: Readonly<Record<string, 'title' | 'subtitle' | 'description' | 'category'>> = {
  title: 'title',
  'sub-title': 'subtitle',
  desc: 'description',
  category: 'category',
};

interface Draft {
  readonly id: string;
  readonly startMs: number;
  readonly stopMs: number | null;
  readonly texts: { title?: string; subtitle?: string; description?: string; category?: string };
}

/**
 * Reads a document in XMLTV piece by piece (https://wiki.xmltv.org/index.php/XMLTVFormat). It is not validated, and
 * entities that it declares are not expanded, so nothing in it can grow.
 */
export class XmltvReader {
  readonly #options: XmltvOptions;
  readonly #parser = new sax.SAXParser(true);
  readonly #byId = new Map<string, AnnouncedProgramme[]>();
  readonly #faults = new Map<string, string>();
  #programmes = 0;
  #levels = 0;
  /** Null before the first tag. */
  #root: string | null = null;
  #draft: Draft | null = null;
  /** What is read of a child of `programme`. */
  #text: string | null = null;
  #charactersSinceTag = 0;
  #refusal: string | null = null;

  constructor(options: XmltvOptions) {
    this.#options = options;
    const parser = this.#parser;
    parser.onopentag = ({ name, attributes }) => this.#opened(name, attributes as Record<string, string>);
    parser.onclosetag = name => this.#closed(name);
    parser.ontext = text => this.#read(text);
    parser.oncdata = text => this.#read(text);
    // Unescaped signs, tags that are not closed and the like: what follows is read all the same.
    parser.onerror = ({ message }) => {
      this.#blame('not well-formed', `line ${parser.line + 1}: ${message.split('\n', 1)}`);
      parser.resume();
    };
  }

  /** False when there is no use in reading on. */
  push(text: string): boolean {
    if (this.#refusal !== null) return false;
    this.#charactersSinceTag += text.length;
    this.#parser.write(text);
    if (this.#charactersSinceTag > MOST_CHARACTERS_OF_A_PART) this.#refusal ??= 'it has a part that is too long';
    return this.#refusal === null;
  }

  /** All that was read, or why it is of no use. */
  end(): XmltvResult | { readonly refusal: string } {
    if (this.#refusal === null) this.#parser.close();
    if (this.#root === null) this.#refusal ??= 'it is no XML';
    if (this.#refusal !== null) return { refusal: this.#refusal };
    const schedule = new Map([...this.#byId].map(([id, programmes]) => [id, inOrder(programmes)]));
    return { schedule, programmes: this.#programmes, faults: [...this.#faults.values()] };
  }

  #opened(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#charactersSinceTag = 0;
    if (++this.#levels > MOST_LEVELS) this.#refusal ??= 'it has tags within tags without an end';
    this.#root ??= name;
    if (this.#root !== 'tv') this.#refusal ??= `it is no XMLTV: it begins with <${this.#root.slice(0, 50)}>`;
    if (this.#refusal !== null) return;
    if (name === 'programme' && this.#levels === 2) this.#draft = this.#begin(attributes);
    else if (this.#draft !== null && this.#levels === 3 && TEXTS[name] !== undefined) this.#text = '';
  }

  #closed(name: string): void {
    this.#charactersSinceTag = 0;
    this.#levels--;
    const draft = this.#draft;
    if (draft === null) return;
    const part = TEXTS[name];
    if (this.#levels === 2 && part !== undefined && this.#text !== null) {
      draft.texts[part] ??= tidy(this.#text, MOST_CHARACTERS[part]);
      this.#text = null;
    }
    if (this.#levels === 1) {
      this.#add(draft);
      this.#draft = null;
    }
  }

  #read(text: string): void {
    if (this.#text !== null && this.#text.length < MOST_CHARACTERS_OF_A_TEXT) this.#text += text;
  }

  #begin({ channel = '', start = '', stop }: Readonly<Record<string, string>>): Draft | null {
    if (!this.#options.isWanted(channel)) return null;
    const startMs = parseXmltvTime(start);
    const stopMs = stop === undefined ? null : parseXmltvTime(stop);
    if (startMs === null) {
      this.#blame(
        'time',
        `a programme of ${channel} begins at ${JSON.stringify(start.slice(0, 50))}, which is no time`,
      );
      return null;
    }
    const { fromMs, toMs } = this.#options;
    if (startMs >= toMs || (stopMs ?? startMs) < fromMs) return null;
    return { id: channel, startMs, stopMs, texts: {} };
  }

  #add({ id, startMs, stopMs, texts }: Draft): void {
    const { title = '', subtitle, description, category } = texts;
    if (title === '') return this.#blame('title', `a programme of ${id} has no title`);
    if (this.#programmes === MOST_PROGRAMMES) {
      return this.#blame('many', `there are more than ${MOST_PROGRAMMES} programmes; the rest is left out`);
    }
    this.#programmes++;
    const programmes = this.#byId.get(id) ?? [];
    this.#byId.set(id, programmes);
    programmes.push({
      startMs,
      stopMs,
      title,
      subtitle: subtitle || null,
      description: description || null,
      category: category || null,
    });
  }

  #blame(kind: string, fault: string): void {
    if (!this.#faults.has(kind)) this.#faults.set(kind, fault);
  }
}

/** `20261124203000 +0100`: from the year to whatever part, then the difference from UTC, or nothing for UTC itself. */
const TIME = /^(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?\s*(?:([+-])(\d\d):?(\d\d)|Z|UTC|GMT)?$/;

/** Unix time in milliseconds; null when it is no time of XMLTV. */
export function parseXmltvTime(text: string): number | null {
  const match = TIME.exec(text.trim());
  if (match === null) return null;
  const [year, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(part => (part === undefined ? undefined : Number(part)));
  const sign = match[7] === '-' ? -1 : 1;
  const offsetMinutes = sign * (Number(match[8] ?? 0) * 60 + Number(match[9] ?? 0));
  const date = new Date(Date.UTC(year!, month - 1, day, hour, minute, second));
  // The 31st of June, or a minute past the 59th.
  if (date.getUTCMonth() !== month - 1 || date.getUTCMinutes() !== minute) return null;
  return date.getTime() - offsetMinutes * 60_000;
}

/**
 * Readable text of limited length. It is written anew, since a piece of a string keeps the whole in memory: here a part
 * of the document.
 */
function tidy(text: string, most: number): string {
  const readable = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return Buffer.from(readable.slice(0, most)).toString();
}
