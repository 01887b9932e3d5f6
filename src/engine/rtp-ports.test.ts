import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UdpSocket } from './native.ts';
import { RtpPorts } from './rtp-ports.ts';

/** Sockets that only remember whether they are open; `taken` are other programs' ports. */
function setUp(range: { first: number; last: number }, taken: readonly number[] = []) {
  const open = new Set<number>();
  const ports = new RtpPorts(range);
  const allocate = () =>
    ports.allocate((port): UdpSocket => {
      if (taken.includes(port)) throw Object.assign(new Error('bind'), { code: 'EADDRINUSE' });
      assert.ok(!open.has(port));
      open.add(port);
      return { port, send: () => true, close: () => open.delete(port) };
    });
  const numbers = () => {
    const { rtp, rtcp } = allocate();
    return [rtp.port, rtcp.port];
  };
  return { ports, open, allocate, numbers };
}

describe('port pairs for plain RTP', () => {
  it('begin at an even port, RTCP at the next one, and end with the range', () => {
    for (const [range, pairs] of [
      [
        { first: 100, last: 103 },
        [
          [100, 101],
          [102, 103],
        ],
      ],
      [{ first: 101, last: 104 }, [[102, 103]]],
      [
        { first: 100, last: 104 },
        [
          [100, 101],
          [102, 103],
        ],
      ],
    ] as const) {
      const { numbers } = setUp(range);
      assert.deepEqual(pairs.map(numbers), pairs);
      assert.throws(numbers, { code: 'RTP_PORTS_EXHAUSTED' });
    }
  });

  it('go round the range, so that a port that was just left rests', () => {
    const { allocate, numbers } = setUp({ first: 100, last: 105 });
    const first = allocate();
    first.close();
    assert.deepEqual(
      [numbers(), numbers(), numbers()],
      [
        [102, 103],
        [104, 105],
        [100, 101],
      ],
    );
  });

  it('leave out a pair of which either port is another program’s, and close the other one', () => {
    const { open, numbers, ports } = setUp({ first: 100, last: 107 }, [101, 102]);
    assert.deepEqual(numbers(), [104, 105]);
    assert.deepEqual([...open], [104, 105]);
    assert.equal(ports.inUse, 1);
  });

  it('are free again once closed', () => {
    const { ports, open, allocate } = setUp({ first: 100, last: 101 });
    const pair = allocate();
    assert.throws(allocate, /no free pair among 1 from port 100 on/);
    pair.close();
    assert.deepEqual([ports.inUse, open.size], [0, 0]);
    allocate();
    assert.equal(ports.inUse, 1);
  });
});
