/**
 * A process of its own that receives RTP for as many viewers as there are, and counts what is missing: for each SSRC, the
 * gaps in its sequence numbers. Says its port, then for each line on standard input what it has seen so far.
 */

import { createInterface } from 'node:readline';
import { loadNative } from '../../src/engine/native.ts';

export interface SinkCount {
  readonly streams: number;
  readonly packets: number;
  readonly lost: number;
}

const BUFFER_BYTES = 32 * 2 ** 20;
/** RFC 5761 §4: what is RTCP among them. */
const isRtcp = (datagram: Buffer) => datagram[1]! >= 192 && datagram[1]! <= 223;

const next = new Map<number, number>();
let packets = 0;
let lost = 0;

const { UdpSocket } = loadNative();
const socket = new UdpSocket({
  address: '0.0.0.0',
  port: 0,
  receiveBufferBytes: BUFFER_BYTES,
  onDatagram: datagram => {
    if (isRtcp(datagram)) return;
    const ssrc = datagram.readUInt32BE(8);
    const sequenceNumber = datagram.readUInt16BE(2);
    const gap = (sequenceNumber - (next.get(ssrc) ?? sequenceNumber)) & 0xffff;
    // One that comes after a later one was counted as lost before.
    lost += gap < 0x8000 ? gap : -1;
    if (gap < 0x8000) next.set(ssrc, (sequenceNumber + 1) & 0xffff);
    packets++;
  },
});
console.log(socket.port);
createInterface({ input: process.stdin })
  .on('line', () => console.log(JSON.stringify({ streams: next.size, packets, lost } satisfies SinkCount)))
  .on('close', () => process.exit());
