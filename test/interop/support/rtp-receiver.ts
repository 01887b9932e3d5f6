import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

/** NAL unit types of a coded slice of an IDR picture and a parameter set (ITU-T H.264 table 7-1), then RFC 6184's own. */
const IDR = 5;
const SPS = 7;
const FU_A = 28;
const STAP_A = 24;

/** The media sockets of a phone: counts RTP packets and H.264 key frames, and offers itself in SDP. */
export class RtpReceiver {
  packets = 0;
  /** When a packet of a key frame last came, in milliseconds of `performance.now`; null before. */
  keyFrameAtMs: number | null = null;
  /** Of the latest parameter set. */
  levelIdc: number | null = null;
  /** Of the packets that came: types of what is in them (RFC 6184 table 1), and the largest's octets of RTP. */
  readonly types = new Set<number>();
  mostBytes = 0;
  /** Where they go on to, on this machine; nowhere when null. */
  forwardPort: number | null = null;
  readonly #video: Socket;
  readonly #parameters: string;

  static async open(address = '127.0.0.1', profileLevelId = '42e01f', mode: 0 | 1 = 1): Promise<RtpReceiver> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4').bind(0, address);
    await once(socket, 'listening');
    return new RtpReceiver(socket, `packetization-mode=${mode};profile-level-id=${profileLevelId}`);
  }

  private constructor(video: Socket, parameters: string) {
    this.#video = video;
    this.#parameters = parameters;
    video.on('message', packet => {
      // RFC 5761 §4: RTCP comes to the same port.
      if (packet[1]! >= 192 && packet[1]! <= 223) return;
      this.packets++;
      if (this.forwardPort !== null) video.send(packet, this.forwardPort, video.address().address);
      const type = packet[12]! & 0x1f;
      this.types.add(type);
      this.mostBytes = Math.max(this.mostBytes, packet.length);
      const nal = type === FU_A ? packet[13]! & 0x1f : type === STAP_A ? packet[15]! & 0x1f : type;
      // The parameter sets of a key frame come together, or alone in mode 0; level_idc is the set's third byte after its
      // header.
      if (type === STAP_A) this.levelIdc = packet[18]!;
      if (type === SPS) this.levelIdc = packet[15]!;
      if (nal === IDR || type === STAP_A) this.keyFrameAtMs = performance.now();
    });
  }

  /** H.264, and nothing to hear. */
  get offer(): string {
    const { port, address } = this.#video.address();
    const connection = `IN ${isIPv6(address) ? 'IP6' : 'IP4'} ${address}`;
    return [
      'v=0',
      `o=- 1 1 ${connection}`,
      's=-',
      `c=${connection}`,
      't=0 0',
      `m=video ${port} RTP/AVP 99`,
      'a=rtpmap:99 H264/90000',
      `a=fmtp:99 ${this.#parameters}`,
      'a=rtcp-mux',
      'a=recvonly',
      '',
    ].join('\r\n');
  }

  close(): void {
    this.#video.close();
  }
}
