/** What the HTTP server needs from the rest of the house: plain data, read when a request asks for it. */

import type { WebSocket } from 'ws';

export interface Health {
  /** `draining` once the server has begun to close: new calls are refused. */
  readonly status: 'ok' | 'draining';
  readonly uptimeSeconds: number;
  readonly callsActive: number;
}

export interface ChannelListing {
  readonly number: number;
  /** SIP user name. */
  readonly name: string;
  readonly title: string;
  /** A film has an end; a live channel runs for ever. */
  readonly kind: 'live' | 'film';
  /** Is its transcoder running, so that a call gets its picture at once. */
  readonly onAir: boolean;
  /** Why nothing comes of its source, so that viewers see a slate; null while all is well. */
  readonly outage: string | null;
  /** Files of its folder or playlist that can't be played, or the latest of them. */
  readonly skipped: readonly { readonly item: string; readonly reason: string }[];
  /** How the card receives that it is on; null when it is on none, or nothing is known. */
  readonly signal: SignalListing | null;
  /** Of what there is to see and hear, while it is on air; null for what there is not. */
  readonly video: MediumListing | null;
  readonly audio: MediumListing | null;
  /** Which of several tracks are played; null while it is not on air, and where there is nothing to choose. */
  readonly languages: LanguagesListing | null;
  /** How its pictures are encoded; null while nobody does. */
  readonly encoding: EncodingListing | null;
  readonly viewers: number;
  /** Of a film that is on: how long it is, and how much of it is prepared in all that its viewers watch. */
  readonly film: { readonly durationSeconds: number; readonly preparedSeconds: number } | null;
}

/** What a card's driver says; each driver has a scale of its own, and says less while there is no lock. */
export interface SignalListing {
  readonly locked: boolean;
  readonly strength: number | null;
  readonly snr: number | null;
  readonly bitErrorRate: number | null;
}

export interface EncodingListing {
  /** What is done for them, less while the machine has no time for more. */
  readonly effort: 'full' | 'fasterPreset' | 'halfRate';
  /** What H.264 is encoded with; null for software. */
  readonly hardware: 'nvenc' | 'qsv' | 'vaapi' | 'v4l2' | null;
}

/** How a source's picture or sound goes to viewers. */
export interface MediumListing {
  /** What is passed through as it comes to whoever takes it, or will be when there is no obstacle any more. */
  readonly passThrough: string | null;
  /** Why all of it is encoded; null when it need not be. */
  readonly obstacle: string | null;
}

/** Codes of ISO 639. */
export interface LanguagesListing {
  /** Null for a track that does not say, and for none. */
  readonly audio: string | null;
  readonly subtitles: string | null;
  readonly available: { readonly audio: readonly string[]; readonly subtitles: readonly string[] };
}

/** Times are Unix time in milliseconds. */
export interface ProgrammeListing {
  readonly startMs: number;
  readonly stopMs: number;
  readonly title: string;
  readonly subtitle: string | null;
  readonly description: string | null;
  readonly category: string | null;
}

/** A channel as viewers look it up. */
export interface GuideListing {
  readonly number: number;
  /** SIP user name. */
  readonly name: string;
  readonly title: string;
  readonly group: string | null;
  /** URL of a picture. */
  readonly logo: string | null;
  /** Its id in XMLTV. */
  readonly guideId: string | null;
  readonly now: ProgrammeListing | null;
  readonly next: ProgrammeListing | null;
  /** Of the time that was asked for. */
  readonly programmes: readonly ProgrammeListing[];
}

export interface GuideWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A live call. Who calls and from where is left out on purpose: the list can be read by everybody. */
export interface CallListing {
  readonly id: string;
  /** SIP user name of the channel. */
  readonly channel: string;
  /** Transport of the signalling: `udp`, `ws` … */
  readonly transport: string;
  /** Codecs that were negotiated, video first; empty before the answer. */
  readonly codecs: readonly string[];
  /** Unix time in milliseconds of the answer; null before. */
  readonly answeredAtMs: number | null;
  readonly held: boolean;
  /** Of the time since the answer, that with the slate. */
  readonly slateMs: number;
  /** Null when all watch the same. */
  readonly film: FilmPositionListing | null;
}

/** Where a viewer is in a film. */
export interface FilmPositionListing {
  readonly positionSeconds: number;
  readonly durationSeconds: number;
  /** As far as it can be sought. */
  readonly preparedSeconds: number;
  /** Does it go on as time does; not while it is paused, on hold, or waits for what is to come. */
  readonly running: boolean;
  readonly paused: boolean;
}

/** What is left out stays as it is. */
export interface FilmMoveWish {
  readonly positionSeconds?: number;
  readonly paused?: boolean;
}

/** A SIP message of a call, as it may be shown. */
export interface SipMessageListing {
  /** 1 for the first of the call; what is missing was dropped. */
  readonly order: number;
  /** Unix time in milliseconds. */
  readonly atMs: number;
  readonly direction: 'in' | 'out';
  readonly transport: string;
  /** `address:port`, here and below. */
  readonly local: string;
  readonly remote: string;
  readonly startLine: string;
  /** Without credentials. */
  readonly text: string;
}

export interface SipTrace {
  readonly sipCallId: string;
  readonly messages: readonly SipMessageListing[];
  /** Messages that are not kept. */
  readonly dropped: number;
}

/** A subscriber of a foreign platform that stands for a channel. */
export interface PlatformListing {
  /** As it is configured: a host, with a port if there is one. */
  readonly registrar: string;
  readonly user: string;
  /** SIP user name of the channel. */
  readonly channel: string;
  readonly state: 'trying' | 'registered' | 'failed';
  /** Why it failed last; null while all is well. */
  readonly reason: string | null;
}

/** What there is to encode with. */
export interface EncodersListing {
  /** What encodes H.264; null for software. */
  readonly hardware: EncodingListing['hardware'];
  /** What was tried at the start and does not work. */
  readonly refused: readonly { readonly kind: NonNullable<EncodingListing['hardware']>; readonly reason: string }[];
}

export interface MetricsPage {
  readonly contentType: string;
  render(): Promise<string>;
}

/** Both ends of a WebSocket. */
export interface WebSocketPeer {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Is it on TLS. */
  readonly secure: boolean;
}

export type AcceptWebSocket = (socket: WebSocket, peer: WebSocketPeer) => void;

/** A certificate and its private key, both PEM. */
export interface TlsPair {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

export interface HttpPorts {
  readonly health: () => Health;
  readonly channels: () => readonly ChannelListing[];
  /** Every channel; without programmes but now and next when no window is asked for. */
  readonly guide: (window: GuideWindow | null) => readonly GuideListing[];
  /** Is a logo among them that another web server has. */
  readonly hasForeignLogos: () => boolean;
  /** The picture of a channel that is on air, by its name or number; in JPEG, from this Unix time in milliseconds. */
  readonly thumbnail: (target: string) => { readonly jpeg: Uint8Array; readonly takenAtMs: number } | null;
  readonly calls: () => readonly CallListing[];
  /** Moves a viewer of a film; null when no such call watches one. */
  readonly moveFilm: (callId: string, wish: FilmMoveWish) => Promise<FilmPositionListing> | null;
  /** The SIP messages of a call that is live or ended lately; null for any other. */
  readonly sipTrace: (callId: string) => SipTrace | null;
  readonly platforms: () => readonly PlatformListing[];
  readonly encoders: () => EncodersListing;
  readonly metrics: MetricsPage;
  /** Counts a connection: returns how to let it go, or null when it is one too many. */
  readonly admitConnection: (remoteAddress: string) => (() => void) | null;
  /** Takes over a WebSocket that speaks SIP (RFC 7118). */
  readonly acceptWebSocket: AcceptWebSocket;
}
