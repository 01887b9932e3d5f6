import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { joinNalUnits, readExtradata, splitNalUnits } from './nal-units.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const texts = (units: readonly Uint8Array[]) => units.map(unit => Buffer.from(unit).toString('hex'));

describe('NAL units are found', () => {
  for (const [name, data, lengthBytes, expected] of [
    ['after start codes of either length', '00000001 6701 000001 6802', null, ['6701', '6802']],
    ['without the zeros that trail them', '000001 650100 000001 4102 0000', null, ['6501', '4102']],
    ['not before the first start code', '6501 000001 6802', null, ['6802']],
    ['after their lengths in four bytes', '00000002 6701 00000003 650203', 4, ['6701', '650203']],
    ['after their lengths in two bytes', '0002 6701 0000 0001 65', 2, ['6701', '65']],
    ['up to a length that is longer than what is there', '0002 6701 0009 65', 2, ['6701']],
    ['not in nothing', '', 4, []],
    ['not in a length alone', '00000001', 4, []],
  ] as const) {
    it(name, () => assert.deepEqual(texts(splitNalUnits(hex(data), lengthBytes)), expected));
  }
});

describe('what a container keeps apart', () => {
  for (const [name, extradata, lengthBytes, expected] of [
    ['is nothing', null, null, []],
    ['is in Annex B', '00000001 6742 00000001 68ce', null, ['6742', '68ce']],
    ['is a configuration record', '01 42e01f ff e1 0002 6742 01 0002 68ce', 4, ['6742', '68ce']],
    [
      'is a record with lengths of two bytes and two sets',
      '01 42e01f fd e2 0002 6742 0002 6743 01 0001 68',
      2,
      ['6742', '6743', '68'],
    ],
    ['is a record that is cut off', '01 42e01f ff e1 0009 6742', 4, ['6742']],
    ['is a record without sets', '01 42e01f ff e0 00', 4, []],
  ] as const) {
    it(name, () => {
      const read = readExtradata(extradata === null ? null : hex(extradata));
      assert.deepEqual([read.lengthBytes, texts(read.units)], [lengthBytes, expected]);
    });
  }
});

it('NAL units are joined with start codes', () => {
  assert.equal(
    Buffer.from(joinNalUnits([hex('6701'), hex('65020304')])).toString('hex'),
    '0000000167010000000165020304',
  );
});
