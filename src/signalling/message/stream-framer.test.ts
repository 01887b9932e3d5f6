import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Framed, LIMITS, StreamFramer, scan } from './index.ts';

const FIRST = 'OPTIONS sip:a@b SIP/2.0\r\nCall-ID: é\r\nContent-Length: 7\r\n\r\nbody\r\n\r';
const SECOND = 'BYE sip:a@b SIP/2.0\r\nl : 0\r\n\r\n';

/** One word or text for each piece. */
const told = (framed: readonly Framed[]) =>
  framed.map(piece =>
    piece.type === 'message' ? piece.bytes.toString() : piece.type === 'error' ? piece.reason : piece.type,
  );

const framed = (...chunks: string[]) => {
  const framer = new StreamFramer();
  return chunks.flatMap(chunk => told(framer.push(Buffer.from(chunk))));
};

describe('a stream', () => {
  test('is cut into its messages wherever the network cut it', () => {
    const stream = Buffer.from(`${FIRST}\r\n\r\n${SECOND}${FIRST}`);
    for (let at = 0; at <= stream.length; at++) {
      const framer = new StreamFramer();
      const pieces = [...framer.push(stream.subarray(0, at)), ...framer.push(stream.subarray(at))];
      assert.deepEqual(told(pieces), [FIRST, 'ping', SECOND, FIRST], `cut at ${at}`);
    }
  });

  test('is cut into its messages when it comes byte by byte', () => {
    const bytes = [...Buffer.from(`${SECOND}\r\n\r\n${FIRST}`)].map(byte => String.fromCharCode(byte));
    const framer = new StreamFramer();
    const pieces = bytes.flatMap(byte => framer.push(Buffer.from(byte, 'latin1')));
    assert.deepEqual(told(pieces), [SECOND, 'ping', FIRST]);
  });

  test('that we opened has pongs, and no pings', () => {
    const framer = new StreamFramer('sends pings');
    const pieces = ['\r\n\r\n', FIRST, '\r', '\n', SECOND].map(chunk => told(framer.push(Buffer.from(chunk))));
    assert.deepEqual(pieces, [['pong', 'pong'], [FIRST], [], ['pong'], [SECOND]]);
  });

  for (const [name, chunks, expected] of [
    ['gives two messages of one chunk', [SECOND + FIRST], [SECOND, FIRST]],
    ['ignores a CRLF before a message (RFC 3261 §7.5)', [`\r\n${SECOND}\r\n${SECOND}`], [SECOND, SECOND]],
    ['has a ping in two halves', ['\r\n', '\r\n'], ['ping']],
    ['has pings in a row', ['\r\n\r\n\r\n\r\n', SECOND], ['ping', 'ping', SECOND]],
    ['waits for the rest', [FIRST.slice(0, -1)], []],
    [
      'takes a length from the line after its header',
      ['A x SIP/2.0\r\nContent-Length:\r\n\t1 \r\n\r\n1'],
      ['A x SIP/2.0\r\nContent-Length:\r\n\t1 \r\n\r\n1'],
    ],
    [
      'takes a length in capitals and between others',
      ['A x SIP/2.0\r\nVia: y\r\nCONTENT-LENGTH:1\r\nTo: z\r\n\r\n1'],
      ['A x SIP/2.0\r\nVia: y\r\nCONTENT-LENGTH:1\r\nTo: z\r\n\r\n1'],
    ],
  ] as const) {
    test(name, () => assert.deepEqual(framed(...chunks), expected));
  }
});

describe('a stream that cannot be read any further', () => {
  const head = (length: string) => `A x SIP/2.0\r\n${length}\r\n\r\n`;
  for (const [name, stream, reason] of [
    ['has no Content-Length', head('Via: x'), 'no Content-Length'],
    ['smuggles a Content-Length in after a lone LF', head('Subject: x\nContent-Length: 0'), 'no Content-Length'],
    ['announces too large a message', head(`Content-Length: ${LIMITS.messageBytes}`), 'message too large'],
    ['never ends its headers', 'x'.repeat(LIMITS.headerBytes + 1), 'headers too large'],
  ] as const) {
    test(name, () => assert.deepEqual(framed(stream), [reason]));
  }

  // RFC 4475 §3.1.2.3 and §3.3.9: it is answered, and then the connection ends.
  for (const [name, lines] of [
    ['is negative', 'Content-Length: -999'],
    ['is no number', 'Content-Length: x'],
    ['is beyond all measure', 'l: 9999999999'],
    ['is cut by its folding', 'Content-Length: 1\r\n 0'],
    ['is empty', 'Content-Length:'],
    ['is there twice', 'Content-Length: 13\r\nTo: x\r\nl: 13'],
  ] as const) {
    test(`gives the headers, which the scanner refuses, when the Content-Length ${name}`, () => {
      const text = head(lines);
      assert.deepEqual(framed(text + SECOND, SECOND), [text, 'bad Content-Length']);
      assert.equal(scan(Buffer.from(text)).ok, false);
    });
  }

  test('gives what came before, and nothing of what comes after', () => {
    assert.deepEqual(framed(SECOND + head('Via: x') + SECOND, SECOND), [SECOND, 'no Content-Length']);
  });
});

describe('a message has begun', () => {
  for (const [name, stream, begun] of [
    ['not before the first byte', '', false],
    ['not with a ping, or what may become one', '\r\n\r\n\r\n\r', false],
    ['with its first byte', 'O', true],
    ['with its first byte after a ping', '\r\n\r\nO', true],
    ['until its last byte', FIRST.slice(0, -1), true],
    ['and ended with its last byte', FIRST, false],
    ['with the first byte after another', `${FIRST}B`, true],
    ['and is given up when it cannot be read', 'x'.repeat(LIMITS.headerBytes + 1), false],
  ] as const) {
    test(name, () => {
      const framer = new StreamFramer();
      framer.push(Buffer.from(stream));
      assert.equal(framer.begun, begun);
    });
  }
});
