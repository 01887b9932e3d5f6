import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DialcastError } from '../errors.ts';
import { parseConfig } from './load.ts';

const parse = (text: string) =>
  parseConfig(text, '/etc/dialcast/tv.yaml', { interfaces: {}, sourceKinds: ['file', 'testcard'] });

describe('films in a configuration', () => {
  it('are files that are kept beside it, or where it says', () => {
    const channels = 'channels: [{number: 1, name: a, source: "file:a.mp4", film: true}]';
    const [channel] = parse(channels).channels;
    assert.deepEqual([channel?.film, channel?.loop, channel?.source], [true, false, 'file:/etc/dialcast/a.mp4']);
    assert.deepEqual(parse('cache: {folder: ../films, sizeGB: 1.5}').cache, {
      folder: '/etc/films',
      sizeBytes: 1_500_000_000,
    });
  });

  for (const [name, channel, fault] of [
    ['loops', 'source: "file:a.mp4", loop: true', 'a film that loops has no end'],
    ['is no file', 'source: "testcard:"', 'no file is played'],
  ] as const) {
    it(`are refused when one ${name}`, () => {
      const text = `channels:\n  - {number: 1, name: a, film: true, ${channel}}`;
      const remedy = 'have film: true where the source is one file: and does not loop';
      assert.throws(() => parse(text), {
        detail: `/etc/dialcast/tv.yaml:2:26: channels[0].film: ${fault}; ${remedy}`,
        constructor: DialcastError,
      });
    });
  }
});
