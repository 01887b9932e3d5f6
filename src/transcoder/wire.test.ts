import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type EngineMessage,
  encodeFrame,
  encodeMessage,
  MAX_MESSAGE_BYTES,
  type TranscoderMessage,
  WireReader,
} from './wire.ts';

const OPEN: TranscoderMessage = { type: 'source', state: 'open', info: { video: null, audio: null } };
const START: EngineMessage = { type: 'start', id: 7, rendition: { kind: 'audio', codec: 'opus' } };

function frame(bytes: number): Extract<TranscoderMessage, { type: 'frame' }> {
  return {
    type: 'frame',
    id: 4_000_000_000,
    keyFrame: true,
    ptsUs: 1_795_000_000_123_456n,
    data: Buffer.alloc(bytes, 7),
  };
}

describe('the frame protocol', () => {
  it('gives back every message, however the stream is cut', () => {
    const messages = [OPEN, frame(5_000), frame(0), OPEN, frame(1)];
    const bytes = Buffer.concat(
      messages.flatMap(each => (each.type === 'frame' ? encodeFrame(each) : [encodeMessage(each)])),
    );
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), cuts => {
        const reader = new WireReader<TranscoderMessage>();
        const ends = [...cuts, bytes.length].sort((a, b) => a - b);
        const received: TranscoderMessage[] = [];
        let from = 0;
        for (const end of ends) {
          const { messages, error } = reader.push(bytes.subarray(from, end));
          assert.equal(error, null);
          received.push(...messages);
          from = end;
        }
        assert.deepEqual(received, messages);
      }),
    );
  });

  it('carries what the engine says', () => {
    assert.deepEqual(new WireReader<EngineMessage>().push(encodeMessage(START)).messages, [START]);
  });

  it('refuses what is no message, with what is wrong', () => {
    const json = (text: string) => {
      const body = Buffer.concat([Buffer.of(2), Buffer.from(text)]);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      return Buffer.concat([length, body]);
    };
    const tooLong = Buffer.alloc(4);
    tooLong.writeUInt32BE(MAX_MESSAGE_BYTES + 1);
    const cases: [Buffer, RegExp][] = [
      [Buffer.of(0, 0, 0, 0), /message of 0 bytes/],
      [tooLong, /message of 8388609 bytes/],
      [Buffer.of(0, 0, 0, 1, 9), /unknown type 9/],
      [Buffer.of(0, 0, 0, 2, 1, 0), /without a whole header/],
      [json('{'), /not JSON/],
      [json('null'), /without a type/],
    ];
    for (const [bytes, expected] of cases) {
      const { messages, error } = new WireReader<TranscoderMessage>().push(bytes);
      assert.deepEqual(messages, []);
      assert.match(error ?? '', expected);
    }
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), chunks => {
        const reader = new WireReader<TranscoderMessage>();
        for (const chunk of chunks) reader.push(Buffer.from(chunk));
      }),
    );
  });
});
