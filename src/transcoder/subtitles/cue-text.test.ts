import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  AV_CODEC_ID_ASS,
  AV_CODEC_ID_MOV_TEXT,
  AV_CODEC_ID_SUBRIP,
  AV_CODEC_ID_TEXT,
  AV_CODEC_ID_WEBVTT,
} from 'node-av/constants';
import { CUE_READERS } from './cue-text.ts';

const read = (codecId: number, data: string | Buffer) => CUE_READERS.get(codecId)!(Buffer.from(data as string));
const timed = (text: Buffer, boxes = '') => Buffer.concat([Buffer.of(0, text.length), text, Buffer.from(boxes)]);

describe('the text of a cue', () => {
  for (const [name, codecId, data, text] of [
    [
      'of SubRip keeps italics and its lines',
      AV_CODEC_ID_SUBRIP,
      'Hello <i>you</i>\r\nthere\n',
      'Hello {\\i1}you{\\i0}\\Nthere',
    ],
    [
      'of SubRip has no other marks',
      AV_CODEC_ID_SUBRIP,
      '<font color="red">Red</font>, <B>bold</B>',
      'Red, {\\b1}bold{\\b0}',
    ],
    ['of SubRip stands where it says', AV_CODEC_ID_SUBRIP, '{\\an8}Above', '{\\an8}Above'],
    ['keeps a sign that is no mark', AV_CODEC_ID_TEXT, '3 < 4 > 2', '3 < 4 > 2'],
    ['of WebVTT has no voices, and its signs', AV_CODEC_ID_WEBVTT, '<v Ann>Fish &amp; chips &lt;3', 'Fish & chips <3'],
    ['of timed text has no boxes', AV_CODEC_ID_MOV_TEXT, timed(Buffer.from('Grüße'), '\0\0\0\u000cstyl'), 'Grüße'],
    [
      'of timed text may have two bytes a sign',
      AV_CODEC_ID_MOV_TEXT,
      timed(Buffer.concat([Buffer.of(0xfe, 0xff), Buffer.from('Grüße', 'utf16le').swap16()])),
      'Grüße',
    ],
    ['of a script is as it is', AV_CODEC_ID_ASS, '7,0,Default,Ann,0,0,0,,{\\pos(1,2)}One, two', '{\\pos(1,2)}One, two'],
    ['attack: holds no commands', AV_CODEC_ID_SUBRIP, 'a{\\p1}b\\Nc}{', 'ab\u2216Nc\\}\\{'],
    ['attack: is one line of a script', AV_CODEC_ID_ASS, '7,0,Default,,0,0,0,,One\nDialogue: 0,x', 'One Dialogue: 0,x'],
  ] as const) {
    it(name, () => assert.equal(read(codecId, data as string)?.text, text));
  }

  for (const [name, codecId, data] of [
    ['blanks', AV_CODEC_ID_SUBRIP, ' \n '],
    ['an empty text', AV_CODEC_ID_MOV_TEXT, Buffer.of(0, 0)],
    ['too little', AV_CODEC_ID_MOV_TEXT, Buffer.of(0)],
    ['a length without a text', AV_CODEC_ID_MOV_TEXT, Buffer.of(255, 255)],
    ['a script without all fields', AV_CODEC_ID_ASS, '7,0,Default,Ann,0,0,0'],
  ] as const) {
    it(`is none for ${name}`, () => assert.equal(read(codecId, data as string), null));
  }

  it('attack: is not longer than anybody reads', () => {
    assert.equal(read(AV_CODEC_ID_SUBRIP, 'x'.repeat(1_000_000))?.text.length, 2_000);
  });
});
