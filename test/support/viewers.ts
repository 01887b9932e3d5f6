import { Feeds } from '../../src/engine/feeds.ts';
import { Reels } from '../../src/engine/film/index.ts';
import type { DtlsState, FanOut, Native, Path, StreamOptions, UdpSocketOptions } from '../../src/engine/native.ts';
import type { EngineEvent, StreamSpec, ViewerSpec } from '../../src/engine/protocol.ts';
import { Viewers } from '../../src/engine/viewers.ts';
import type { LocalMedia } from '../../src/sdp/index.ts';
import type { RenditionSpec } from '../../src/transcoder/wire.ts';
import { connectivityCheck } from './stun-check.ts';

export const BROWSER: Path = { remoteAddress: '192.0.2.9', remotePort: 50_000, localAddress: '192.0.2.1' };
export const DTLS = Buffer.concat([Buffer.of(22), Buffer.alloc(20)]);
/** DTLS that hits a fault. */
export const FATAL = Buffer.concat([Buffer.of(22), Buffer.alloc(30)]);
export const RTP = Buffer.from('800000010000000000000009', 'hex');
export const REMOTE = { address: '192.0.2.9', port: 6000, rtcpPort: 6001, trusted: false };
const VP8: RenditionSpec = {
  kind: 'video',
  codec: 'vp8',
  packetizationMode: 1,
  width: 2,
  height: 2,
  frameRate: 30,
  bitrateBps: 1,
};
export const VIDEO: StreamSpec = {
  kind: 'video',
  payloadType: 108,
  clockRateHz: 90_000,
  feed: 1,
  nack: true,
  asksForKeyFrames: true,
  rtcpMux: true,
  remote: null,
};
export const AUDIO: StreamSpec = {
  ...VIDEO,
  kind: 'audio',
  payloadType: 111,
  clockRateHz: 48_000,
  feed: 2,
  nack: false,
};

export type WebrtcMedia = Extract<LocalMedia, { transport: 'webrtc' }>;
export type RtpMedia = Extract<LocalMedia, { transport: 'rtp' }>;

const webrtc = (id: string, streams: readonly StreamSpec[] = [VIDEO, AUDIO]): ViewerSpec => ({
  id,
  transport: { kind: 'webrtc', iceUfrag: 'theirs', icePwd: 'their/password+of+24/chr', fingerprints: [] },
  streams,
});

export const rtpViewer = (id: string, streams: readonly StreamSpec[] = [VIDEO, AUDIO]): ViewerSpec => ({
  id,
  transport: { kind: 'rtp', localAddress: '192.0.2.1', peerAddress: '192.0.2.9' },
  streams: streams.map(stream => ({ ...stream, rtcpMux: false, remote: REMOTE })),
});

/** Sockets, DTLS and a fan-out that write down what they are told. */
export function setUpViewers({ addresses = ['192.0.2.1'], last = 41_007 } = {}) {
  const sockets: FakeSocket[] = [];
  const sessions: FakeSession[] = [];
  const events: string[] = [];
  const emitted: EngineEvent[] = [];
  const streams: StreamOptions[] = [];
  const faults: string[] = [];

  class FakeSocket {
    readonly options: UdpSocketOptions;
    readonly sent: string[] = [];
    open = true;

    constructor(options: UdpSocketOptions) {
      this.options = options;
      sockets.push(this);
    }

    get port(): number {
      return this.options.port || 40_000;
    }

    send(_datagram: Uint8Array, { remoteAddress, remotePort }: Path): boolean {
      this.sent.push(`${remoteAddress} ${remotePort}`);
      return true;
    }

    close(): void {
      this.open = false;
    }
  }

  class FakeSession {
    state: DtlsState = 'handshaking';
    readonly error = null;
    received = 0;

    constructor() {
      sessions.push(this);
    }

    receive(datagram: Buffer): Buffer[] {
      this.received++;
      if (datagram.equals(FATAL)) throw new Error('a fault of ours');
      return [];
    }

    timeoutMs(): null {
      return null;
    }

    close(): Buffer[] {
      return [];
    }
  }

  const fanOut: Partial<FanOut> = {
    addFeed: () => 500,
    removeFeed: () => undefined,
    addStream: options => {
      events.push(`add stream of ${options.payloadType}`);
      return streams.push(options);
    },
    removeStream: stream => events.push(`remove ${stream}`),
    setPath: (stream, _socket, path) => events.push(`${stream} goes to ${path.remoteAddress} ${path.remotePort}`),
    subscribe: (stream, feed) => events.push(`${stream} watches ${feed}`),
    push: () => 0,
    retransmit: (_stream, sequenceNumber) => sequenceNumber < 100,
    stats: () => ({ packetsSent: 1, octetsSent: 1, packetsDropped: 0, packetsRetransmitted: 0 }),
    totals: () => ({ packetsSent: 7, octetsSent: 700, packetsDropped: 0 }),
  };
  const native = {
    UdpSocket: FakeSocket,
    DtlsContext: class {
      readonly fingerprint = 'AA:BB';
    },
    DtlsSession: FakeSession,
    FanOut: class {},
  } as unknown as Native;
  const asked: number[] = [];
  const noFilms = new Reels({
    read: async () => 'end',
    onEvent: event => events.push(event.type),
    nowUs: () => 0,
    every: () => () => undefined,
  });
  const feeds = new Feeds(fanOut as FanOut, noFilms, (_channel, message) => {
    if (message.type === 'keyFrame') asked.push(message.id);
  });
  for (const feed of [1, 2, 3]) feeds.open({ feed, channel: 'clock', rendition: VP8 });
  const viewers = new Viewers({
    native,
    fanOut: fanOut as FanOut,
    feeds,
    media: { addresses, port: 0, rtpPorts: { first: 41_000, last }, socketPath: '', secret: '' },
    onEvent: event => emitted.push(event),
    onFault: (id, error) => faults.push(`${id}: ${error}`),
    nowMs: () => 0,
  });
  const port = viewers.listen();
  const shared = sockets[0]!;
  const deliver = (datagram: Buffer, path = BROWSER, socket = shared) => socket.options.onDatagram(datagram, path);
  const addBrowser = (id: string, media?: readonly StreamSpec[]) => {
    const local = viewers.add(webrtc(id, media)) as WebrtcMedia;
    const check = connectivityCheck({ username: `${local.iceUfrag}:theirs`, password: local.icePwd, nominate: true });
    return { local, check, session: sessions.at(-1)! };
  };
  /** A picture or sound that lets in whoever waits for it. */
  const keyFrame = (id: number) =>
    feeds.push('clock', { type: 'frame', id, keyFrame: true, ptsUs: 0n, data: Buffer.from('x') }, 0);
  const happened = () => events.splice(0);
  return { viewers, sockets, shared, port, deliver, addBrowser, keyFrame, happened, emitted, streams, asked, faults };
}
