import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { type FanOut, loadNative, type SrtpKeys, type StreamOptions } from '../../src/engine/native.ts';
import { deriveKeys } from '../../src/engine/srtp/index.ts';
import { openSocket, Receiver } from './loopback.ts';

export const STREAM: StreamOptions = {
  ssrc: 0xdecafbad,
  payloadType: 108,
  sequenceNumber: 1000,
  timestampOffset: 0xffff_ff00,
  srtp: null,
};

/** Keys of each profile. */
export const SRTP_KEYS: readonly SrtpKeys[] = [
  deriveKeys({ profile: 'AEAD_AES_128_GCM', key: randomBytes(16), salt: randomBytes(12) }, 'rtp'),
  deriveKeys({ profile: 'AES_CM_128_HMAC_SHA1_80', key: randomBytes(16), salt: randomBytes(14) }, 'rtp'),
];

/** One feed, and streams to one receiver. */
export async function setUpFanOut(t: TestContext, ringPackets = 1024) {
  const fanOut = new (loadNative().FanOut)();
  const socket = openSocket(t);
  const receiver = await Receiver.open(t);
  const feed = fanOut.addFeed(ringPackets);
  const watch = (options: Partial<StreamOptions> = {}, watched: number | null = feed) => {
    const stream = fanOut.addStream({ ...STREAM, ...options });
    fanOut.setPath(stream, socket, receiver.path);
    fanOut.subscribe(stream, watched);
    return stream;
  };
  return { fanOut, socket, receiver, feed, watch };
}

/** Pushes a frame of these payloads. */
export function push(
  fanOut: FanOut,
  feed: number,
  payloads: readonly (Uint8Array | string)[],
  marker = true,
  timestamp = 256,
) {
  const parts = payloads.map(payload => Buffer.from(payload));
  return fanOut.push(
    feed,
    timestamp,
    Buffer.concat(parts),
    Uint16Array.from(parts, ({ length }) => length),
    marker,
  );
}

export const sequenceNumbers = (packets: readonly Buffer[]) => packets.map(packet => packet.readUInt16BE(2));
export const payloads = (packets: readonly Buffer[]) => packets.map(packet => packet.toString('latin1', 12));

/** Moves a stream that has no path yet on to a later sequence number. */
export function skip(fanOut: FanOut, feed: number, packets: number): void {
  fanOut.push(feed, 0, Buffer.alloc(0), new Uint16Array(packets), false);
}
