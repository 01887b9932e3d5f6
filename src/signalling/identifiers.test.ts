import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Identifiers } from './identifiers.ts';
import { FakeClock, FakeFlow } from './testing.ts';

/** Bytes that count up, so that two that were drawn for one another show. */
function counting(): { fill: (bytes: Buffer) => void; draws: number } {
  let next = 0;
  const source = {
    draws: 0,
    fill: (bytes: Buffer) => {
      source.draws++;
      for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(next++, at);
    },
  };
  return source;
}

describe('identifiers', () => {
  test('are 96 random bits each, and no bit of them is used twice', () => {
    const source = counting();
    const identifiers = new Identifiers(source.fill);
    const tokens = Array.from({ length: 1_000 }, () => identifiers.token());
    assert.ok(tokens.every(token => /^[0-9a-f]{24}$/.test(token)));
    const words = tokens.flatMap(token => token.match(/.{8}/g)!.map(word => Number.parseInt(word, 16)));
    assert.deepEqual(
      words,
      words.map((_, index) => index),
    );
    assert.ok(source.draws > 1 && source.draws < 10, `${source.draws} draws`);
  });

  test('nothing is drawn before one is wanted', () => {
    const source = counting();
    const identifiers = new Identifiers(source.fill);
    assert.equal(source.draws, 0);
    identifiers.token();
    assert.equal(source.draws, 1);
  });

  test('a Via names our side of its flow and asks for rport, with a branch of its own each time', () => {
    const identifiers = new Identifiers(counting().fill);
    const flow = new FakeFlow(new FakeClock(), 'tcp');
    assert.deepEqual(
      [identifiers.via(flow), identifiers.via(flow)],
      [
        'SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK000000000000000100000002;rport',
        'SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK000000030000000400000005;rport',
      ],
    );
  });
});
