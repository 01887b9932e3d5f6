import { isIPv6 } from 'node:net';

/** One end of what was captured. */
export interface HepEnd {
  /** IPv4 or IPv6, the latter with or without a zone. */
  readonly address: string;
  readonly port: number;
}

export interface HepPacket {
  readonly source: HepEnd;
  readonly destination: HepEnd;
  /** The protocol that carried it. */
  readonly protocol: 'udp' | 'tcp';
  /** Unix time in milliseconds. */
  readonly atMs: number;
  /** Tells agents apart, 0 to 2^32 − 1. */
  readonly captureId: number;
  /** Joins what belongs together: the Call-ID. */
  readonly correlationId: string | null;
  /** The SIP message; its end is left out if it does not fit into one datagram. */
  readonly payload: Buffer;
}

/** Type ids of the vendor 0 (HEP3 Network Protocol Specification, "Generic Chunk Types"). */
const CHUNK = {
  ipFamily: 0x0001,
  ipProtocol: 0x0002,
  ipv4Source: 0x0003,
  ipv4Destination: 0x0004,
  ipv6Source: 0x0005,
  ipv6Destination: 0x0006,
  sourcePort: 0x0007,
  destinationPort: 0x0008,
  seconds: 0x0009,
  microseconds: 0x000a,
  protocolType: 0x000b,
  captureId: 0x000c,
  payload: 0x000f,
  correlationId: 0x0011,
} as const;

/** Of Linux and most others, which the specification takes over. */
const AF_INET = 2;
const AF_INET6 = 10;
const IP_PROTOCOL = { tcp: 6, udp: 17 } as const;
const PROTOCOL_SIP = 1;

const HEADER_BYTES = 6;
/** What an IPv4 datagram holds (RFC 768). */
const MOST_BYTES = 65_507;
/** Beside the payload; longer ones are nobody's Call-ID. */
const MOST_CORRELATION_BYTES = 1_024;

/**
 * A captured SIP message in the Homer Encapsulation Protocol, version 3 (HEP3 Network Protocol Specification of
 * sipcapture.org, also draft-dubovikov-eep-hep): a header, then chunks, all in network order. Lengths count the header.
 *
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-------+-------+-------+-------+-------------------------------+
 *     |  'H'     'E'     'P'     '3'  |         total length          |
 *     +-------------------------------+-------------------------------+
 *     |           vendor id           |           type id             |
 *     +-------------------------------+-------------------------------+
 *     |         chunk length          |            value            … |
 *     +-------------------------------+-------------------------------+
 */
export function encodeHep(packet: HepPacket): Buffer {
  const { source, destination, protocol, atMs, captureId, correlationId, payload } = packet;
  const isV6 = isIPv6(source.address);
  const chunks = [
    chunk(CHUNK.ipFamily, Buffer.of(isV6 ? AF_INET6 : AF_INET)),
    chunk(CHUNK.ipProtocol, Buffer.of(IP_PROTOCOL[protocol])),
    chunk(isV6 ? CHUNK.ipv6Source : CHUNK.ipv4Source, addressBytes(source.address)),
    chunk(isV6 ? CHUNK.ipv6Destination : CHUNK.ipv4Destination, addressBytes(destination.address)),
    chunk(CHUNK.sourcePort, uint16(source.port)),
    chunk(CHUNK.destinationPort, uint16(destination.port)),
    chunk(CHUNK.seconds, uint32(Math.floor(atMs / 1000))),
    chunk(CHUNK.microseconds, uint32(Math.floor((atMs % 1000) * 1000))),
    chunk(CHUNK.protocolType, Buffer.of(PROTOCOL_SIP)),
    chunk(CHUNK.captureId, uint32(captureId)),
  ];
  if (correlationId !== null) {
    chunks.push(chunk(CHUNK.correlationId, Buffer.from(correlationId).subarray(0, MOST_CORRELATION_BYTES)));
  }
  const usedBytes = chunks.reduce((sum, { length }) => sum + length, 2 * HEADER_BYTES);
  chunks.push(chunk(CHUNK.payload, payload.subarray(0, MOST_BYTES - usedBytes)));
  const body = Buffer.concat(chunks);
  return Buffer.concat([Buffer.from('HEP3'), uint16(HEADER_BYTES + body.length), body]);
}

function chunk(type: number, value: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(type, 2);
  header.writeUInt16BE(HEADER_BYTES + value.length, 4);
  return Buffer.concat([header, value]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** In network order. */
function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('%', 1)[0]!.split('::');
  const before = groups(head);
  const after = groups(tail);
  return Buffer.concat([before, Buffer.alloc(16 - before.length - after.length), after]);
}

/** Groups of an IPv6 address; the last two may be written as IPv4 (RFC 4291 §2.2). */
function groups(text: string): Buffer {
  const each = text === '' ? [] : text.split(':');
  return Buffer.concat(
    each.map(group =>
      group.includes('.') ? Buffer.from(group.split('.').map(Number)) : uint16(Number.parseInt(group, 16)),
    ),
  );
}
