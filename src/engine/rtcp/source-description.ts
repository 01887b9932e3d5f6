import { type RtcpBody, type RtcpPacket, SDES_ITEM } from './packets.ts';

/**
 * SDES (RFC 3550 §6.5): chunks, each beginning at a multiple of four octets
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------------------------------------------------------+
 *     |                              SSRC                             |
 *     +---------------+---------------+-------------------------------+
 *     |   item type   | length of text|  text, UTF-8                … |
 *     +---------------+---------------+-------------------------------+
 *     |  more items, then one to four octets of zero                  |
 *     +---------------------------------------------------------------+
 */
export function parseSourceDescription({ count, body }: RtcpBody): readonly RtcpPacket[] {
  const chunks: { ssrc: number; cname: string | null }[] = [];
  let offset = 0;
  for (let chunk = 0; chunk < count; chunk++) {
    if (body.length < offset + 4) return [];
    const ssrc = body.readUInt32BE(offset);
    offset += 4;
    let cname: string | null = null;
    for (;;) {
      const type = body[offset];
      if (type === undefined) return [];
      if (type === SDES_ITEM.end) break;
      const text = offset + 2;
      const end = text + (body[offset + 1] ?? 0);
      if (end >= body.length) return [];
      if (type === SDES_ITEM.cname) cname = body.toString('utf8', text, end);
      offset = end;
    }
    offset += 4 - (offset % 4);
    chunks.push({ ssrc, cname });
  }
  return [{ type: 'sourceDescription', chunks }];
}
