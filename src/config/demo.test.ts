import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { ChannelConfig } from './index.ts';
import { DEMO_FILM, defaultConfig, parseConfig, withDemoChannels } from './index.ts';

const OPTIONS = { interfaces: {}, sourceKinds: ['file', 'testcard'] };

function folder(t: TestContext, files: readonly string[]): string {
  const path = mkdtempSync(join(tmpdir(), 'demo-'));
  t.after(() => rmSync(path, { recursive: true }));
  for (const file of files) writeFileSync(join(path, file), '');
  return path;
}

function demo(mediaFolder: string, channels: readonly ChannelConfig[] = []): readonly ChannelConfig[] {
  return withDemoChannels({ ...defaultConfig(OPTIONS), channels }, mediaFolder).channels;
}

const names = (channels: readonly ChannelConfig[]) => channels.map(({ number, name, title }) => [number, name, title]);

describe('the channels of the demo', () => {
  it('are a clock and a film where there is no media folder yet', () => {
    assert.deepEqual(demo('/nowhere'), [
      { number: 101, name: 'clock', title: 'Clock', source: 'testcard:', loop: false },
      { number: 102, name: 'film', title: 'Evening over the hills', source: `file:/nowhere/${DEMO_FILM}`, loop: true },
    ]);
  });

  it('hold every media file in the order of its name, and no other file', t => {
    const media = folder(t, [
      DEMO_FILM,
      'b_night-show.MKV',
      'Ähre.webm',
      'a.mp3',
      'notes.txt',
      '.hidden.mp4',
      'README',
    ]);
    assert.deepEqual(names(demo(media)).slice(2), [
      [103, 'a', 'a'],
      [104, 'b-night-show', 'b night show'],
      [105, 'a-hre', 'Ähre'],
    ]);
    assert.equal(demo(media)[3]?.source, `file:${join(media, 'b_night-show.MKV')}`);
    assert.ok(
      demo(media)
        .slice(1)
        .every(({ loop }) => loop),
    );
  });

  it('have names of their own, also where titles give the same or none', t => {
    const media = folder(t, ['clock.mp4', 'clock.webm', '新聞.mp4', '映画.mp4']);
    assert.deepEqual(
      demo(media).map(({ name }) => name),
      ['clock', 'film', 'clock-2', 'clock-3', 'channel', 'channel-2'],
    );
  });

  it('take the numbers that are free, and never a number that is a name', t => {
    const clash = { title: '', loop: false, source: 'testcard:?' };
    const before = [
      { ...clash, number: 101, name: 'news' },
      { ...clash, number: 500, name: '102' },
    ];
    assert.deepEqual(
      demo(folder(t, ['103.mp4']), before).map(({ number, name }) => [number, name]),
      [
        [101, 'news'],
        [500, '102'],
        [103, 'clock'],
        [104, 'film'],
        [105, '103-2'],
      ],
    );
  });

  it('leave out a source that the configuration has already', () => {
    const clock = { number: 7, name: 'time', title: 'Time', source: 'testcard:', loop: false };
    assert.deepEqual(names(demo('/nowhere', [clock])), [
      [7, 'time', 'Time'],
      [101, 'film', 'Evening over the hills'],
    ]);
  });

  it('are such as the configuration file would allow', t => {
    const media = folder(t, [`${'long '.repeat(40)}.mp4`, '-.mp4', 'ok.ogg', '7.wav']);
    const text = JSON.stringify({ channels: demo(media) });
    assert.equal(parseConfig(text, 'demo.yaml', OPTIONS).channels.length, 6);
  });
});
