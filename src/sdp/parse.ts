import { type MediaDescription, parse, type SessionDescription } from 'sdp-transform';
import type { Direction, Fingerprint } from './types.ts';

/** An offer as negotiation reads it. */
export interface Offer {
  readonly session: Section;
  readonly media: readonly OfferedMedia[];
  /** Mids of each BUNDLE group. */
  readonly bundles: readonly (readonly string[])[];
}

/** What may stand for the whole session, and again for one medium. */
export interface Section {
  readonly connection: string | null;
  readonly direction: Direction | null;
  readonly iceUfrag: string | null;
  readonly icePwd: string | null;
  readonly setup: string | null;
  readonly fingerprints: readonly Fingerprint[];
}

/** One m-line with its attributes. */
export interface OfferedMedia extends Section {
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  /** The formats as they stand in the m-line. */
  readonly payloads: string;
  readonly mid: string | null;
  readonly rtcpMux: boolean;
  readonly rtcpPort: number | null;
  readonly bundleOnly: boolean;
  readonly rtpmaps: MediaDescription['rtp'];
  readonly fmtps: MediaDescription['fmtp'];
  readonly feedback: NonNullable<MediaDescription['rtcpFb']>;
}

const MAX_OFFER_BYTES = 64 * 1024;
const MAX_MEDIA = 32;
/** No certificate has more hashes than this in any offer seen. */
const MAX_FINGERPRINTS = 8;

const LINE = /^[a-z]=/;
const MEDIA_LINE = /^m=([!-~]+) (\d{1,5})(?:\/\d+)? ([!-~]+) ([!-~]+(?: [!-~]+)*) *$/;
const FINGERPRINT = /^a=fingerprint:([A-Za-z0-9-]+) ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*) *$/;

/** RFC 8839 §5.4. */
const ICE_UFRAG = /^[A-Za-z0-9+/]{4,256}$/;
const ICE_PWD = /^[A-Za-z0-9+/]{22,256}$/;

/**
 * All that negotiation reads. Nothing else goes through the parser: some of its expressions for other attributes take
 * quadratic time on hostile lines.
 */
const USED =
  /^(?:c=|a=(?:(?:rtpmap|fmtp|rtcp|rtcp-fb|mid|setup|group|ice-ufrag|ice-pwd):|(?:sendrecv|sendonly|recvonly|inactive|rtcp-mux|bundle-only)\s*$))/;

/** Reads an offer; a string says why it is none. */
export function parseOffer(text: string): Offer | string {
  if (Buffer.byteLength(text) > MAX_OFFER_BYTES) return `SDP is longer than ${MAX_OFFER_BYTES} bytes`;
  const lines = text.split(/\r\n|\r|\n/).filter(line => line !== '');
  if (lines[0]?.trimEnd() !== 'v=0') return 'SDP does not begin with v=0';
  if (!lines.every(line => LINE.test(line))) return 'SDP has a line that is not a letter and an equals sign';
  if (!lines.some(line => line.startsWith('o='))) return 'SDP has no origin';

  const starts = lines.flatMap((line, index) => (line.startsWith('m=') ? [index] : []));
  if (starts.length > MAX_MEDIA) return `SDP has more than ${MAX_MEDIA} m-lines`;
  const media: OfferedMedia[] = [];
  for (const [index, start] of starts.entries()) {
    const section = parseMedia(lines.slice(start, starts[index + 1]));
    if (section === null) return `SDP has a malformed m-line (number ${index + 1})`;
    media.push(section);
  }
  const head = lines.slice(0, starts[0]);
  const session = parse(used(head));
  const bundles = (session.groups ?? []).filter(group => group.type === 'BUNDLE');
  return {
    session: readSection(session, head),
    media,
    bundles: bundles.map(group => String(group.mids).split(' ').filter(Boolean)),
  };
}

function parseMedia(lines: readonly string[]): OfferedMedia | null {
  const [line, kind, port, protocol, payloads] = MEDIA_LINE.exec(lines[0]!) ?? [];
  if (line === undefined || Number(port) > 65_535) return null;
  // The line itself was read above, ports and all; in its place stands one that the parser takes in any case.
  const description = parse(`m=x 0 x x\r\n${used(lines)}`).media[0]!;
  return {
    ...readSection(description, lines),
    kind: kind!,
    port: Number(port),
    protocol: protocol!,
    payloads: payloads!,
    mid: text(description.mid),
    rtcpMux: description.rtcpMux !== undefined,
    rtcpPort: typeof description.rtcp?.port === 'number' ? description.rtcp.port : null,
    bundleOnly: description.bundleOnly !== undefined,
    rtpmaps: description.rtp,
    fmtps: description.fmtp,
    feedback: description.rtcpFb ?? [],
  };
}

function readSection(description: MediaDescription | SessionDescription, lines: readonly string[]): Section {
  const iceUfrag = text(description.iceUfrag);
  const icePwd = text(description.icePwd);
  return {
    connection: text(description.connection?.ip),
    direction: description.direction ?? null,
    iceUfrag: iceUfrag !== null && ICE_UFRAG.test(iceUfrag) ? iceUfrag : null,
    icePwd: icePwd !== null && ICE_PWD.test(icePwd) ? icePwd : null,
    setup: text(description.setup),
    // The parser keeps one fingerprint only; RFC 8122 §5 allows several.
    fingerprints: lines
      .flatMap(line => {
        const [, hash, value] = FINGERPRINT.exec(line) ?? [];
        return hash && value ? [{ hash: hash.toLowerCase(), value: value.toUpperCase() }] : [];
      })
      .slice(0, MAX_FINGERPRINTS),
  };
}

function used(lines: readonly string[]): string {
  return lines.filter(line => USED.test(line)).join('\r\n');
}

/** The parser makes a number of every value that looks like one: ice-ufrag and mid among them. */
function text(value: string | number | undefined): string | null {
  return value === undefined || value === '' ? null : String(value);
}
