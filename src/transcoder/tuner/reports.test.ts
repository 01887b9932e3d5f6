import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseServices, parseSignal } from './reports.ts';

const frontend = (...lines: readonly string[]) =>
  ['<FRONTEND>', ' <TYPE type="OFDM"/>', ...lines.map(line => ` ${line}`), '</FRONTEND>', ''].join('\n');

describe('the state of a frontend', () => {
  it('with a lock has the figures of its driver', () => {
    const xml = frontend(
      ...['<STATUS status="HAS_SIGNAL"/>', '<STATUS status="HAS_LOCK"/>', '<VALUE bit_error_rate="12"/>'],
      ...['<VALUE signal_strength="43690"/>', '<VALUE SNR="291"/>'],
    );
    assert.deepEqual(parseSignal(xml), { locked: true, strength: 43_690, snr: 291, bitErrorRate: 12 });
  });

  it('without a lock has none', () => {
    const xml = frontend('<STATUS status="HAS_SIGNAL"/>');
    assert.deepEqual(parseSignal(xml), { locked: false, strength: null, snr: null, bitErrorRate: null });
  });

  for (const xml of ['', '<ERROR msg="No data"/>\n']) {
    it(`is not known from ${JSON.stringify(xml)}`, () => assert.equal(parseSignal(xml), null));
  }
});

describe('the services of a multiplex', () => {
  it('are named by their ids', () => {
    const xml = [
      '<SDT tid="66" tsid="1" version="0" current_next="1" onid="65281">',
      '<SERVICE sid="101" eit_schedule="0" eit_pf="0" running="4" free_CA="0">',
      '<DESC id="0x48" length="12" value="010646466d706567034f6e65">',
      '<SERVICE_DESC type="0x1" provider="FFmpeg" service="Rock &amp; &lt;Pop&gt; "/>',
      '</DESC>',
      '</SERVICE>',
      '<SERVICE sid="102" eit_schedule="0" eit_pf="0" running="4" free_CA="0">',
      '</SERVICE>',
      '</SDT>',
    ].join('\n');
    assert.deepEqual(
      parseServices(xml),
      new Map([
        [101, 'Rock & <Pop>'],
        [102, ''],
      ]),
    );
  });

  it('can be none', () => assert.deepEqual(parseServices('<SDT tid="66">\n</SDT>'), new Map()));

  it('are not known before the table has come', () => assert.equal(parseServices('<ERROR msg="No data"/>'), null));
});
