/**
 * Packets that one core encrypts and sends: the product's fan-out beside the bare C++ limit, in turn on the same
 * thread, with the same sizes and the same receivers.
 */

import { randomBytes } from 'node:crypto';
import { loadNative } from '../src/engine/native.ts';
import { loadFanoutLimit } from './limit/fanout-limit.ts';
import { median } from './support/distribution.ts';

const RECEIVERS = 500;
const PACKETS_PER_FRAME = 9;
/** 1196 bytes with the RTP header and the tag. */
const PAYLOAD_BYTES = 1168;

const ROUNDS = 7;
/** The two take turns so often that what else happens on the machine meets both alike. */
const TURNS_PER_ROUND = 30;
const TURN_MS = 40;

const KEY_BYTES = 16;
const SALT_BYTES = 12;
const RING_PACKETS = 1024;
const SOCKET_BUFFER_BYTES = 8 * 2 ** 20;
const FRAME_TICKS = 3000;

interface Sender {
  /** Sends one frame to every receiver; returns the packets that the kernel took. */
  readonly send: () => number;
  packets: number;
  cpuMs: number;
  wallMs: number;
}

const limit = await loadFanoutLimit();
const ports = limit.open(RECEIVERS);
const payloads = randomBytes(PACKETS_PER_FRAME * PAYLOAD_BYTES);
const product = openProduct();

const senders = { product: sender(product.send), limit: sender(() => limit.send(payloads, PAYLOAD_BYTES)) };
for (const each of Object.values(senders)) takeTurn(each);

console.log(`${RECEIVERS} receivers x ${PACKETS_PER_FRAME} packets, AEAD_AES_128_GCM, thousand packets per second`);
console.log('round  product/CPU  limit/CPU  ratio  product/wall  limit/wall  ratio');
const rounds = Array.from({ length: ROUNDS }, (_, index) => {
  for (const each of Object.values(senders)) Object.assign(each, { packets: 0, cpuMs: 0, wallMs: 0 });
  for (let turn = 0; turn < TURNS_PER_ROUND; turn++) {
    takeTurn(senders.product);
    takeTurn(senders.limit);
  }
  const round = {
    kpps: senders.product.packets / senders.product.cpuMs,
    limitKpps: senders.limit.packets / senders.limit.cpuMs,
    wallKpps: senders.product.packets / senders.product.wallMs,
    limitWallKpps: senders.limit.packets / senders.limit.wallMs,
  };
  console.log(
    [
      String(index + 1).padStart(5),
      round.kpps.toFixed(0).padStart(11),
      round.limitKpps.toFixed(0).padStart(9),
      (round.kpps / round.limitKpps).toFixed(3),
      round.wallKpps.toFixed(0).padStart(12),
      round.limitWallKpps.toFixed(0).padStart(10),
      (round.wallKpps / round.limitWallKpps).toFixed(3),
    ].join('  '),
  );
  return round;
});
product.close();

console.log(
  JSON.stringify({
    kpps: Math.round(median(rounds.map(({ kpps }) => kpps))),
    limitKpps: Math.round(median(rounds.map(({ limitKpps }) => limitKpps))),
    ratio: Number(median(rounds.map(({ kpps, limitKpps }) => kpps / limitKpps)).toFixed(3)),
  }),
);

/** One feed that every receiver watches, each over a stream with keys of its own. */
function openProduct() {
  const native = loadNative();
  const fanOut = new native.FanOut();
  const socket = new native.UdpSocket({
    address: '0.0.0.0',
    port: 0,
    sendBufferBytes: SOCKET_BUFFER_BYTES,
    onDatagram: () => undefined,
  });
  const feed = fanOut.addFeed(RING_PACKETS);
  for (const remotePort of ports) {
    const stream = fanOut.addStream({
      ssrc: remotePort,
      payloadType: 96,
      sequenceNumber: 0,
      timestampOffset: remotePort,
      srtp: {
        profile: 'AEAD_AES_128_GCM',
        encryptionKey: randomBytes(KEY_BYTES),
        salt: randomBytes(SALT_BYTES),
        authenticationKey: new Uint8Array(),
      },
    });
    fanOut.setPath(stream, socket, { remoteAddress: '127.0.0.1', remotePort, localAddress: '127.0.0.1' });
    fanOut.subscribe(stream, feed);
  }
  const sizes = new Uint16Array(PACKETS_PER_FRAME).fill(PAYLOAD_BYTES);
  let timestamp = 0;
  return {
    send: () => {
      timestamp = (timestamp + FRAME_TICKS) >>> 0;
      return fanOut.push(feed, timestamp, payloads, sizes, true);
    },
    close: () => socket.close(),
  };
}

function sender(send: () => number): Sender {
  return { send, packets: 0, cpuMs: 0, wallMs: 0 };
}

function takeTurn(sender: Sender): void {
  const startedAtMs = performance.now();
  const cpuBefore = process.threadCpuUsage();
  while (performance.now() - startedAtMs < TURN_MS) sender.packets += sender.send();
  const { user, system } = process.threadCpuUsage(cpuBefore);
  sender.cpuMs += (user + system) / 1000;
  sender.wallMs += performance.now() - startedAtMs;
}
