import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { push, SRTP_KEYS, STREAM } from '../../test/support/fan-out.ts';
import { openSocket } from '../../test/support/loopback.ts';
import { type FanOut, loadNative } from './native.ts';

const native = loadNative();

describe('wrong arguments', () => {
  const wrong = <T>(value: unknown) => value as T;
  const gcm = SRTP_KEYS[0]!;
  const cases: readonly [name: string, call: (fanOut: FanOut, feed: number, stream: number) => unknown][] = [
    ['a ring that is no power of two', fanOut => fanOut.addFeed(3)],
    ['a ring of nothing', fanOut => fanOut.addFeed(0)],
    ['a ring beyond all memory', fanOut => fanOut.addFeed(2 ** 31)],
    ['a negative SSRC', fanOut => fanOut.addStream({ ...STREAM, ssrc: -1 })],
    ['an SSRC of 33 bits', fanOut => fanOut.addStream({ ...STREAM, ssrc: 2 ** 32 })],
    ['half an SSRC', fanOut => fanOut.addStream({ ...STREAM, ssrc: 0.5 })],
    ['no SSRC', fanOut => fanOut.addStream({ ...STREAM, ssrc: wrong(undefined) })],
    ['a payload type of 8 bits', fanOut => fanOut.addStream({ ...STREAM, payloadType: 128 })],
    [
      'a first sequence number with the highest bit',
      fanOut => fanOut.addStream({ ...STREAM, sequenceNumber: 2 ** 15 }),
    ],
    ['a short key', fanOut => fanOut.addStream({ ...STREAM, srtp: { ...gcm, encryptionKey: Buffer.alloc(15) } })],
    [
      'a salt of the other profile',
      fanOut => fanOut.addStream({ ...STREAM, srtp: { ...gcm, salt: Buffer.alloc(14) } }),
    ],
    ['a profile that is none', fanOut => fanOut.addStream({ ...STREAM, srtp: { ...gcm, profile: wrong('NULL') } })],
    ['keys that are none', fanOut => fanOut.addStream({ ...STREAM, srtp: wrong('keys') })],
    ['no options', fanOut => fanOut.addStream(wrong(undefined))],
    ['a feed that is none', (fanOut, feed, stream) => fanOut.subscribe(stream, feed + 100)],
    ['a stream that is none', (fanOut, feed, stream) => fanOut.subscribe(stream + 100, feed)],
    ['a stream for a feed', (fanOut, _, stream) => push(fanOut, stream, ['a'])],
    ['a feed that was removed', (fanOut, feed) => [fanOut.removeFeed(feed), fanOut.removeFeed(feed)]],
    ['a stream that was removed', (fanOut, _, stream) => [fanOut.removeStream(stream), fanOut.stats(stream)]],
    ['sizes beyond the payloads', (fanOut, feed) => fanOut.push(feed, 0, Buffer.alloc(9), Uint16Array.of(5, 5), true)],
    ['a payload of 1401 bytes', (fanOut, feed) => push(fanOut, feed, [Buffer.alloc(1401)])],
    ['sizes of 32 bits', (fanOut, feed) => fanOut.push(feed, 0, Buffer.alloc(9), wrong(Uint32Array.of(9)), true)],
    ['payloads that are text', (fanOut, feed) => fanOut.push(feed, 0, wrong('text'), Uint16Array.of(4), true)],
    ['a timestamp of 33 bits', (fanOut, feed) => push(fanOut, feed, ['a'], true, 2 ** 32)],
    ['a sequence number of 17 bits', (fanOut, _, stream) => fanOut.retransmit(stream, 2 ** 16)],
    ['a socket that is none', (fanOut, _, stream) => fanOut.setPath(stream, wrong({}), wrong({}))],
  ];
  for (const [name, call] of cases) {
    it(`throw: ${name}`, () => {
      const fanOut = new native.FanOut();
      const feed = fanOut.addFeed(4);
      const stream = fanOut.addStream(STREAM);
      assert.throws(() => call(fanOut, feed, stream), Error);
    });
  }

  it('throw: a path that is none', t => {
    const fanOut = new native.FanOut();
    const stream = fanOut.addStream(STREAM);
    const socket = openSocket(t);
    const path = { remoteAddress: '127.0.0.1', remotePort: 9, localAddress: '' };
    for (const change of [
      { remoteAddress: 'localhost' },
      { remoteAddress: '::1' },
      { remotePort: 65_536 },
      { localAddress: '::1' },
      { localAddress: wrong<string>(undefined) },
    ]) {
      assert.throws(() => fanOut.setPath(stream, socket, { ...path, ...change }), Error);
    }
    fanOut.setPath(stream, socket, path);
  });
});
