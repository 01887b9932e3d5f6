import type { RenditionSpec } from '../../transcoder/wire.ts';
import { H264Packetiser } from './h264.ts';
import { Vp8Packetiser } from './vp8.ts';
import { WholeFramePacketiser } from './whole-frame.ts';

/** UDP datagrams of at most 1200 bytes cross every usual path; RTP's header takes 12, an SRTP tag up to 16. */
export const MAX_PAYLOAD_BYTES = 1200 - 12 - 16;

/** One access unit as RTP payloads. The arrays are the packetiser's own and hold until its next call. */
export interface Packets {
  /** The payloads, one after the other. */
  readonly payloads: Uint8Array;
  /** Length of each, in bytes. */
  readonly sizes: Uint16Array;
  /** Has the last one the marker bit. */
  readonly marker: boolean;
}

export interface Packetiser {
  /** What could not be sent so far: whole frames or NAL units that the format does not let us split. */
  readonly dropped: number;
  packetise(accessUnit: Uint8Array, maxPayloadBytes: number): Packets;
}

export function createPacketiser(rendition: RenditionSpec): Packetiser {
  switch (rendition.codec) {
    case 'h264':
      return new H264Packetiser(rendition.packetizationMode);
    case 'vp8':
      return new Vp8Packetiser();
    case 'opus':
    case 'pcma':
    case 'pcmu':
      return new WholeFramePacketiser();
  }
}
