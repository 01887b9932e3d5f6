import { randomBytes, randomInt } from 'node:crypto';
import type { LocalMedia } from '../sdp/index.ts';
import { DtlsTransport } from './dtls/index.ts';
import type { Feeds } from './feeds.ts';
import { IceLite, stunUsername } from './ice/index.ts';
import type { DtlsContext, FanOut, Native, Path, UdpSocket } from './native.ts';
import type {
  EngineEvent,
  EngineStats,
  EngineWorkerData,
  MediaKind,
  StreamSpec,
  ViewerSpec,
  ViewerUpdate,
} from './protocol.ts';
import { demultiplex } from './rtp/index.ts';
import { type PortPair, RtpPorts } from './rtp-ports.ts';
import {
  type Lane,
  RtpViewer,
  type Viewer,
  type ViewerPorts,
  type ViewerStream,
  WebrtcViewer,
} from './viewer/index.ts';

export interface ViewersOptions {
  readonly native: Native;
  readonly fanOut: FanOut;
  readonly feeds: Feeds;
  readonly media: EngineWorkerData;
  readonly onEvent: (event: EngineEvent) => void;
  /** A viewer's protocol failed in a way that nobody foresaw; he is lost, the others go on. */
  readonly onFault: (id: string, error: unknown) => void;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/** One stream of one viewer, as the engine's thread keeps it. */
interface Stream extends ViewerStream {
  readonly payloadType: number;
  readonly asksForKeyFrames: boolean;
  feed: number | null;
  /** In the fan-out; null until its packets may flow. */
  handle: number | null;
}

interface Entry {
  readonly id: string;
  readonly viewer: Viewer;
  readonly streams: Map<MediaKind, Stream>;
  readonly sockets: Map<Lane, UdpSocket>;
  /** Remote addresses on the shared port that belong to this viewer. */
  readonly remotes: Set<string>;
  readonly iceUfrag: string | null;
  readonly portPairs: readonly PortPair[];
}

const ANY_ADDRESS = { 4: '0.0.0.0', 6: '::' } as const;

/** Room for a key frame to each of a few hundred viewers before the kernel has sent any. */
const SOCKET_BUFFER_BYTES = 8 * 2 ** 20;

/** RFC 9147 leaves the path MTU to the application; this passes every network that carries the media. */
const DTLS_MTU_BYTES = 1200;

/** A browser checks a handful of address pairs; more is somebody filling our table. */
const REMOTES_PER_VIEWER = 16;

/** Every viewer, and which of them a datagram is for. */
export class Viewers {
  readonly #options: ViewersOptions;
  readonly #dtlsContext: DtlsContext;
  readonly #rtpPorts: RtpPorts;
  readonly #entries = new Map<string, Entry>();
  readonly #byRemote = new Map<string, Entry>();
  readonly #byUfrag = new Map<string, Entry>();
  /** The shared port's sockets, one for each address family. */
  readonly #shared = new Map<4 | 6, UdpSocket>();
  #nacksReceived = 0;
  #packetsRetransmitted = 0;
  #keyFrameRequestsReceived = 0;

  constructor(options: ViewersOptions) {
    this.#options = options;
    this.#dtlsContext = new options.native.DtlsContext();
    this.#rtpPorts = new RtpPorts(options.media.rtpPorts);
  }

  /** Opens the port that all WebRTC viewers share, for each family that is announced, and returns its number. */
  listen(): number {
    const { addresses, port } = this.#options.media;
    let bound = port;
    for (const family of new Set(addresses.map(familyOf))) {
      const socket = new this.#options.native.UdpSocket({
        address: ANY_ADDRESS[family],
        port: bound,
        sendBufferBytes: SOCKET_BUFFER_BYTES,
        receiveBufferBytes: SOCKET_BUFFER_BYTES,
        onDatagram: (datagram, path) => this.#receiveShared(datagram, path),
      });
      this.#shared.set(family, socket);
      bound = socket.port;
    }
    return bound;
  }

  /** Throws RTP_PORTS_EXHAUSTED. */
  add(spec: ViewerSpec): LocalMedia {
    const streams = new Map(spec.streams.map(stream => [stream.kind, this.#stream(stream)]));
    const cname = randomBytes(12).toString('base64url');
    return spec.transport.kind === 'webrtc'
      ? this.#addWebrtc(spec, spec.transport, streams, cname)
      : this.#addRtp(spec, spec.transport, streams, cname);
  }

  update({ id, peerAddress, streams }: ViewerUpdate): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    if (peerAddress !== undefined && entry.viewer instanceof RtpViewer) entry.viewer.peerAddress = peerAddress;
    for (const { kind, feed, remote } of streams) {
      const stream = entry.streams.get(kind);
      if (stream === undefined) continue;
      if (remote !== null && entry.viewer instanceof RtpViewer) entry.viewer.updateRemote(kind, remote);
      if (feed === stream.feed) continue;
      this.#leaveFeed(stream);
      stream.feed = feed;
      this.#joinFeed(stream);
    }
  }

  confirm(id: string): void {
    this.#entries.get(id)?.viewer.confirm(this.#options.nowMs());
  }

  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.viewer.close();
    this.#entries.delete(id);
    if (entry.iceUfrag !== null) this.#byUfrag.delete(entry.iceUfrag);
    for (const remote of entry.remotes) this.#byRemote.delete(remote);
    for (const stream of entry.streams.values()) {
      this.#leaveFeed(stream);
      if (stream.handle !== null) this.#options.fanOut.removeStream(stream.handle);
    }
    for (const pair of entry.portPairs) pair.close();
  }

  tick(nowUs: bigint): void {
    const nowMs = this.#options.nowMs();
    for (const entry of this.#entries.values()) this.#guard(entry, () => entry.viewer.tick(nowMs, nowUs));
  }

  get size(): number {
    return this.#entries.size;
  }

  close(): void {
    for (const id of [...this.#entries.keys()]) this.remove(id);
    for (const socket of this.#shared.values()) socket.close();
  }

  stats(): Omit<EngineStats, 'feeds' | 'reels' | 'frames' | 'encoders'> {
    const rtp = [...this.#entries.values()].filter(entry => entry.iceUfrag === null).length;
    return {
      ...this.#options.fanOut.totals(),
      packetsRetransmitted: this.#packetsRetransmitted,
      nacksReceived: this.#nacksReceived,
      keyFrameRequestsReceived: this.#keyFrameRequestsReceived,
      viewers: { webrtc: this.#entries.size - rtp, rtp },
      sockets: this.#shared.size + 2 * this.#rtpPorts.inUse,
    };
  }

  #addWebrtc(
    spec: ViewerSpec,
    transport: Extract<ViewerSpec['transport'], { kind: 'webrtc' }>,
    streams: Map<MediaKind, Stream>,
    cname: string,
  ): LocalMedia {
    const { native, media, nowMs } = this.#options;
    // RFC 8839 §5.4: at least 4 and 22 characters of the base64 alphabet; 8 and 24 leave nothing to guess.
    const iceUfrag = randomBytes(6).toString('base64');
    const icePwd = randomBytes(18).toString('base64');
    const entry: Entry = {
      id: spec.id,
      streams,
      sockets: new Map(),
      remotes: new Set(),
      iceUfrag,
      portPairs: [],
      viewer: new WebrtcViewer({
        streams: [...streams.values()],
        cname,
        ice: new IceLite({ localUfrag: iceUfrag, localPwd: icePwd, remoteUfrag: transport.iceUfrag, nowMs: nowMs() }),
        dtls: new DtlsTransport(
          new native.DtlsSession(this.#dtlsContext, { mtuBytes: DTLS_MTU_BYTES }),
          transport.fingerprints,
        ),
        ports: this.#ports(() => entry),
        nowMs: nowMs(),
      }),
    };
    this.#entries.set(spec.id, entry);
    this.#byUfrag.set(iceUfrag, entry);
    const [{ port }] = [...this.#shared.values()] as [UdpSocket];
    return {
      transport: 'webrtc',
      iceUfrag,
      icePwd,
      fingerprint: this.#dtlsContext.fingerprint,
      candidates: media.addresses.map(address => ({ address, port })),
      streams: [...streams.values()].map(({ kind, ssrc }) => ({ kind, ssrc, cname })),
    };
  }

  #addRtp(
    spec: ViewerSpec,
    transport: Extract<ViewerSpec['transport'], { kind: 'rtp' }>,
    streams: Map<MediaKind, Stream>,
    cname: string,
  ): LocalMedia {
    const sockets = new Map<Lane, UdpSocket>();
    const pairs = new Map<MediaKind, PortPair>();
    try {
      for (const kind of streams.keys()) {
        const pair = this.#openPair(kind, transport.localAddress, () => entry);
        pairs.set(kind, pair);
        sockets.set(`${kind}:rtp`, pair.rtp).set(`${kind}:rtcp`, pair.rtcp);
      }
    } catch (error) {
      for (const pair of pairs.values()) pair.close();
      throw error;
    }
    const entry: Entry = {
      id: spec.id,
      streams,
      sockets,
      remotes: new Set(),
      iceUfrag: null,
      portPairs: [...pairs.values()],
      viewer: new RtpViewer({
        streams: spec.streams.map(({ kind, remote, rtcpMux }) => ({ ...streams.get(kind)!, remote, rtcpMux })),
        cname,
        ...transport,
        ports: this.#ports(() => entry),
      }),
    };
    this.#entries.set(spec.id, entry);
    return {
      transport: 'rtp',
      address: transport.localAddress,
      streams: [...streams.values()].map(({ kind, ssrc }) => ({
        kind,
        ssrc,
        cname,
        port: pairs.get(kind)!.rtp.port,
        rtcpPort: pairs.get(kind)!.rtcp.port,
      })),
    };
  }

  #openPair(kind: MediaKind, localAddress: string, entry: () => Entry): PortPair {
    const address = ANY_ADDRESS[familyOf(localAddress)];
    return this.#rtpPorts.allocate(
      (port, role) =>
        new this.#options.native.UdpSocket({
          address,
          port,
          onDatagram: (datagram, path) => this.#receive(entry(), `${kind}:${role}`, datagram, path),
        }),
    );
  }

  #stream({ kind, payloadType, clockRateHz, feed, nack, asksForKeyFrames }: StreamSpec): Stream {
    return {
      kind,
      payloadType,
      clockRateHz,
      feed,
      nack,
      asksForKeyFrames,
      ssrc: randomInt(1, 2 ** 32),
      timestampOffset: randomInt(2 ** 32),
      handle: null,
    };
  }

  #ports(entry: () => Entry): ViewerPorts {
    const { fanOut, feeds, onEvent, nowMs } = this.#options;
    return {
      proven: path => this.#bind(entry(), path),
      send: (lane, datagram, path) => this.#socket(entry(), lane, path)?.send(datagram, path),
      flow: (kind, path, srtp) => {
        const stream = entry().streams.get(kind)!;
        const socket = this.#socket(entry(), `${kind}:rtp`, path);
        if (socket === undefined) return;
        const first = stream.handle === null;
        stream.handle ??= fanOut.addStream({ ...stream, sequenceNumber: randomInt(2 ** 15), srtp });
        fanOut.setPath(stream.handle, socket, path);
        if (first) this.#joinFeed(stream);
      },
      keyFrameWanted: kind => {
        this.#keyFrameRequestsReceived++;
        const { feed } = entry().streams.get(kind)!;
        if (feed !== null) feeds.get(feed)?.requestKeyFrame(nowMs());
      },
      retransmit: (kind, sequenceNumber) => {
        this.#nacksReceived++;
        const { handle } = entry().streams.get(kind)!;
        if (handle !== null && fanOut.retransmit(handle, sequenceNumber)) this.#packetsRetransmitted++;
      },
      connected: () => onEvent({ type: 'viewerConnected', id: entry().id }),
      lost: reason => onEvent({ type: 'viewerLost', id: entry().id, reason }),
      sent: kind => {
        const { handle } = entry().streams.get(kind)!;
        return handle === null ? { packetsSent: 0, octetsSent: 0 } : fanOut.stats(handle);
      },
    };
  }

  /** A phone's stream has its own sockets; browsers share one for each address family. */
  #socket(entry: Entry, lane: Lane, path: Path): UdpSocket | undefined {
    if (entry.iceUfrag === null) return entry.sockets.get(lane);
    return this.#shared.get(familyOf(path.remoteAddress));
  }

  #joinFeed({ feed, handle, asksForKeyFrames }: Stream): void {
    if (feed === null || handle === null) return;
    this.#options.feeds.get(feed)?.join(handle, this.#options.nowMs(), asksForKeyFrames);
  }

  #leaveFeed(stream: Stream): void {
    if (stream.feed === null || stream.handle === null) return;
    this.#options.feeds.get(stream.feed)?.leave(stream.handle);
  }

  #bind(entry: Entry, path: Path): void {
    const remote = remoteKey(path);
    // Proven last is forgotten last, so that a caller on the move is heard where he is.
    entry.remotes.delete(remote);
    if (entry.remotes.size >= REMOTES_PER_VIEWER) {
      const [oldest] = entry.remotes;
      entry.remotes.delete(oldest!);
      this.#byRemote.delete(oldest!);
    }
    // A browser that calls again from the same port has proven that the port is the new call's.
    this.#byRemote.get(remote)?.remotes.delete(remote);
    this.#byRemote.set(remote, entry);
    entry.remotes.add(remote);
  }

  #receiveShared(datagram: Buffer, path: Path): void {
    let entry = this.#byRemote.get(remoteKey(path));
    if (demultiplex(datagram) === 'stun') {
      // RFC 8445 §7.3: the user name's first half is ours; it, not the address, says whose check this is.
      const ufrag = stunUsername(datagram)?.split(':', 1)[0];
      entry = (ufrag === undefined ? undefined : this.#byUfrag.get(ufrag)) ?? entry;
    }
    if (entry !== undefined) this.#receive(entry, 'all', datagram, path);
  }

  #receive(entry: Entry, lane: Lane, datagram: Buffer, path: Path): void {
    this.#guard(entry, () => entry.viewer.receive(lane, datagram, path, this.#options.nowMs()));
  }

  /** What the network makes one viewer's code throw must not reach the thread's event loop, where it would end all. */
  #guard(entry: Entry, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.onFault(entry.id, error);
    }
  }
}

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

function remoteKey({ remoteAddress, remotePort }: Path): string {
  return `${remoteAddress} ${remotePort}`;
}
