import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Channel, dialled, findChannel, neighbour } from './channels.ts';

function channel(number: number, name: string): Channel {
  return { number, name, title: name, kind: 'live', onAir: false, viewers: 0 };
}

const CHANNELS = [channel(12, 'film'), channel(1, 'clock'), channel(120, 'news'), channel(7, 'harbour')];

test('a channel is found by name and by number', () => {
  assert.equal(findChannel(CHANNELS, 'film')?.number, 12);
  assert.equal(findChannel(CHANNELS, '12')?.name, 'film');
  assert.equal(findChannel(CHANNELS, '012'), null);
  assert.equal(findChannel(CHANNELS, 'nothing'), null);
});

const STEPS: readonly { readonly from: string | null; readonly steps: 1 | -1; readonly to: string }[] = [
  { from: 'clock', steps: 1, to: 'harbour' },
  { from: 'harbour', steps: 1, to: 'film' },
  { from: 'news', steps: 1, to: 'clock' },
  { from: 'clock', steps: -1, to: 'news' },
  { from: null, steps: 1, to: 'clock' },
  { from: null, steps: -1, to: 'news' },
  { from: 'gone', steps: 1, to: 'clock' },
];

for (const { from, steps, to } of STEPS) {
  test(`from ${from} ${steps === 1 ? 'up' : 'down'} is ${to}`, () => {
    assert.equal(neighbour(CHANNELS, from, steps)?.name, to);
  });
}

test('where there are no channels there is no neighbour', () => {
  assert.equal(neighbour([], null, 1), null);
});

const DIALS: readonly { readonly digits: string; readonly name: string | null; readonly open: boolean }[] = [
  { digits: '1', name: 'clock', open: true },
  { digits: '12', name: 'film', open: true },
  { digits: '120', name: 'news', open: false },
  { digits: '7', name: 'harbour', open: false },
  { digits: '9', name: null, open: false },
];

for (const { digits, name, open } of DIALS) {
  test(`the digits ${digits} mean ${name}, ${open ? 'and more may follow' : 'and nothing more can follow'}`, () => {
    const result = dialled(CHANNELS, digits);
    assert.equal(result.channel?.name ?? null, name);
    assert.equal(result.open, open);
  });
}
