import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareH264Formats, type H264Format, h264ProfileOf, readH264Format } from './h264.ts';

const read = (parameters: Readonly<Record<string, string>>) => readH264Format(new Map(Object.entries(parameters)));

describe('the profile', () => {
  // RFC 6184 table 5: the same profile has several spellings.
  for (const [profileLevelId, constrained] of [
    ['42e01f', true],
    ['42c01f', true],
    ['42401f', true],
    ['42001f', false],
    ['42801f', false],
    ['4d801f', true],
    ['4d801f'.toUpperCase(), true],
    ['58c01f', true],
    ['58801f', false],
    ['4d001f', null],
    ['58001f', null],
    ['58401f', null],
    ['64001f', null],
    ['640c1f', null],
    ['42e01', null],
    ['42e01f0', null],
    ['42e0xx', null],
  ] as const) {
    const meaning = constrained === null ? 'nothing that we make' : constrained ? 'Constrained Baseline' : 'Baseline';
    it(`${profileLevelId} is ${meaning}`, () => {
      assert.equal(read({ 'profile-level-id': profileLevelId })?.constrained ?? null, constrained);
    });
  }

  it('is Baseline at level 1 when nothing is said (RFC 6184 §8.1)', () => {
    const format = read({});
    assert.deepEqual([format?.profileLevelId, format?.maxLevelIdc, format?.constrained], ['42000a', 10, false]);
  });
});

describe('the packetization mode', () => {
  for (const [mode, expected] of [
    [undefined, 0],
    ['0', 0],
    ['1', 1],
    ['2', null],
    ['01', null],
    ['', null],
  ] as const) {
    it(`${mode ?? 'left out'} is ${expected ?? 'not ours'}`, () => {
      assert.equal(read(mode === undefined ? {} : { 'packetization-mode': mode })?.packetizationMode ?? null, expected);
    });
  }
});

describe('the highest level that the caller decodes', () => {
  for (const [name, parameters, level] of [
    ['is that of profile-level-id', { 'profile-level-id': '42e01f' }, 31],
    ['is 1b, written as 1.1 with a flag, as level 1', { 'profile-level-id': '42f00b' }, 10],
    ['is 1.1 without the flag', { 'profile-level-id': '42e00b' }, 11],
    [
      'is max-recv-level where levels may differ',
      { 'profile-level-id': '42e00d', 'level-asymmetry-allowed': '1', 'max-recv-level': 'e028' },
      40,
    ],
    ['is not max-recv-level where they may not', { 'profile-level-id': '42e00d', 'max-recv-level': 'e028' }, 13],
    [
      'is never below that of profile-level-id',
      { 'profile-level-id': '42e01f', 'level-asymmetry-allowed': '1', 'max-recv-level': 'e00d' },
      31,
    ],
    [
      'ignores a max-recv-level that is none',
      { 'profile-level-id': '42e01f', 'level-asymmetry-allowed': '1', 'max-recv-level': 'zzzz' },
      31,
    ],
  ] as const) {
    it(name, () => assert.equal(read(parameters)?.maxLevelIdc, level));
  }
});

describe('the better format', () => {
  const format = (packetizationMode: 0 | 1, maxLevelIdc: number, constrained: boolean): H264Format => ({
    packetizationMode,
    maxLevelIdc,
    constrained,
    passes: false,
    profileLevelId: '42e01f',
    levelAsymmetryAllowed: true,
  });

  for (const [name, better, worse] of [
    ['has whole frames, whatever its level', format(1, 13, false), format(0, 40, true)],
    ['has the larger picture', format(1, 40, false), format(1, 31, true)],
    ['is constrained, where all else is equal', format(1, 31, true), format(1, 31, false)],
  ] as const) {
    it(name, () => {
      assert.ok(compareH264Formats(better, worse) < 0);
      assert.ok(compareH264Formats(worse, better) > 0);
    });
  }
});

describe('a stream that is passed through', () => {
  const passed = { profile: 'main', levelIdc: 31 } as const;
  const readPassed = (parameters: Readonly<Record<string, string>>) =>
    readH264Format(new Map(Object.entries({ 'packetization-mode': '1', ...parameters })), passed);

  for (const [name, parameters, passes] of [
    ['goes to a decoder of its profile and level', { 'profile-level-id': '4d001f' }, true],
    ['goes to a decoder of a higher profile', { 'profile-level-id': '64001f' }, true],
    ['goes to Constrained High, which lacks only what it has not', { 'profile-level-id': '640c1f' }, true],
    ['goes to a higher level', { 'profile-level-id': '4d0028' }, true],
    [
      'goes where a higher level may be received',
      { 'profile-level-id': '4d001e', 'level-asymmetry-allowed': '1', 'max-recv-level': '001f' },
      true,
    ],
    ['is not what Baseline decodes, which gets another', { 'profile-level-id': '42e01f' }, false],
    ['is nothing for a decoder of a lower level', { 'profile-level-id': '4d001e' }, null],
    ['is nothing for packets without fragments', { 'profile-level-id': '4d001f', 'packetization-mode': '0' }, null],
    ['is nothing for a profile of another kind', { 'profile-level-id': '7a001f' }, null],
  ] as const) {
    it(name, () => assert.equal(readPassed(parameters)?.passes ?? null, passes));
  }

  it('is preferred to any that has to be encoded', () => {
    const [main, baseline] = ['4d001f', '42e028'].map(id => readPassed({ 'profile-level-id': id })!);
    assert.ok(compareH264Formats(main!, baseline!) < 0);
  });

  for (const [profileLevelId, profile] of [
    ['42e01f', 'baseline'],
    ['4d801f', 'baseline'],
    ['4D001F', 'main'],
    ['64001f', 'high'],
    ['f4001f', null],
    ['', null],
  ] as const) {
    it(`${profileLevelId || 'nothing'} is a decoder of ${profile ?? 'nothing that we have'}`, () => {
      assert.equal(h264ProfileOf(profileLevelId), profile);
    });
  }
});
