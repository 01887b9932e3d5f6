import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FormatContext } from 'node-av/lib';
import { ffmpegFile } from '../../../test/support/ffmpeg-file.ts';
import { canonicalLanguage, chooseTracks } from './tracks.ts';

describe('a language', () => {
  for (const [code, language] of [
    ['de', 'de'],
    ['deu', 'de'],
    ['ger', 'de'],
    ['GER', 'de'],
    ['fre', 'fr'],
    ['chi', 'zh'],
    ['und', null],
    ['', null],
    ['deutsch', null],
    ['d-', null],
  ] as const) {
    it(`that is named ${JSON.stringify(code)} is ${language}`, () => assert.equal(canonicalLanguage(code), language));
  }
});

describe('of several tracks', { timeout: 30_000 }, () => {
  const sound = (hz: number) => ['-f', 'lavfi', '-i', `sine=${hz}:duration=0.2`];
  const subtitles = (text: string) => ['-f', 'srt', '-i', `data:,1%0A00:00:00,000 --> 00:00:00,100%0A${text}%0A`];
  const INPUTS = [...sound(300), ...sound(400), ...sound(500), ...sound(600), ...subtitles('a'), ...subtitles('b')];
  const MAPS = [0, 1, 2, 3, 4, 5].flatMap(input => ['-map', String(input)]);

  it('the one in the wanted language is played, and that for everybody before one for a few', async t => {
    const path = ffmpegFile(t, 'a.mkv', [
      ...INPUTS,
      ...MAPS,
      ...['-metadata:s:a:0', 'language=eng', '-disposition:a:0', 'default'],
      ...['-metadata:s:a:1', 'language=ger', '-disposition:a:1', 'visual_impaired'],
      ...['-metadata:s:a:2', 'language=deu', '-metadata:s:a:3', 'language=fre'],
      ...['-metadata:s:s:0', 'language=deu', '-disposition:s:0', 'forced'],
      ...['-metadata:s:s:1', 'language=ger', '-disposition:s:1', '0'],
    ]);
    const format = new FormatContext();
    await format.openInput(`file:${path}`);
    await format.findStreamInfo();
    const chosen = (audioLanguage: string | null, subtitles: string | null) => {
      const { video, audio, subtitles: text, languages } = chooseTracks(format, { audioLanguage, subtitles });
      assert.equal(video, null);
      assert.deepEqual(languages.available, { audio: ['en', 'de', 'fr'], subtitles: ['de'] });
      return [audio?.index, languages.audio, text?.index, languages.subtitles];
    };
    for (const [audio, text, expected] of [
      [null, null, [0, 'en', undefined, null]],
      ['de', 'de', [2, 'de', 5, 'de']],
      ['deu', 'ger', [2, 'de', 5, 'de']],
      ['fr', 'fr', [3, 'fr', undefined, null]],
      ['it', null, [0, 'en', undefined, null]],
    ] as const) {
      assert.deepEqual(chosen(audio, text), expected, `${audio} and ${text}`);
    }
    await format.closeInput();
  });
});
