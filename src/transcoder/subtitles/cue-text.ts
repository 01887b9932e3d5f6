import {
  AV_CODEC_ID_ASS,
  AV_CODEC_ID_MOV_TEXT,
  AV_CODEC_ID_SUBRIP,
  AV_CODEC_ID_TEXT,
  AV_CODEC_ID_WEBVTT,
} from 'node-av/constants';

/** A cue as a line of a script in Advanced SubStation Alpha has it after its times: style, margins, text. */
export interface Cue {
  readonly layer: string;
  readonly style: string;
  /** `MarginL,MarginR,MarginV,Effect` */
  readonly margins: string;
  readonly text: string;
}

/** Cues with more are no subtitles, but an attack on who draws them. */
const MOST_CHARACTERS = 2_000;

/** What a packet of each codec says; null for nothing. */
export const CUE_READERS: ReadonlyMap<number, (data: Buffer) => Cue | null> = new Map([
  [AV_CODEC_ID_ASS, readScriptLine],
  [AV_CODEC_ID_MOV_TEXT, (data: Buffer) => plain(timedText(data))],
  [AV_CODEC_ID_SUBRIP, (data: Buffer) => plain(data.toString('utf8'))],
  [AV_CODEC_ID_TEXT, (data: Buffer) => plain(data.toString('utf8'))],
  [AV_CODEC_ID_WEBVTT, (data: Buffer) => plain(data.toString('utf8'))],
]);

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', nbsp: '\u00a0', lrm: '', rlm: '' };
const STYLES: Readonly<Record<string, string>> = { i: '\\i', b: '\\b', u: '\\u' };
/** `{\an8}` at the beginning of a cue in SubRip: where on the screen it stands, by the keys of a number pad. */
const PLACE = /^\s*\{\\an([1-9])\}/;

/** Text with at most the marks `<i>`, `<b>` and `<u>`; nothing else in it is a command. */
function plain(text: string): Cue | null {
  const place = PLACE.exec(text);
  const words = text
    .slice(place?.[0].length ?? 0, MOST_CHARACTERS)
    .replace(/\{\\[^}]*\}/g, '')
    .trim();
  if (words === '') return null;
  const escaped = words
    .split(/(<\/?[a-z][^>]*>)/i)
    .map(part => (part.startsWith('<') ? markup(part) : literal(part)))
    .join('');
  return {
    layer: '0',
    style: 'Default',
    margins: '0,0,0,',
    text: (place === null ? '' : `{\\an${place[1]}}`) + escaped,
  };
}

function markup(tag: string): string {
  const [, end, name = ''] = /^<(\/?)([a-z]+)/i.exec(tag) ?? [];
  const style = STYLES[name.toLowerCase()];
  return style === undefined ? '' : `{${style}${end === '/' ? 0 : 1}}`;
}

function literal(text: string): string {
  return (
    text
      .replace(/&(amp|lt|gt|nbsp|lrm|rlm);/g, (_, name: string) => ENTITIES[name]!)
      // One that looks the same and is no command.
      .replace(/\\/g, '\u2216')
      .replace(/[{}]/g, '\\$&')
      .replace(/\r\n|\r|\n/g, '\\N')
  );
}

/** ISO/IEC 14496-17, 3GPP TS 26.245: the length of the text in two bytes, the text, and boxes with its style. */
function timedText(data: Buffer): string {
  if (data.length < 2) return '';
  const text = data.subarray(2, 2 + data.readUInt16BE(0));
  const isUtf16 = text[0] === 0xfe && text[1] === 0xff;
  return isUtf16
    ? Buffer.from(text.subarray(2, 2 + (text.length & ~1)))
        .swap16()
        .toString('utf16le')
    : text.toString('utf8');
}

/** `ReadOrder,Layer,Style,Name,MarginL,MarginR,MarginV,Effect,Text`, as Matroska has it. */
function readScriptLine(data: Buffer): Cue | null {
  const fields = data
    .toString('utf8')
    .replace(/[\r\n]+/g, ' ')
    .split(',');
  if (fields.length < 9) return null;
  const [, layer = '0', style = 'Default', , ...rest] = fields;
  const text = rest.slice(4).join(',').slice(0, MOST_CHARACTERS).trim();
  return text === '' ? null : { layer, style, margins: rest.slice(0, 4).join(','), text };
}
