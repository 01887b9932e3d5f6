import type { Random } from './random.ts';

/** What a parser stumbles over. */
const SPICE = [
  '\r\n',
  '\r\n\r\n',
  '\r\n ',
  '\r',
  '\n',
  '\0',
  '\t',
  ' ',
  '"',
  '\\',
  '<',
  '>',
  ';',
  ';;',
  ',',
  ',,',
  ':',
  ':::',
  '::1',
  '=',
  '%',
  '%00',
  '%0d%0a',
  '%zz',
  '[',
  ']',
  '@',
  '?',
  '*',
  '--',
  '\xff',
  '\xef\xbb\xbf',
  'SIP/2.0',
  'z9hG4bK',
  'sip:',
  'tel:1',
  ';tag=',
  ';received=[::1]',
  ';lr',
  'multipart/mixed;boundary=b',
];
const NUMBERS = [
  '0',
  '-1',
  '00',
  '1',
  '255',
  '256',
  '65535',
  '65536',
  '2147483647',
  '2147483648',
  '4294967301',
  '9'.repeat(40),
];
/** Most are short; some are longer than any line of a good message, and a few than any message. */
const LENGTHS = [...Array<number>(12).fill(16), 128, 128, 128, 1_024, 4_096, 15_000, 70_000];
const MOST_BYTES = 80_000;

type Mutation = (text: string, random: Random, others: readonly string[]) => string;

const MUTATIONS: readonly Mutation[] = [
  function insertSpice(text, random) {
    return insert(text, random, random.pick(SPICE));
  },
  function overwriteByte(text, random) {
    const at = random.below(text.length);
    return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
  },
  function overwriteWithSpice(text, random) {
    const at = random.below(text.length);
    const spice = random.pick(SPICE);
    return text.slice(0, at) + spice + text.slice(at + spice.length);
  },
  function removeRange(text, random) {
    const at = random.below(text.length);
    return text.slice(0, at) + text.slice(at + 1 + random.below(16));
  },
  function truncate(text, random) {
    return text.slice(0, random.below(text.length));
  },
  function repeatRange(text, random) {
    const at = random.below(text.length);
    const piece = text.slice(at, at + 1 + random.below(40));
    return insert(text, random, piece.repeat(1 + Math.floor(random.pick(LENGTHS) / piece.length)), at);
  },
  function insertRun(text, random) {
    return insert(text, random, random.pick(SPICE).repeat(1 + random.below(random.pick(LENGTHS))));
  },
  function replaceNumber(text, random) {
    const from = random.below(text.length);
    return text.slice(0, from) + text.slice(from).replace(/\d+/, () => random.pick(NUMBERS));
  },
  function foldLine(text, random) {
    const from = random.below(text.length);
    return text.slice(0, from) + text.slice(from).replace(/[ ;,=:]/, found => `${found}\r\n `);
  },
  function changeCase(text, random) {
    const at = random.below(text.length);
    const piece = text.slice(at, at + random.below(24));
    return text.slice(0, at) + (random.chance(0.5) ? piece.toUpperCase() : piece.toLowerCase()) + text.slice(at + 24);
  },
  function removeLine(text, random) {
    return withLines(text, lines => lines.toSpliced(random.below(lines.length), 1));
  },
  function repeatLine(text, random) {
    return withLines(text, lines => lines.toSpliced(random.below(lines.length), 0, random.pick(lines)));
  },
  function swapLines(text, random) {
    return withLines(text, lines => {
      const [a, b] = [random.below(lines.length), random.below(lines.length)];
      return lines.with(a, lines[b]!).with(b, lines[a]!);
    });
  },
  function takeLine(text, random, others) {
    const foreign = random.pick(random.pick(others).split('\r\n'));
    return withLines(text, lines => lines.toSpliced(1 + random.below(lines.length), random.below(2), foreign));
  },
  function splice(text, random, others) {
    const other = random.pick(others);
    return text.slice(0, random.below(text.length)) + other.slice(random.below(other.length));
  },
  function newTransaction(text, random) {
    return text.replace(/branch=[^;,\r\n]*/, `branch=z9hG4bK${random.below(2 ** 31)}`);
  },
];

/** A message with a few things changed, or as it was; now and then with a length that is right again. */
export function mutate(base: string, random: Random, others: readonly string[]): string {
  let text = base;
  while (text.length > 0 && random.chance(0.7)) text = random.pick(MUTATIONS)(text, random, others);
  return random.chance(0.5) ? withContentLength(text.slice(0, MOST_BYTES)) : text.slice(0, MOST_BYTES);
}

function insert(text: string, random: Random, piece: string, at = random.below(text.length + 1)): string {
  return text.slice(0, at) + piece + text.slice(at);
}

function withLines(text: string, change: (lines: readonly string[]) => readonly string[]): string {
  return change(text.split('\r\n')).join('\r\n');
}

function withContentLength(text: string): string {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return text;
  const length = `Content-Length: ${text.length - headEnd - 4}`;
  return text.slice(0, headEnd).replace(/^(?:content-length|l)[ \t]*:.*$/im, length) + text.slice(headEnd);
}
