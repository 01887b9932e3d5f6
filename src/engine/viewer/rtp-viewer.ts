import type { Path } from '../native.ts';
import type { MediaKind, RtpRemote, StreamSpec } from '../protocol.ts';
import { isRtcp, isRtp } from '../rtp/index.ts';
import { ReceiverWatch } from './receiver-watch.ts';
import { RtcpSession } from './rtcp-session.ts';
import type { Lane, Viewer, ViewerPorts, ViewerStream } from './viewer.ts';

export interface RtpViewerOptions {
  readonly streams: readonly (ViewerStream & Pick<StreamSpec, 'remote' | 'rtcpMux'>)[];
  readonly cname: string;
  /** Our address in the answer; media leaves from it. */
  readonly localAddress: string;
  /** Where the caller's signalling comes from. */
  readonly peerAddress: string;
  readonly ports: ViewerPorts;
}

interface Flow {
  readonly kind: MediaKind;
  readonly rtcpMux: boolean;
  /** Where the offer wants packets. */
  remote: RtpRemote;
  /** Where packets go; null while no address is proven. */
  rtp: Path | null;
  rtcp: Path | null;
}

/**
 * A phone: plain RTP. Media starts only to an address that is proven. The address of the signalling is, and a relay of
 * ours that the signalling named, once the ACK came; any other one when packets come from it (symmetric RTP, RFC 4961), if the offer named it or the
 * signalling comes from it, so that a stranger who guesses the port cannot draw the stream to himself.
 */
export class RtpViewer implements Viewer {
  peerAddress: string;
  readonly #options: RtpViewerOptions;
  readonly #flows: Map<MediaKind, Flow>;
  readonly #rtcp: RtcpSession;
  readonly #watch = new ReceiverWatch();
  #connected = false;
  #lost = false;

  constructor(options: RtpViewerOptions) {
    this.#options = options;
    this.peerAddress = options.peerAddress;
    this.#flows = new Map(
      options.streams.map(({ kind, rtcpMux, remote }) => [
        kind,
        { kind, rtcpMux, remote: remote!, rtp: null, rtcp: null },
      ]),
    );
    this.#rtcp = new RtcpSession(options.streams, options.cname, options.ports);
  }

  receive(lane: Lane, datagram: Buffer, path: Path): void {
    const [kind, role] = lane.split(':') as [MediaKind, 'rtp' | 'rtcp'];
    const flow = this.#flows.get(kind);
    if (flow === undefined) return;
    const rtcp = isRtcp(datagram);
    if (!rtcp && !isRtp(datagram)) return;
    if (path.remoteAddress !== flow.remote.address && path.remoteAddress !== this.peerAddress) return;
    this.#watch.heard(rtcp);
    this.#latch(flow, role, path);
    if (rtcp) this.#rtcp.receive(datagram);
  }

  confirm(): void {
    for (const flow of this.#flows.values()) this.#trustOffer(flow);
  }

  /** A re-INVITE may move the caller's ports. */
  updateRemote(kind: MediaKind, remote: RtpRemote): void {
    // Its signalling is a word of it as well: after a hold its reports begin anew.
    this.#watch.heard(false);
    const flow = this.#flows.get(kind);
    if (flow === undefined || JSON.stringify(remote) === JSON.stringify(flow.remote)) return;
    flow.remote = remote;
    flow.rtp = null;
    flow.rtcp = null;
    // A re-INVITE comes inside a dialog whose ACK was seen.
    this.#trustOffer(flow);
  }

  tick(nowMs: number, nowUs: bigint): void {
    const { ports } = this.#options;
    const packetsSent = () => [...this.#flows.keys()].reduce((total, kind) => total + ports.sent(kind).packetsSent, 0);
    if (!this.#lost && this.#watch.vanished(nowMs, packetsSent)) {
      this.#lost = true;
      ports.lost('the phone no longer answers');
    }
    for (const { kind, compound } of this.#rtcp.reports(nowMs, nowUs)) this.#sendRtcp(kind, compound);
  }

  close(): void {
    for (const { kind, compound } of this.#rtcp.goodbyes()) this.#sendRtcp(kind, compound);
  }

  #trustOffer(flow: Flow): void {
    const { address, port, rtcpPort, trusted } = flow.remote;
    if (flow.rtp !== null || !(trusted || address === this.peerAddress)) return;
    const path = (remotePort: number): Path => ({
      remoteAddress: address,
      remotePort,
      localAddress: this.#options.localAddress,
    });
    this.#latch(flow, 'rtp', path(port));
    if (!flow.rtcpMux) this.#latch(flow, 'rtcp', path(rtcpPort));
  }

  #latch(flow: Flow, role: 'rtp' | 'rtcp', path: Path): void {
    if (samePath(flow[role], path)) return;
    flow[role] = path;
    if (role === 'rtcp') return;
    this.#options.ports.flow(flow.kind, path, null);
    if (!this.#connected) this.#options.ports.connected();
    this.#connected = true;
  }

  #sendRtcp(kind: MediaKind, compound: Buffer): void {
    const flow = this.#flows.get(kind)!;
    const lane: Lane = flow.rtcpMux ? `${kind}:rtp` : `${kind}:rtcp`;
    const path = flow.rtcpMux ? flow.rtp : flow.rtcp;
    if (path !== null) this.#options.ports.send(lane, compound, path);
  }
}

function samePath(a: Path | null, b: Path): boolean {
  return (
    a !== null &&
    a.remotePort === b.remotePort &&
    a.remoteAddress === b.remoteAddress &&
    a.localAddress === b.localAddress
  );
}
