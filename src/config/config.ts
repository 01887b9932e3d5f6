/** The configuration as every part sees it: validated, with defaults filled in. */

import type { KeyPairFiles } from './key-pair.ts';

export interface Config {
  /** SIP domain served. */
  readonly domain: string;
  /** Files are absolute, here and below; null is without TLS. */
  readonly http: {
    readonly addresses: readonly string[];
    readonly port: number;
    readonly tls: KeyPairFiles | null;
  };
  /** A null port turns the transport off; 0 picks a free one. */
  readonly sip: {
    readonly addresses: readonly string[];
    readonly udp: number | null;
    readonly tcp: number | null;
    readonly tls: ({ readonly port: number } & KeyPairFiles) | null;
  };
  readonly media: {
    /** Addresses announced to viewers, best first; already resolved when the file says `auto`. */
    readonly addresses: readonly string[];
    /** UDP port shared by all WebRTC viewers; 0 picks a free one. */
    readonly port: number;
    /** Inclusive range for the RTP/RTCP port pairs of phones. */
    readonly rtpPorts: { readonly first: number; readonly last: number };
  };
  /** May anonymous callers watch. */
  readonly guests: boolean;
  /** Addresses and CIDR networks of the operator's own proxies and media relays. */
  readonly trusted: readonly string[];
  readonly limits: {
    readonly viewers: number;
    /** Over TCP, TLS and HTTP together. */
    readonly connections: number;
    /** The same of one IPv4 address or IPv6 /64. */
    readonly connectionsPerAddress: number;
    /** MiB for each. */
    readonly transcoderMemory: number;
  };
  readonly transcoders: {
    /** As whom they run; null for whom the server runs as, or nobody when that is root. */
    readonly user: string | null;
  };
  readonly sources: SourcesConfig;
  readonly trace: {
    /** The Homer server that gets a copy of every SIP message; null for none. */
    readonly hep: { readonly address: string; readonly port: number; readonly captureId: number } | null;
  };
  /** What H.264 is encoded with: `auto` for the first hardware that works, software where none does. */
  readonly encoders: 'software' | 'auto' | 'nvenc' | 'qsv' | 'vaapi' | 'v4l2';
  readonly guide: GuideConfig;
  /** Where films are kept that are prepared, and how much of them. */
  readonly cache: { readonly folder: string; readonly sizeBytes: number };
  readonly channels: readonly ChannelConfig[];
  readonly platforms: readonly PlatformConfig[];
}

/** What may be played. */
export interface SourcesConfig {
  /** URL schemes. */
  readonly kinds: readonly string[];
  /** Folders, absolute, in which files have to be; none for anywhere. */
  readonly roots: readonly string[];
}

export interface ChannelConfig {
  readonly number: number;
  /** SIP user name. */
  readonly name: string;
  readonly title: string;
  /** Source URL; `file:` paths are absolute after loading. */
  readonly source: string;
  readonly loop: boolean;
  /** Is it on air whether somebody watches or not: false when left out. */
  readonly alwaysOn?: boolean;
  /** Is it played to each viewer from its start, at a position of his own. */
  readonly film?: boolean;
  /** May what comes in go to viewers as it is, where they take it: `auto` when left out. */
  readonly passThrough?: 'auto' | 'never';
  /** Of the sound that is wanted and of the subtitles to be shown, where there are such: codes of ISO 639. */
  readonly audioLanguage?: string;
  readonly subtitles?: string;
  /** Sizes to encode in, largest first; none, or left out, for those that suit most. */
  readonly ladder?: readonly LadderRung[];
  readonly group?: string;
  /** URL of a picture: http, https or data. */
  readonly logo?: string;
  /** Id of the channel in XMLTV. */
  readonly guideId?: string;
}

/** The box into which a rendition fits, and what it takes when it fills the box. */
export interface LadderRung {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly bitrateBps: number;
}

/** Where channels and programmes are read from, and read again. Each place is an absolute path or an http(s) URL. */
export interface GuideConfig {
  /** Documents in XMLTV; of several that know a channel the first tells. */
  readonly xmltv: readonly string[];
  readonly playlists: readonly PlaylistConfig[];
  readonly refreshHours: number;
}

/** A list of channels in M3U. */
export interface PlaylistConfig {
  readonly source: string;
  /** Of the first channel to which the list gives none. */
  readonly firstNumber: number;
}

/** A foreign SIP platform's subscriber that stands for a channel. */
export interface PlatformConfig {
  /** Host of the registrar, which is the platform's SIP domain; without a port it is looked up in DNS (RFC 3263). */
  readonly registrar: {
    readonly host: string;
    readonly port: number | null;
    /** Null when DNS is to tell. */
    readonly transport: 'udp' | 'tcp' | 'tls' | null;
  };
  /** File in PEM of the authorities that sign the platform's certificate; null for those that the system trusts. */
  readonly ca: string | null;
  readonly user: string;
  readonly password: string;
  /** Name of the channel. */
  readonly channel: string;
  readonly expiresSeconds: number;
}
