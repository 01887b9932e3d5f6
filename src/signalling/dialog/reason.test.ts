import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EndCause } from '../types.ts';
import { parseReason, reasonHeader } from './reason.ts';

const cause = (protocol: EndCause['protocol'], number: number, text: string): EndCause => ({
  protocol,
  cause: number,
  text,
});

describe('a Reason header', () => {
  for (const [values, expected] of [
    [['Q.850;cause=16;text="Terminated"'], cause('Q.850', 16, 'Terminated')],
    [
      ['sip ; cause = 200 ; text = "Call \\"done\\"; elsewhere, \\\\ really"'],
      cause('SIP', 200, 'Call "done"; elsewhere, \\ really'),
    ],
    [['SIP;text="first";cause=480'], cause('SIP', 480, 'first')],
    [['q.850;cause=31'], cause('Q.850', 31, '')],
    [['preemption;cause=1', 'SIP;cause=503;text="x"'], cause('SIP', 503, 'x')],
    [[], null],
    [['SIP'], null],
    [['SIP;cause=many'], null],
    [['SIP;cause=1000'], null],
    [['XYZ;cause=1'], null],
  ] as const) {
    test(`${JSON.stringify(values)} is read`, () => assert.deepEqual(parseReason(values), expected));
  }

  test('is read as it was written, whatever its text', () => {
    const written = reasonHeader(cause('SIP', 480, 'said "no"; \\ and\r\nX: y\0z'));
    assert.deepEqual(written, ['reason', 'SIP;cause=480;text="said \\"no\\"; \\\\ and X: y z"']);
    assert.deepEqual(parseReason([written[1]]), cause('SIP', 480, 'said "no"; \\ and X: y z'));
  });
});
