import { isIP } from 'node:net';
import type { Offer, OfferedMedia, Section } from './parse.ts';
import type { AcceptedMedia, Negotiated } from './types.ts';

/** How the media of an m-line travel. */
export type Transport =
  | ({ readonly kind: 'webrtc'; readonly remote: null } & Credentials)
  | { readonly kind: 'rtp'; readonly remote: NonNullable<AcceptedMedia['remote']> };

type Credentials = Pick<NonNullable<Negotiated['webrtc']>, 'iceUfrag' | 'icePwd' | 'fingerprints'>;

const PLAIN_PROTOCOLS: ReadonlySet<string> = new Set(['RTP/AVP', 'RTP/AVPF']);

/** RFC 8829 §5.1.2: some offerers of DTLS-SRTP leave UDP/TLS out. */
const SECURE_PROTOCOLS: ReadonlySet<string> = new Set([
  'UDP/TLS/RTP/SAVPF',
  'UDP/TLS/RTP/SAVP',
  'RTP/SAVPF',
  'RTP/SAVP',
]);

/** The BUNDLE group of an m-line; null when it has none. */
export function bundleOf(offer: Offer, media: OfferedMedia): readonly string[] | null {
  const { mid } = media;
  return mid === null ? null : (offer.bundles.find(mids => mids.includes(mid)) ?? null);
}

/** What is needed to send for this m-line; a string says why we cannot. */
export function readTransport(offer: Offer, media: OfferedMedia): Transport | string {
  const { protocol } = media;
  if (PLAIN_PROTOCOLS.has(protocol)) return readPlainTransport(offer, media);
  if (SECURE_PROTOCOLS.has(protocol)) return readSecureTransport(offer, media);
  return `${protocol} is not supported`;
}

/** Does the m-line ask for silence in the way of RFC 2543: an address of zeros. */
export function isHeldByAddress({ remote }: Transport): boolean {
  return remote !== null && /^[0.:]+$/.test(remote.address);
}

function readPlainTransport(offer: Offer, media: OfferedMedia): Transport | string {
  const { port, rtcpMux } = media;
  if (port === 0) return 'disabled by the offer';
  const address = media.connection ?? offer.session.connection;
  if (address === null || isIP(address) === 0) return 'no numeric address in c=';
  // RFC 3605 §2.1; without the attribute RTCP has the next higher port (RFC 3550 §11).
  const rtcpPort = rtcpMux ? port : (media.rtcpPort ?? port + 1);
  if (rtcpPort === 0 || rtcpPort > 65_535) return 'no RTCP port';
  return { kind: 'rtp', remote: { address, port, rtcpPort } };
}

function readSecureTransport(offer: Offer, media: OfferedMedia): Transport | string {
  const group = bundleOf(offer, media);
  // RFC 8843 §6: in a group, port zero with bundle-only refuses nothing but a transport of its own.
  if (media.port === 0 && !(media.bundleOnly && group !== null)) return 'disabled by the offer';
  const sections = transportSections(offer, media, group);
  const fingerprints = sections.find(section => section.fingerprints.length > 0)?.fingerprints;
  if (fingerprints === undefined) return `${media.protocol} without a DTLS fingerprint is not supported`;
  const ice = sections.find(({ iceUfrag, icePwd }) => iceUfrag !== null && icePwd !== null);
  if (ice === undefined) return 'DTLS without ICE is not supported';
  // RFC 8842 §5.2: an offerer that will not be the DTLS client leaves that to us, who are always the server.
  const setup = sections.find(section => section.setup !== null)?.setup ?? 'active';
  if (setup !== 'actpass' && setup !== 'active') return `a=setup:${setup.slice(0, 16)} is not supported`;
  if (!media.rtcpMux) return 'DTLS without rtcp-mux is not supported';
  return { kind: 'webrtc', remote: null, iceUfrag: ice.iceUfrag!, icePwd: ice.icePwd!, fingerprints };
}

/**
 * Where transport attributes of an m-line are looked for, in this order: its own section, the section that speaks for
 * its BUNDLE group (RFC 8843 §7.1.3), the session.
 */
function transportSections(offer: Offer, media: OfferedMedia, group: readonly string[] | null): readonly Section[] {
  const tagged = group === null ? undefined : offer.media.find(({ mid }) => mid === group[0]);
  return tagged === undefined ? [media, offer.session] : [media, tagged, offer.session];
}
