import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChannelWish } from '../config/index.ts';

/** Why an entry of a list is no channel, or lacks something. */
export interface PlaylistFault {
  /** 1 for the first. */
  readonly line: number;
  readonly fault: string;
}

export interface Playlist {
  readonly channels: readonly ChannelWish[];
  readonly faults: readonly PlaylistFault[];
}

export interface PlaylistOptions {
  /** Absolute path or http(s) URL of the list; what is in it may be relative to that. */
  readonly place: string;
  /** URL schemes of the source kinds. */
  readonly sourceKinds: readonly string[];
  /** Why a source may not be played here; null when it may. */
  readonly sourceRefusal: (source: string) => string | null;
}

const MOST_CHANNELS = 10_000;
/** More help nobody to find what is wrong. */
const MOST_FAULTS = 100;
const MOST_CHARACTERS_OF_A_LINE = 16_384;
const MOST_CHARACTERS_OF_A_TEXT = 100;
const MOST_NUMBER = 999_999;

/** These run programs: a list, which may come from anywhere, must not choose them. */
const RUN_PROGRAMS: readonly string[] = ['dvb', 'exec', 'vlc'];
/** These open files: a list on the web must not choose ours. */
const OPEN_FILES: readonly string[] = ['file', 'sdp'];

/** Stands in quotes, or goes on to the next blank. */
const ATTRIBUTE = /(?<![\w-])([\w-]+)=(?:"([^"]*)"|([^\s,"]+))/g;

/** What stands above an address. */
interface Heading {
  readonly line: number;
  readonly title: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/**
 * Reads a list of channels in M3U, in the dialect of IPTV: above each address a line `#EXTINF:-1 tvg-id="…"
 * tvg-chno="…" tvg-logo="…" group-title="…",Title`. A bad entry harms no other; a refusal says why it is no such list.
 */
export function parsePlaylist(text: string, options: PlaylistOptions): Playlist | { readonly refusal: string } {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  if (!lines.find(line => line.trim() !== '')?.startsWith('#EXTM3U')) {
    return { refusal: 'it does not begin with #EXTM3U' };
  }
  const channels: ChannelWish[] = [];
  const faults: PlaylistFault[] = [];
  let heading: Heading | null = null;
  let group = '';
  for (const [index, untrimmed] of lines.entries()) {
    const [line, text] = [index + 1, untrimmed.trim()];
    const blame = (fault: string, at = line) => {
      if (faults.length < MOST_FAULTS) faults.push({ line: at, fault });
    };
    if (text.length > MOST_CHARACTERS_OF_A_LINE) {
      blame(`the line has more than ${MOST_CHARACTERS_OF_A_LINE} characters`);
    } else if (text.startsWith('#EXT-X-')) {
      return { refusal: 'it is a stream of HLS and no list of channels: name it as the source of a channel' };
    } else if (text.startsWith('#EXTINF:')) {
      if (heading !== null) blame('no address follows', heading.line);
      heading = readHeading(text, line);
    } else if (text.startsWith('#EXTGRP:')) {
      group = text.slice('#EXTGRP:'.length);
    } else if (text !== '' && !text.startsWith('#')) {
      const source = readAddress(text, options);
      if (channels.length === MOST_CHANNELS) {
        blame(`there are more than ${MOST_CHANNELS} channels; the rest is left out`);
        return { channels, faults };
      }
      const fault = typeof source === 'string' ? options.sourceRefusal(source) : source.fault;
      if (typeof source === 'string' && fault === null) channels.push(channel(source, heading, group, blame));
      else blame(fault!);
      heading = null;
      group = '';
    }
  }
  if (heading !== null && faults.length < MOST_FAULTS) faults.push({ line: heading.line, fault: 'no address follows' });
  return { channels, faults };
}

function readHeading(text: string, line: number): Heading {
  const comma = commaBeforeTitle(text);
  const attributes = new Map<string, string>();
  for (const [, name, quoted, bare] of text.slice(0, comma).matchAll(ATTRIBUTE)) {
    attributes.set(name!.toLowerCase(), quoted ?? bare!);
  }
  return { line, title: tidy(text.slice(comma + 1)), attributes };
}

/** The first comma that is in no quotes; when a quote is not closed, the last one. */
function commaBeforeTitle(text: string): number {
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted;
    if (text[at] === ',' && !quoted) return at;
  }
  const last = text.lastIndexOf(',');
  return last < 0 ? text.length : last;
}

function channel(
  source: string,
  heading: Heading | null,
  groupAbove: string,
  blame: (fault: string, line?: number) => void,
): ChannelWish {
  const attribute = (name: string) => heading?.attributes.get(name) ?? '';
  const number = attribute('tvg-chno');
  const logo = attribute('tvg-logo');
  const group = tidy(attribute('group-title') || groupAbove);
  const guideId = attribute('tvg-id').trim();
  const isNumber = /^[1-9]\d{0,5}$/.test(number) && Number(number) <= MOST_NUMBER;
  if (number !== '' && !isNumber) blame(`tvg-chno ${number.slice(0, 20)} is no number to dial`, heading?.line);
  const isLogo = /^(?:https?:\/\/|data:image\/)/.test(logo);
  if (logo !== '' && !isLogo) blame('tvg-logo is no URL of a picture', heading?.line);
  return {
    title: heading?.title || tidy(attribute('tvg-name')) || titleOf(source),
    source,
    loop: false,
    ...(isNumber && { number: Number(number) }),
    ...(group !== '' && { group }),
    ...(isLogo && { logo }),
    ...(guideId !== '' && { guideId }),
  };
}

/** The source that an address names, or why it can be none. */
function readAddress(text: string, { place, sourceKinds }: PlaylistOptions): string | { readonly fault: string } {
  const [, written, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/.exec(text) ?? [];
  const scheme = written?.toLowerCase();
  const onTheWeb = /^https?:\/\//.test(place);
  if (scheme === undefined) {
    if (!onTheWeb) return `file:${resolve(dirname(place), text)}`;
    return URL.canParse(text, place) ? new URL(text, place).href : { fault: `${text.slice(0, 100)} is no address` };
  }
  if (!sourceKinds.includes(scheme)) return { fault: `no source is of the kind ${scheme}:` };
  if (RUN_PROGRAMS.includes(scheme)) return { fault: `${scheme}: is taken from the configuration alone` };
  if (!OPEN_FILES.includes(scheme)) return `${scheme}:${rest}`;
  if (onTheWeb) return { fault: `a list on the web may name no files of this machine` };
  const path = pathOf(rest!);
  return path === null ? { fault: 'this is no path' } : `${scheme}:${resolve(dirname(place), path)}`;
}

/** Of what follows `file:`, which may be a whole URL or just a path. */
function pathOf(rest: string): string | null {
  if (!rest.startsWith('//')) return rest;
  try {
    return fileURLToPath(`file:${rest}`);
  } catch {
    return null;
  }
}

/** What a source may be called that has no title: the last part of its path. */
function titleOf(source: string): string {
  const [path = ''] = source.split(/[?#]/, 1);
  const last = path.split('/').findLast(part => part !== '') ?? path;
  return tidy(last.replace(/\.\w{1,5}$/, '')) || 'Channel';
}

/** One line of readable characters: it gets into SIP headers, logs and pages. */
function tidy(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, MOST_CHARACTERS_OF_A_TEXT)
    .toWellFormed();
}
