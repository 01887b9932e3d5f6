import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KeyFrameGate } from './key-frame-gate.ts';

type Step = readonly [atMs: number, what: 'request' | 'poll' | 'arrived', asked?: boolean];

const CASES: readonly { name: string; steps: readonly Step[] }[] = [
  { name: 'asks for the first request at once', steps: [[0, 'request', true]] },
  {
    name: 'asks once for many requests within an interval, and again when it is over',
    steps: [
      [0, 'request', true],
      [1, 'request', false],
      [299, 'request', false],
      [299, 'poll', false],
      [300, 'poll', true],
      [301, 'poll', false],
    ],
  },
  {
    name: 'asks for nothing that has come in the meantime',
    steps: [
      [0, 'request', true],
      [100, 'request', false],
      [150, 'arrived'],
      [400, 'poll', false],
    ],
  },
  {
    name: 'asks again when the key frame is lost on its way',
    steps: [
      [0, 'request', true],
      [150, 'poll', false],
      [300, 'poll', true],
      [600, 'poll', true],
    ],
  },
  {
    name: 'keeps the interval over a key frame that came',
    steps: [
      [0, 'request', true],
      [50, 'arrived'],
      [100, 'request', false],
      [299, 'poll', false],
      [300, 'poll', true],
    ],
  },
  { name: 'asks for nothing by itself', steps: [[1_000, 'poll', false]] },
];

describe('the gate before an encoder', () => {
  for (const { name, steps } of CASES) {
    it(name, () => {
      const gate = new KeyFrameGate(300);
      for (const [atMs, what, asked] of steps) {
        if (what === 'arrived') gate.arrived();
        else assert.equal(gate[what](atMs), asked, `${what} at ${atMs} ms`);
      }
    });
  }

  it('lets a thousand viewers through three times a second', () => {
    const gate = new KeyFrameGate(300);
    let asked = 0;
    for (let atMs = 0; atMs < 3_000; atMs++) if (gate.request(atMs)) asked++;
    assert.equal(asked, 10);
  });
});
