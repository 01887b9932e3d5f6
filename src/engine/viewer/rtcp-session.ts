import type { MediaKind } from '../protocol.ts';
import { buildBye, buildSenderReport, parseCompound } from '../rtcp/index.ts';
import { ntpTimestamp, rtpTimestamp } from '../rtp/index.ts';
import type { ViewerPorts, ViewerStream } from './viewer.ts';

/** RFC 3550 §6.2 allows less than five seconds; one lets audio and video be aligned soon after joining. */
const REPORT_INTERVAL_MS = 1_000;

/** A NACK names at most this many packets that are sent again; more is not loss but an attack, or hopeless. */
const RETRANSMISSIONS_PER_COMPOUND = 64;

/** Sender reports out, feedback in: the part of RTCP that is the same with and without encryption. */
export class RtcpSession {
  readonly #streams: readonly ViewerStream[];
  readonly #cname: string;
  readonly #ports: Pick<ViewerPorts, 'keyFrameWanted' | 'retransmit' | 'sent'>;
  #nextReportMs = 0;

  constructor(
    streams: readonly ViewerStream[],
    cname: string,
    ports: Pick<ViewerPorts, 'keyFrameWanted' | 'retransmit' | 'sent'>,
  ) {
    this.#streams = streams;
    this.#cname = cname;
    this.#ports = ports;
  }

  /** Takes a decrypted compound packet. What it cannot read it leaves. */
  receive(compound: Buffer): void {
    let retransmissions = 0;
    for (const packet of parseCompound(compound)) {
      if (packet.type === 'pli' || packet.type === 'fir') {
        const stream = this.#stream(packet.mediaSsrc);
        if (stream !== undefined) this.#ports.keyFrameWanted(stream.kind);
      }
      if (packet.type === 'nack') {
        const stream = this.#stream(packet.mediaSsrc);
        if (stream === undefined || !stream.nack) continue;
        for (const sequenceNumber of packet.sequenceNumbers) {
          if (++retransmissions > RETRANSMISSIONS_PER_COMPOUND) return;
          this.#ports.retransmit(stream.kind, sequenceNumber);
        }
      }
    }
  }

  /** The compound packets that are due now, one for each stream. */
  reports(nowMs: number, nowUs: bigint): { kind: MediaKind; compound: Buffer }[] {
    if (nowMs < this.#nextReportMs) return [];
    this.#nextReportMs = nowMs + REPORT_INTERVAL_MS;
    return this.#streams.flatMap(stream => {
      const { packetsSent, octetsSent } = this.#ports.sent(stream.kind);
      if (packetsSent === 0) return [];
      // Feed timestamps are Unix time on the stream's clock, so "now" is on the same line for audio and video.
      const timestamp = (rtpTimestamp(nowUs, stream.clockRateHz) + stream.timestampOffset) >>> 0;
      const report = { ssrc: stream.ssrc, ntp: ntpTimestamp(nowUs), timestamp, packetsSent, octetsSent };
      return [{ kind: stream.kind, compound: buildSenderReport(report, this.#cname) }];
    });
  }

  /** Tells the peer that the streams end. */
  goodbyes(): { kind: MediaKind; compound: Buffer }[] {
    return this.#streams.map(({ kind, ssrc }) => ({ kind, compound: buildBye(ssrc, this.#cname) }));
  }

  #stream(ssrc: number): ViewerStream | undefined {
    return this.#streams.find(stream => stream.ssrc === ssrc);
  }
}
