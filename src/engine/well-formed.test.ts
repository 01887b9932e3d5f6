import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWellFormed } from './well-formed.ts';

const VIDEO = { width: 1280, height: 720, frameRate: 30 };
const AUDIO = { sampleRateHz: 48_000, channels: 2 };
const LANGUAGES = { audio: 'de', subtitles: null, available: { audio: ['de', 'en'], subtitles: [] } };
const NONE = { video: 0, audio: 0 };
const H264 = { codec: 'h264', profile: 'main', levelIdc: 31 };

describe('what a transcoder says', () => {
  for (const message of [
    { type: 'hello', channel: 'clock', token: 'secret', pid: 1 },
    { type: 'source', state: 'open', info: { video: null, audio: null } },
    { type: 'source', state: 'open', info: { video: VIDEO, audio: AUDIO, languages: LANGUAGES } },
    {
      type: 'source',
      state: 'open',
      info: { video: { ...VIDEO, passThrough: H264, obstacle: 'not yet' }, audio: null },
    },
    { type: 'source', state: 'open', info: { video: null, audio: { ...AUDIO, passThrough: { codec: 'opus' } } } },
    { type: 'source', state: 'open', info: { video: null, audio: null, skipped: [{ item: 'a.mkv', reason: 'x' }] } },
    { type: 'source', state: 'failed', reason: 'no such file' },
    { type: 'source', state: 'out', reason: 'x'.repeat(1_000) },
    { type: 'source', state: 'ended' },
    { type: 'thumbnail', jpeg: '/9j/' },
    { type: 'stats', renditions: [{ id: 1, framesEncoded: 2, keyFrames: 3, framesDropped: 4 }], encoders: NONE },
    { type: 'encoding', encoding: { effort: 'halfRate', hardware: null } },
    { type: 'encoding', encoding: { effort: 'full', hardware: 'vaapi', fault: 'x' } },
    { type: 'frame' },
  ]) {
    it(`may be ${JSON.stringify(message).slice(0, 100)}`, () => assert.equal(isWellFormed(message), true));
  }

  for (const message of [
    { type: 7 },
    { type: 'constructor' },
    { type: 'goodbye' },
    { type: 'hello' },
    { type: 'hello', channel: ['clock'], token: 'secret' },
    { type: 'hello', channel: 'clock', token: { length: 64 } },
    { type: 'hello', channel: 'x'.repeat(101), token: 'secret' },
    { type: 'source' },
    { type: 'source', state: 'toString' },
    { type: 'source', state: 'open' },
    { type: 'source', state: 'open', info: null },
    { type: 'source', state: 'open', info: { video: null } },
    { type: 'source', state: 'open', info: { video: { ...VIDEO, width: '1280' }, audio: null } },
    { type: 'source', state: 'open', info: { video: { ...VIDEO, frameRate: null }, audio: null } },
    { type: 'source', state: 'open', info: { video: null, audio: 'loud' } },
    { type: 'source', state: 'open', info: { video: { ...VIDEO, passThrough: 'h264' }, audio: null } },
    { type: 'source', state: 'open', info: { video: null, audio: null, languages: {} } },
    { type: 'source', state: 'open', info: { video: null, audio: null, skipped: [{ item: 'a.mkv' }] } },
    { type: 'source', state: 'failed' },
    { type: 'source', state: 'out', reason: 'x'.repeat(1_001) },
    { type: 'thumbnail', jpeg: 7 },
    { type: 'stats' },
    { type: 'stats', renditions: [] },
    { type: 'stats', renditions: [], encoders: { video: 1 } },
    { type: 'stats', renditions: 'none', encoders: NONE },
    { type: 'stats', renditions: [null], encoders: NONE },
    { type: 'encoding' },
    { type: 'encoding', encoding: { effort: 'none', hardware: null } },
    { type: 'encoding', encoding: { effort: 'full', hardware: 'abacus' } },
    { type: 'stats', renditions: Array.from({ length: 1_001 }, (_, id) => ({ id })), encoders: NONE },
  ]) {
    it(`attack: is not ${JSON.stringify(message).slice(0, 100)}`, () => assert.equal(isWellFormed(message), false));
  }
});
