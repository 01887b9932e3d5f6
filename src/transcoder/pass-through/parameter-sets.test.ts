import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readPictureParameters, readSequenceParameters } from './parameter-sets.ts';

/** The bits of a NAL unit after its header, as they stand in the syntax tables; ended as a payload is. */
function nalUnit(type: number, ...parts: readonly (string | number)[]): Buffer {
  const bits = `${parts.map(part => (typeof part === 'number' ? unsigned(part) : part)).join('')}1`;
  const bytes = bits.match(/.{1,8}/g)!.map(byte => Number.parseInt(byte.padEnd(8, '0'), 2));
  const escaped = bytes.flatMap((byte, index) =>
    byte <= 3 && index >= 2 && bytes[index - 1] === 0 && bytes[index - 2] === 0 ? [3, byte] : [byte],
  );
  return Buffer.from([0x60 | type, ...escaped]);
}

/** ue(v) */
function unsigned(value: number): string {
  const code = (value + 1).toString(2);
  return '0'.repeat(code.length - 1) + code;
}

const byte = (value: number) => value.toString(2).padStart(8, '0');
/** log2_max_frame_num_minus4, pic_order_cnt_type 2, max_num_ref_frames, gaps, 80x45 macroblocks, frame_mbs_only. */
const REST = [0, 2, 1, '0', 79, 44, '1', '1', '0', '0'] as const;
const sps = (profile: number, constraints: number, level: number, ...rest: readonly (string | number)[]) =>
  nalUnit(7, byte(profile), byte(constraints), byte(level), 0, ...rest);

describe('a sequence parameter set', () => {
  for (const [name, unit, expected] of [
    ['of Constrained Baseline', sps(66, 0xe0, 31, ...REST), ['baseline', 31, true, true]],
    ['of Baseline', sps(66, 0, 30, ...REST), ['baseline', 30, true, true]],
    ['of Main', sps(77, 0, 31, ...REST), ['main', 31, true, true]],
    ['of Main that is Baseline too', sps(77, 0x80, 31, ...REST), ['baseline', 31, true, true]],
    ['of Extended', sps(88, 0, 31, ...REST), [null, 31, true, true]],
    ['of level 1b, as Baseline writes it', sps(66, 0x10, 11, ...REST), ['baseline', 11, true, true]],
    ['of level 1b, as High writes it', sps(100, 0, 9, 1, 0, 0, '0', '0', ...REST), ['high', 11, true, true]],
    ['of High', sps(100, 0, 40, 1, 0, 0, '0', '0', ...REST), ['high', 40, true, true]],
    [
      'of High with scaling lists',
      // One list of four steps, then one whose next scale of zero ends it, then six that are not there.
      sps(100, 0, 40, 1, 0, 0, '0', '1', '1', ...Array(16).fill('1'), '1', '000010001', '000000', ...REST),
      ['high', 40, true, true],
    ],
    ['of High 10', sps(110, 0, 40, 1, 2, 2, '0', '0', ...REST), [null, 40, false, true]],
    ['of 4:2:2', sps(122, 0, 40, 2, 0, 0, '0', '0', ...REST), [null, 40, false, true]],
    ['of 4:4:4', sps(244, 0, 40, 3, '0', 0, 0, '0', '0', ...REST), [null, 40, false, true]],
    ['of interlaced pictures', sps(77, 0, 31, 0, 2, 1, '0', 44, 17, '0', '1', '1'), ['main', 31, true, false]],
    ['with its order of pictures in words', sps(77, 0, 31, 0, 0, 4, 1, '0', 79, 44, '1'), ['main', 31, true, true]],
    [
      'with its order of pictures in a cycle',
      sps(77, 0, 31, 0, 1, '0', 2, 1, 2, 3, 4, 1, '0', 79, 44, '1'),
      ['main', 31, true, true],
    ],
  ] as const) {
    it(name, () => {
      const { profile, levelIdc, isUsualFormat, isProgressive } = readSequenceParameters(unit)!;
      assert.deepEqual([profile, levelIdc, isUsualFormat, isProgressive], expected);
    });
  }

  it('that is cut off anywhere is none', () => {
    const whole = sps(100, 0, 40, 1, 0, 0, '0', '0', ...REST);
    for (let length = 0; length < 7; length++) assert.equal(readSequenceParameters(whole.subarray(0, length)), null);
  });

  it('attack: of nothing but zeros or ones ends', () => {
    for (const filler of [0, 0xff]) {
      assert.doesNotThrow(() => readSequenceParameters(Buffer.alloc(10_000, filler)));
      assert.doesNotThrow(() => readPictureParameters(Buffer.alloc(10_000, filler)));
    }
  });

  it('with a number that no set has is none', () => {
    assert.equal(readSequenceParameters(nalUnit(7, byte(77), byte(0), byte(31), 32, ...REST)), null);
    assert.equal(readPictureParameters(nalUnit(8, 256, 0, '0', '0', 0)), null);
  });
});

describe('a picture parameter set', () => {
  it('says whether there are slice groups', () => {
    assert.deepEqual(readPictureParameters(nalUnit(8, 3, 0, '1', '0', 0)), { id: 3, hasSliceGroups: false });
    assert.deepEqual(readPictureParameters(nalUnit(8, 0, 0, '0', '0', 1)), { id: 0, hasSliceGroups: true });
  });

  it('that is cut off is none', () => assert.equal(readPictureParameters(Buffer.of(0x68)), null));
});
