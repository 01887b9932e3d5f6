/** What the main thread and the engine's thread say to each other. Plain data: it crosses by structured clone. */

import type { LocalMedia } from '../sdp/index.ts';
import type { EncoderCount, Encoding, RenditionSpec, SourceInfo } from '../transcoder/wire.ts';

export type MediaKind = 'video' | 'audio';

/** One RTP stream that a viewer gets. */
export interface StreamSpec {
  readonly kind: MediaKind;
  readonly payloadType: number;
  /** RTP clock in Hz. */
  readonly clockRateHz: number;
  /** The feed to send; null while the caller holds. */
  readonly feed: number | null;
  /** May NACKs be answered with retransmissions. */
  readonly nack: boolean;
  /** Has the viewer a way to ask for a key frame; one that has none gets them unasked. */
  readonly asksForKeyFrames: boolean;
  readonly rtcpMux: boolean;
  /** Plain RTP: where the offer wants packets. */
  readonly remote: RtpRemote | null;
}

export interface RtpRemote {
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  /** A relay of ours: media may go there though the signalling comes from elsewhere. */
  readonly trusted: boolean;
}

export interface ViewerSpec {
  /** The call's id. */
  readonly id: string;
  readonly transport:
    | {
        readonly kind: 'webrtc';
        readonly iceUfrag: string;
        readonly icePwd: string;
        readonly fingerprints: readonly { readonly hash: string; readonly value: string }[];
      }
    | {
        readonly kind: 'rtp';
        /** Our address as the caller sees it; goes into the answer. */
        readonly localAddress: string;
        /** Where the signalling comes from: with the offer's address the only place media may be latched to. Empty: nobody yet. */
        readonly peerAddress: string;
      };
  readonly streams: readonly StreamSpec[];
}

export interface ViewerUpdate {
  readonly id: string;
  /** Plain RTP: where the signalling comes from, when that was not known before: whom we called answers. */
  readonly peerAddress?: string;
  readonly streams: readonly Pick<StreamSpec, 'kind' | 'feed' | 'remote'>[];
}

export interface FeedSpec {
  /** Chosen by the main thread, unique in the process. */
  readonly feed: number;
  readonly channel: string;
  readonly rendition: RenditionSpec;
  /** Of a film: whose reel it belongs to, and the folder in which the rendition is prepared. */
  readonly film?: { readonly reel: string; readonly folder: string };
}

/** Where a viewer is in a film. */
export interface ReelState {
  /** Microseconds from the film's start. */
  readonly positionUs: number;
  /** Does it go on as time does; it stands while it is paused, on hold, or waits for what is to come. */
  readonly isRunning: boolean;
}

export interface ReelMove {
  readonly reel: string;
  /** To the key frame at or before this moment. */
  readonly positionUs?: number;
  readonly paused?: boolean;
}

export interface EngineWorkerData {
  readonly addresses: readonly string[];
  readonly port: number;
  readonly rtpPorts: { readonly first: number; readonly last: number };
  /** Unix socket on which transcoders connect. */
  readonly socketPath: string;
  /** Of which the tokens are made that transcoders say in their `hello`. */
  readonly secret: string;
}

export interface EngineStats {
  readonly packetsSent: number;
  readonly octetsSent: number;
  readonly packetsDropped: number;
  readonly packetsRetransmitted: number;
  readonly nacksReceived: number;
  readonly keyFrameRequestsReceived: number;
  readonly viewers: { readonly webrtc: number; readonly rtp: number };
  /** Sockets that the engine holds open. */
  readonly sockets: number;
  /** Viewers of films. */
  readonly reels: number;
  readonly feeds: readonly {
    readonly channel: string;
    readonly codec: string;
    readonly viewers: number;
    /** Is it the source's own packets, by the transcoder's latest report. */
    readonly passedThrough: boolean;
  }[];
  /** Frames that came from encoders, or of prepared films, since the start. */
  readonly frames: readonly { readonly channel: string; readonly codec: string; readonly frames: number }[];
  /** Encoders that there are, by their transcoders' latest reports. */
  readonly encoders: readonly ({ readonly channel: string } & EncoderCount)[];
}

/** Each request and what answers it. */
export interface EngineRequests {
  listen: { request: null; reply: { readonly port: number } };
  addViewer: { request: ViewerSpec; reply: LocalMedia };
  updateViewer: { request: ViewerUpdate; reply: void };
  /** The caller's ACK came: its signalling address is real, so media may flow to it. */
  confirmViewer: { request: { readonly id: string }; reply: void };
  removeViewer: { request: { readonly id: string }; reply: void };
  openFeed: { request: FeedSpec; reply: void };
  closeFeed: { request: { readonly feed: number }; reply: void };
  /** Null when nothing is open of the reel. */
  moveReel: { request: ReelMove; reply: ReelState | null };
  stats: { request: null; reply: EngineStats };
  close: { request: null; reply: void };
}

export type RequestName = keyof EngineRequests;

export type ToWorker = {
  [Name in RequestName]: {
    readonly name: Name;
    readonly sequence: number;
    readonly request: EngineRequests[Name]['request'];
  };
}[RequestName];

export type FromWorker =
  | { readonly type: 'reply'; readonly sequence: number; readonly reply: unknown }
  | { readonly type: 'failure'; readonly sequence: number; readonly code: string; readonly detail: string }
  | { readonly type: 'event'; readonly event: EngineEvent }
  | { readonly type: 'log'; readonly level: 'warn' | 'error'; readonly fields: object; readonly text: string };

export type EngineEvent =
  | { readonly type: 'viewerConnected'; readonly id: string }
  /** Consent expired, the DTLS handshake failed, the caller closed its side, or a phone's reports stayed away. */
  | { readonly type: 'viewerLost'; readonly id: string; readonly reason: string }
  | { readonly type: 'sourceOpen'; readonly channel: string; readonly info: SourceInfo }
  | { readonly type: 'sourceFailed'; readonly channel: string; readonly reason: string }
  /** Nothing comes of a live source, until it is open again. */
  | { readonly type: 'sourceOut'; readonly channel: string; readonly reason: string }
  | { readonly type: 'sourceEnded'; readonly channel: string }
  /** How a channel's pictures are encoded from now on. */
  | { readonly type: 'encoding'; readonly channel: string; readonly encoding: Encoding }
  /** A viewer of a film goes on from another place, or stands. */
  | { readonly type: 'reelMoved'; readonly reel: string; readonly state: ReelState }
  /** All of the film was played to him, or what there is of it cannot be read. */
  | { readonly type: 'reelEnded'; readonly reel: string; readonly fault: string | null }
  /** A small picture of what is on; in Base64. */
  | { readonly type: 'thumbnail'; readonly channel: string; readonly jpeg: string };
