import { type Channel, type ChannelUse, chooseAudio, chooseVideo } from '../channels/index.ts';
import type { Engine, StreamSpec, ViewerSpec } from '../engine/index.ts';
import { DialcastError } from '../errors.ts';
import type { Logger } from '../observe/index.ts';
import {
  type AcceptedMedia,
  buildAnswer,
  buildOffer,
  type Capabilities,
  type LocalMedia,
  type Negotiated,
  negotiate,
  propose,
  proposeAgain,
  readAnswer,
  type SessionIdentity,
} from '../sdp/index.ts';
import type { CallEnd, EndCause, IncomingCall, Rejection, Reoffer } from '../signalling/index.ts';

/** What the encoders make, best first. */
export const CAPABILITIES: Capabilities = { video: ['h264', 'vp8'], audio: ['opus', 'pcma', 'pcmu'] };

export type CallEngine = Pick<Engine, 'addViewer' | 'updateViewer' | 'confirmViewer' | 'removeViewer'>;

export interface CallOptions {
  readonly incoming: IncomingCall;
  readonly channel: Channel;
  readonly engine: CallEngine;
  readonly log: Logger;
  /** Addresses that may be announced to phones; a call's own local address wins when it is among them. */
  readonly addresses: readonly string[];
  /** Is this the address of a proxy or a media relay of ours. */
  readonly isTrusted: (address: string) => boolean;
  readonly nowUnixMs: () => number;
  /** Called once, when nothing of the call is left. */
  readonly onEnded: (call: Call, outcome: CallOutcome) => void;
}

export type CallOutcome = 'watched' | 'cancelled' | 'refused';

/** One accepted medium and the feed that it watches; no feed while the caller holds. */
interface Leg {
  readonly media: AcceptedMedia;
  watch: { readonly feed: number; release(): void } | null;
}

/** One SIP dialog, its negotiated media and its viewer, from the INVITE to the end. */
export class Call {
  readonly id: string;
  readonly channel: Channel;
  readonly transport: string;
  /** Unix time in milliseconds at which the call was answered; null before. */
  answeredAtMs: number | null = null;
  readonly #options: CallOptions;
  #negotiated: Negotiated | null = null;
  #local: LocalMedia | null = null;
  #use: ChannelUse | null = null;
  #legs: Leg[] = [];
  #version = 0;
  /** An offer of ours that has no answer yet. */
  #proposed: Negotiated | null = null;
  #over = false;

  constructor(options: CallOptions) {
    this.#options = options;
    this.id = options.incoming.id;
    this.channel = options.channel;
    this.transport = options.incoming.transport;
  }

  /** Codec of each medium that flows or is on hold, video first. */
  get codecs(): string[] {
    const media = this.#legs.map(leg => leg.media);
    return ['video', 'audio'].flatMap(kind => media.filter(each => each.kind === kind).map(({ codec }) => codec));
  }

  /** Is the caller holding. */
  get held(): boolean {
    return this.#legs.length > 0 && this.#legs.every(leg => leg.watch === null);
  }

  /** Answers the INVITE, or refuses it with the status that says why. */
  async start(): Promise<void> {
    const { incoming, log } = this.#options;
    incoming.handlers = {
      cancelled: () => this.#end('cancelled'),
      answered: answer => void this.#answered(answer),
      acknowledged: () => this.#acknowledged(),
      reinvite: request => void this.#reinvite(request),
      ended: end => this.#ended(end),
    };
    // Before anything is spent: an offer that has nothing in common must not start a transcoder.
    const impossible = this.#impossible();
    if (impossible !== null) return this.#refuse(impossible);
    try {
      this.#use = await this.channel.open(reason => this.hangUp({ protocol: 'SIP', cause: 480, text: reason }));
      if (this.#over) return this.#use.close();
      await this.#accept(this.#use);
    } catch (error) {
      if (this.#over) return;
      if (!(error instanceof DialcastError)) {
        log.error({ err: error, call: this.id }, 'a call failed');
        return this.#refuse({ status: 500 });
      }
      // The operator gets to know the source, the caller only what is wrong with it.
      const { name, source } = this.channel.config;
      log.warn({ call: this.id, channel: name, code: error.code }, `${source}: ${error.detail}`);
      if (error.code === 'RTP_PORTS_EXHAUSTED') return this.#refuse({ status: 503, retryAfterSeconds: 30 });
      this.#refuse({ status: 480, reason: error.detail });
    }
  }

  /** Ends the call from our side: BYE with a Reason, or a refusal when it is not answered yet. */
  hangUp(cause: EndCause): void {
    if (this.#over) return;
    if (this.answeredAtMs === null) return this.#refuse({ status: cause.cause, reason: cause.text });
    this.#options.incoming.hangUp(cause);
  }

  /** The engine lost the viewer: it no longer answers, or its transport failed. */
  viewerLost(reason: string): void {
    this.hangUp({ protocol: 'SIP', cause: 408, text: reason });
  }

  #impossible(): Rejection | null {
    const { offer, transport } = this.#options.incoming;
    if (offer === null) {
      // Ours would be plain RTP, which no browser takes.
      const isBrowser = transport === 'ws' || transport === 'wss';
      return isBrowser ? { status: 488, reason: 'An offer is needed in the INVITE' } : null;
    }
    const possible = negotiate(offer, CAPABILITIES);
    return possible.ok ? null : possible;
  }

  async #accept(use: ChannelUse): Promise<void> {
    const { incoming, engine, nowUnixMs } = this.#options;
    const { offer } = incoming;
    const negotiated = offer === null ? propose(capabilities(use)) : negotiate(offer, capabilities(use));
    if (!negotiated.ok) return this.#refuse(negotiated);
    this.#negotiated = negotiated;
    this.#legs = accepted(negotiated).map(media => ({ media, watch: media.sending ? this.#watch(use, media) : null }));
    this.#local = await engine.addViewer(this.#viewerSpec(negotiated));
    if (this.#over) return void engine.removeViewer(this.id).catch(() => undefined);
    this.answeredAtMs = nowUnixMs();
    if (offer !== null) return incoming.accept(buildAnswer(negotiated, this.#local, this.#identity(this.#local)));
    this.#proposed = negotiated;
    incoming.accept(buildOffer(negotiated, this.#local, this.#identity(this.#local)));
  }

  /** The ACK to an offer of ours. RFC 3261 §13.2.2.4: an answer that will not do ends the call. */
  async #answered(answer: string | null): Promise<void> {
    const proposed = this.#proposed;
    const use = this.#use;
    if (this.#over || proposed === null || use === null) return;
    this.#proposed = null;
    if (answer === null) return this.hangUp({ protocol: 'SIP', cause: 488, text: 'The ACK has no answer' });
    const negotiated = readAnswer(answer, proposed);
    if (!negotiated.ok) return this.hangUp({ protocol: 'SIP', cause: 488, text: negotiated.reason });
    if (!(await this.#carryOut(negotiated, use))) {
      this.hangUp({ protocol: 'SIP', cause: 500, text: 'The answer could not be carried out' });
    }
  }

  async #reinvite(request: Reoffer): Promise<void> {
    const before = this.#negotiated;
    const use = this.#use;
    const local = this.#local;
    if (this.#over || before === null || use === null || local === null) return request.reject({ status: 491 });
    if (request.offer === null) {
      this.#proposed = proposeAgain(before);
      return request.accept(buildOffer(this.#proposed, local, this.#identity(local)));
    }
    const negotiated = negotiate(request.offer, capabilities(use), before);
    if (!negotiated.ok) return request.reject(negotiated);
    if (!sameStreams(before, negotiated)) {
      return request.reject({
        status: 488,
        reason: 'Hold and resume are possible, other codecs or transports are not',
      });
    }
    if (!(await this.#carryOut(negotiated, use))) return request.reject({ status: 500 });
    if (!this.#over) request.accept(buildAnswer(negotiated, local, this.#identity(local)));
  }

  /** Sends what was agreed, and no longer what was not; false when the engine cannot. */
  async #carryOut(negotiated: Negotiated, use: ChannelUse): Promise<boolean> {
    this.#negotiated = negotiated;
    const before = this.#legs;
    this.#legs = accepted(negotiated).map(media => {
      const running = before.find(leg => leg.media.kind === media.kind)?.watch ?? null;
      return { media, watch: media.sending ? (running ?? this.#watch(use, media)) : null };
    });
    const { engine, log } = this.#options;
    try {
      await engine.updateViewer({
        id: this.id,
        streams: this.#legs.map(({ media, watch }) => ({
          kind: media.kind,
          feed: watch?.feed ?? null,
          remote: this.#remote(media),
        })),
      });
      return true;
    } catch (error) {
      log.warn({ err: error, call: this.id }, 'what was agreed could not be carried out');
      return false;
    } finally {
      for (const leg of before) if (!this.#legs.some(({ watch }) => watch === leg.watch)) leg.watch?.release();
    }
  }

  #watch(use: ChannelUse, media: AcceptedMedia): NonNullable<Leg['watch']> {
    if (media.kind === 'audio') return use.watch(chooseAudio(media.codec as 'opus' | 'pcma' | 'pcmu'));
    const { codec, packetizationMode, maxLevelIdc } = media;
    return use.watch(chooseVideo({ codec: codec as 'h264' | 'vp8', packetizationMode, maxLevelIdc }, use.info.video!));
  }

  #viewerSpec(negotiated: Negotiated): ViewerSpec {
    const { incoming } = this.#options;
    return {
      id: this.id,
      transport:
        negotiated.webrtc === null
          ? { kind: 'rtp', localAddress: this.#announcedAddress(), peerAddress: incoming.remoteAddress }
          : { kind: 'webrtc', ...negotiated.webrtc },
      streams: this.#legs.map(
        ({ media, watch }): StreamSpec => ({
          kind: media.kind,
          payloadType: media.payloadType,
          clockRateHz: media.clockRateHz,
          feed: watch?.feed ?? null,
          nack: media.feedback.nack,
          rtcpMux: media.rtcpMux,
          remote: this.#remote(media),
        }),
      ),
    };
  }

  /**
   * Where the offer wants packets. A proxy of ours may send them to a relay of ours; whoever calls us himself has to
   * show that he is where he wants them, or he could aim our media at our own machines.
   */
  #remote({ remote }: AcceptedMedia): StreamSpec['remote'] {
    const { incoming, isTrusted } = this.#options;
    return remote && { ...remote, trusted: isTrusted(incoming.remoteAddress) && isTrusted(remote.address) };
  }

  /** The address at which the caller already reaches us, unless the operator announces others (behind a NAT, say). */
  #announcedAddress(): string {
    const { incoming, addresses } = this.#options;
    const family = (address: string) => address.includes(':');
    return addresses.includes(incoming.localAddress)
      ? incoming.localAddress
      : (addresses.find(address => family(address) === family(incoming.localAddress)) ?? incoming.localAddress);
  }

  /** RFC 3264 §8: the same session id for the whole dialog, the version one higher with each description. */
  #identity(local: LocalMedia): SessionIdentity {
    const address = local.transport === 'rtp' ? local.address : (local.candidates[0]?.address ?? '0.0.0.0');
    return { sessionId: String(this.answeredAtMs ?? 0), version: ++this.#version, address };
  }

  #acknowledged(): void {
    if (this.#over) return;
    void this.#options.engine.confirmViewer(this.id).catch(() => undefined);
  }

  #refuse(rejection: Rejection): void {
    if (this.#over) return;
    this.#options.incoming.reject(rejection);
    this.#end('refused');
  }

  #ended(end: CallEnd): void {
    this.#options.log.info({ call: this.id, channel: this.channel.config.name, end }, 'call ended');
    this.#end('watched');
  }

  #end(outcome: CallOutcome): void {
    if (this.#over) return;
    this.#over = true;
    for (const leg of this.#legs) leg.watch?.release();
    this.#use?.close();
    if (this.#local !== null) void this.#options.engine.removeViewer(this.id).catch(() => undefined);
    this.#options.onEnded(this, outcome);
  }
}

/** What this channel can give: nothing of a medium that its source lacks. */
function capabilities({ info }: ChannelUse): Capabilities {
  return {
    video: info.video === null ? [] : CAPABILITIES.video,
    audio: info.audio === null ? [] : CAPABILITIES.audio,
  };
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
