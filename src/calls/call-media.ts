import { type Channel, type ChannelUse, chooseAudio, chooseVideo } from '../channels/index.ts';
import type { Engine, StreamSpec, ViewerSpec } from '../engine/index.ts';
import { DialcastError } from '../errors.ts';
import type { Logger } from '../observe/index.ts';
import {
  type AcceptedMedia,
  buildAnswer,
  buildOffer,
  type Capabilities,
  h264ProfileOf,
  type LocalMedia,
  type Negotiated,
  negotiate,
  propose,
  proposeAgain,
  readAnswer,
  type SessionIdentity,
} from '../sdp/index.ts';
import type { CallPeer, Rejection, Reoffer } from '../signalling/index.ts';
import { filmMoveOf } from './film-keys.ts';

/** What the encoders make, best first. */
export const CAPABILITIES: Capabilities = { video: ['h264', 'vp8'], audio: ['opus', 'pcma', 'pcmu'] };

export type CallEngine = Pick<Engine, 'addViewer' | 'updateViewer' | 'confirmViewer' | 'removeViewer'>;

export interface CallMediaOptions {
  /** The call's. */
  readonly id: string;
  readonly channel: Channel;
  readonly engine: CallEngine;
  readonly log: Logger;
  /** Addresses that may be announced to phones; a call's own local address wins when it is among them. */
  readonly addresses: readonly string[];
  /** Is this the address of a proxy or a media relay of ours. */
  readonly isTrusted: (address: string) => boolean;
  readonly nowUnixMs: () => number;
}

/** Where somebody's signalling comes from, and where he reaches us; the former is null until somebody has answered. */
export interface MediaPeer extends Pick<CallPeer, 'localAddress'> {
  readonly remoteAddress: string | null;
}

/** One accepted medium and the feed that it watches; no feed while the peer holds. */
interface Leg {
  readonly media: AcceptedMedia;
  watch: { readonly feed: number; release(): void } | null;
}

/** What one call watches: its use of a channel, what was agreed on, and its viewer. */
export class CallMedia {
  readonly #options: CallMediaOptions;
  #peer: MediaPeer;
  #negotiated: Negotiated | null = null;
  #local: LocalMedia | null = null;
  #use: ChannelUse | null = null;
  /** As they were when it was opened: a source that changes in a call changes nothing of what was agreed. */
  #capabilities: Capabilities = { video: [], audio: [] };
  #legs: Leg[] = [];
  #sessionId = '';
  #version = 0;
  /** An offer of ours that has no answer yet. */
  #proposed: Negotiated | null = null;
  #closed = false;

  constructor(options: CallMediaOptions, peer: MediaPeer) {
    this.#options = options;
    this.#peer = peer;
  }

  /** Codec of each medium that flows or is on hold, video first. */
  get codecs(): string[] {
    const media = this.#legs.map(leg => leg.media);
    return ['video', 'audio'].flatMap(kind => media.filter(each => each.kind === kind).map(({ codec }) => codec));
  }

  /** Where the viewer is in a film; null when all watch the same. */
  get film(): ChannelUse['film'] {
    return this.#use?.film ?? null;
  }

  /** A key of the peer's; in a film it moves him, else it means nothing. */
  pressed(key: string): void {
    const { film } = this;
    const move = film && filmMoveOf(key, film.position);
    // An engine that is gone takes all calls with it.
    if (film && move) void film.move(move).catch(() => undefined);
  }

  /** Is the peer holding. */
  get held(): boolean {
    return this.#legs.length > 0 && this.#legs.every(leg => leg.watch === null);
  }

  /**
   * Opens the channel, makes the viewer, and says what to answer to the offer; to null, our own offer. `failed` is told
   * when the channel ends later. Null when it was closed meanwhile.
   */
  async open(offer: string | null, failed: (reason: string) => void): Promise<string | Rejection | null> {
    const { channel, engine, id, nowUnixMs } = this.#options;
    try {
      const use = await channel.open(failed);
      if (this.#closed) {
        use.close();
        return null;
      }
      this.#use = use;
      this.#capabilities = capabilitiesOf(use);
      const negotiated = offer === null ? propose(this.#capabilities) : negotiate(offer, this.#capabilities);
      if (!negotiated.ok) return negotiated;
      this.#negotiated = negotiated;
      this.#legs = accepted(negotiated).map(media => ({
        media,
        watch: media.sending ? this.#watch(use, media) : null,
      }));
      const local = await engine.addViewer(this.#viewerSpec(negotiated));
      if (this.#closed) {
        void engine.removeViewer(id).catch(() => undefined);
        return null;
      }
      this.#local = local;
      this.#sessionId = String(nowUnixMs());
      if (offer !== null) return buildAnswer(negotiated, local, this.#identity(local));
      this.#proposed = negotiated;
      return buildOffer(negotiated, local, this.#identity(local));
    } catch (error) {
      return this.#closed ? null : this.#fault(error);
    }
  }

  /** Takes the answer to an offer of ours, from this peer; null when it is carried out, else why it can't be. */
  async takeAnswer(answer: string, peer = this.#peer): Promise<Rejection | null> {
    const proposed = this.#proposed;
    const use = this.#use;
    if (this.#closed || proposed === null || use === null) return null;
    this.#proposed = null;
    this.#peer = peer;
    const negotiated = readAnswer(answer, proposed);
    if (!negotiated.ok) return { status: 488, reason: negotiated.reason };
    if (await this.#carryOut(negotiated, use)) return null;
    return { status: 500, reason: 'The answer could not be carried out' };
  }

  /** A new offer of the peer's, or his wish for one of ours. */
  async renegotiate(request: Reoffer): Promise<void> {
    const before = this.#negotiated;
    const use = this.#use;
    const local = this.#local;
    if (this.#closed || before === null || use === null || local === null) return request.reject({ status: 491 });
    if (request.offer === null) {
      this.#proposed = proposeAgain(before);
      return request.accept(buildOffer(this.#proposed, local, this.#identity(local)));
    }
    const negotiated = negotiate(request.offer, this.#capabilities, before);
    if (!negotiated.ok) return request.reject(negotiated);
    if (!sameStreams(before, negotiated)) {
      return request.reject({
        status: 488,
        reason: 'Hold and resume are possible, other codecs or transports are not',
      });
    }
    if (!(await this.#carryOut(negotiated, use))) return request.reject({ status: 500 });
    if (!this.#closed) request.accept(buildAnswer(negotiated, local, this.#identity(local)));
  }

  /** The peer's signalling address is real. */
  confirm(): void {
    if (!this.#closed) void this.#options.engine.confirmViewer(this.#options.id).catch(() => undefined);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const leg of this.#legs) leg.watch?.release();
    this.#use?.close();
    if (this.#local !== null) void this.#options.engine.removeViewer(this.#options.id).catch(() => undefined);
  }

  /** The operator gets to know the source, the peer only what is wrong with it. */
  #fault(error: unknown): Rejection {
    const { channel, id, log } = this.#options;
    if (!(error instanceof DialcastError)) {
      log.error({ err: error, call: id }, 'a call failed');
      return { status: 500 };
    }
    const { name, source } = channel.config;
    log.warn({ call: id, channel: name, code: error.code }, `${source}: ${error.detail}`);
    if (error.code === 'RTP_PORTS_EXHAUSTED') return { status: 503, retryAfterSeconds: 30 };
    return { status: 480, reason: error.detail };
  }

  /** Sends what was agreed, and no longer what was not; false when the engine cannot. */
  async #carryOut(negotiated: Negotiated, use: ChannelUse): Promise<boolean> {
    this.#negotiated = negotiated;
    const before = this.#legs;
    this.#legs = accepted(negotiated).map(media => {
      const running = before.find(leg => leg.media.kind === media.kind)?.watch ?? null;
      return { media, watch: media.sending ? (running ?? this.#watch(use, media)) : null };
    });
    const { engine, log, id } = this.#options;
    try {
      await engine.updateViewer({
        id,
        peerAddress: this.#peer.remoteAddress ?? '',
        streams: this.#legs.map(({ media, watch }) => ({
          kind: media.kind,
          feed: watch?.feed ?? null,
          remote: this.#remote(media),
        })),
      });
      return true;
    } catch (error) {
      log.warn({ err: error, call: id }, 'what was agreed could not be carried out');
      return false;
    } finally {
      for (const leg of before) if (!this.#legs.some(({ watch }) => watch === leg.watch)) leg.watch?.release();
    }
  }

  #watch(use: ChannelUse, media: AcceptedMedia): NonNullable<Leg['watch']> {
    const { video, audio } = use.info;
    if (media.kind === 'audio') return use.watch(chooseAudio(media.codec as 'opus' | 'pcma' | 'pcmu', audio!));
    const { codec, packetizationMode, maxLevelIdc, profileLevelId } = media;
    const profile = profileLevelId === null ? null : h264ProfileOf(profileLevelId);
    const wish = { codec: codec as 'h264' | 'vp8', packetizationMode, maxLevelIdc, profile };
    return use.watch(chooseVideo(wish, video!, this.#options.channel.config.ladder));
  }

  #viewerSpec(negotiated: Negotiated): ViewerSpec {
    const peerAddress = this.#peer.remoteAddress ?? '';
    return {
      id: this.#options.id,
      transport:
        negotiated.webrtc === null
          ? { kind: 'rtp', localAddress: this.#announcedAddress(), peerAddress }
          : { kind: 'webrtc', ...negotiated.webrtc },
      streams: this.#legs.map(
        ({ media, watch }): StreamSpec => ({
          kind: media.kind,
          payloadType: media.payloadType,
          clockRateHz: media.clockRateHz,
          feed: watch?.feed ?? null,
          nack: media.feedback.nack,
          asksForKeyFrames: media.feedback.pli || media.feedback.fir,
          rtcpMux: media.rtcpMux,
          remote: this.#remote(media),
        }),
      ),
    };
  }

  /**
   * Where the peer wants packets. A proxy of ours may send them to a relay of ours; whoever calls us himself has to
   * show that he is where he wants them, or he could aim our media at our own machines.
   */
  #remote({ remote }: AcceptedMedia): StreamSpec['remote'] {
    const { isTrusted } = this.#options;
    const { remoteAddress } = this.#peer;
    if (remote === null) return null;
    return { ...remote, trusted: remoteAddress !== null && isTrusted(remoteAddress) && isTrusted(remote.address) };
  }

  /** The address at which the peer already reaches us, unless the operator announces others (behind a NAT, say). */
  #announcedAddress(): string {
    const { addresses } = this.#options;
    const { localAddress } = this.#peer;
    const family = (address: string) => address.includes(':');
    return addresses.includes(localAddress)
      ? localAddress
      : (addresses.find(address => family(address) === family(localAddress)) ?? localAddress);
  }

  /** RFC 3264 §8: the same session id for the whole dialog, the version one higher with each description. */
  #identity(local: LocalMedia): SessionIdentity {
    const address = local.transport === 'rtp' ? local.address : (local.candidates[0]?.address ?? '0.0.0.0');
    return { sessionId: this.#sessionId, version: ++this.#version, address };
  }
}

/** What this channel can give: nothing of a medium that its source lacks, and first what needs no encoder. */
function capabilitiesOf({ info: { video, audio } }: ChannelUse): Capabilities {
  const make = video?.passThrough;
  return {
    video: video === null ? [] : firstOf(CAPABILITIES.video, make?.codec),
    audio: audio === null ? [] : firstOf(CAPABILITIES.audio, audio.passThrough?.codec),
    ...(make?.codec === 'h264' && { h264: { profile: make.profile, levelIdc: make.levelIdc } }),
  };
}

function firstOf<Codec extends string>(codecs: readonly Codec[], first: string | undefined): readonly Codec[] {
  return codecs.toSorted((a, b) => Number(b === first) - Number(a === first));
}

function accepted(negotiated: Negotiated): AcceptedMedia[] {
  return negotiated.media.filter(media => media.accepted);
}

/** Does a new offer leave every stream with its codec, payload type and transport. */
function sameStreams(before: Negotiated, after: Negotiated): boolean {
  const shape = (negotiated: Negotiated) =>
    JSON.stringify([
      negotiated.webrtc,
      accepted(negotiated).map(({ kind, codec, payloadType, rtcpMux }) => [kind, codec, payloadType, rtcpMux]),
    ]);
  return shape(before) === shape(after);
}
