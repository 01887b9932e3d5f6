import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDvbUrl } from './dvb-url.ts';
import { sourceFault } from './index.ts';

const CARD = ['--adapter', '0', '--frontend-number', '0', '--delsys'];

const TUNINGS: readonly [url: string, card: string, words: string, service: number | string, tuning: string[]][] = [
  [
    'dvb://0?system=dvb-t&frequency=586&bandwidth=8#770',
    ...(['0', 'dvb-t 586 MHz', 770] as const),
    [...CARD, 'DVBT', '--frequency', '586000000', '--bandwidth', '8'],
  ],
  [
    'dvb://0?plp=1&modulation=qam_256&bandwidth=7&frequency=191.5&system=dvb-t2#Das Erste HD',
    ...(['0', 'dvb-t2 191.5 MHz', 'Das Erste HD'] as const),
    [
      ...[...CARD, 'DVBT2', '--frequency', '191500000', '--bandwidth', '7'],
      ...['--modulation', 'qam_256', '--dvb-plp-id', '1'],
    ],
  ],
  [
    'dvb://0?system=dvb-c&frequency=346&symbolRate=6900&modulation=qam_256#28106',
    ...(['0', 'dvb-c 346 MHz', 28_106] as const),
    [...CARD, 'DVBC_ANNEX_A', '--frequency', '346000000', '--symbol-rate', '6900000', '--modulation', 'qam_256'],
  ],
  [
    'dvb://1/2?system=dvb-s&frequency=11836.5&polarisation=h&symbolRate=27500#CANAL+',
    ...(['1/2', 'dvb-s 11836.5 MHz h', 'CANAL+'] as const),
    [
      ...['--adapter', '1', '--frontend-number', '2', '--delsys', 'DVBS'],
      ...['--frequency', '11836500', '--symbol-rate', '27500000', '--voltage', '18'],
    ],
  ],
  [
    'dvb://0?system=dvb-s2&frequency=11494&polarisation=v&symbolRate=22000&modulation=psk_8&satellite=2#Arte%20HD',
    ...(['0', 'dvb-s2 11494 MHz v', 'Arte HD'] as const),
    [
      ...[...CARD, 'DVBS2', '--frequency', '11494000', '--symbol-rate', '22000000', '--voltage', '13'],
      ...['--modulation', 'psk_8', '--diseqc', '2'],
    ],
  ],
  [
    'dvb:udp://239.10.0.1:5000?localaddr=192.0.2.10#1',
    ...(['239.10.0.1:5000', 'udp 239.10.0.1:5000', 1] as const),
    ['--rtp-input', '239.10.0.1:5000/udp/ifaddr=192.0.2.10'],
  ],
  [
    'dvb:rtp://192.0.2.1:5004#100 % TV',
    ...(['192.0.2.1:5004', 'rtp 192.0.2.1:5004', '100 % TV'] as const),
    ['--rtp-input', '192.0.2.1:5004'],
  ],
];

describe('a dvb: URL', () => {
  for (const [url, card, words, service, tuning] of TUNINGS) {
    it(`${url} is tuned to ${words}`, () => {
      const hasSignal = url.startsWith('dvb://');
      assert.deepEqual(parseDvbUrl(url), { card, hasSignal, tuning, words, service });
      assert.equal(sourceFault(url), null);
    });
  }

  const T = 'dvb://0?system=dvb-t';
  const FAULTS: readonly [url: string, fault: RegExp, remedy: RegExp][] = [
    [`${T}&frequency=586&bandwidth=8`, /names no programme/, /end it with # and a service id/],
    [`${T}&frequency=586&bandwidth=8#`, /names no programme/, /e\.g\. dvb:/],
    [`${T}&frequency=586&bandwidth=8#0`, /names no programme/, /1 to 65535/],
    [`${T}&frequency=586&bandwidth=8#65536`, /names no programme/, /1 to 65535/],
    ['dvb:#1', /neither a card nor a place/, /like dvb:\/\/0\?.*, or dvb:udp:/],
    ['dvb://card?system=dvb-t#1', /no card's number/, /like dvb:\/\/0/],
    ['dvb://0;reboot?system=dvb-t#1', /no card's number/, /like dvb:\/\/0/],
    ['dvb://0?frequency=586#1', /names no delivery system/, /system= and one of dvb-t, dvb-t2, dvb-c, dvb-s, dvb-s2/],
    ['dvb://0?system=constructor#1', /constructor is no delivery system/, /one of dvb-t/],
    [`${T}&bandwidth=8#1`, /dvb-t needs frequency/, /add frequency= and MHz/],
    [`${T}&frequency=586#1`, /dvb-t needs bandwidth/, /MHz, 5 to 10/],
    [`${T}&frequency=586000000&bandwidth=8#1`, /586000000 is no frequency/, /MHz, such as 586/],
    [`${T}&frequency=586&bandwidth=8&symbolRate=6900#1`, /dvb-t has no parameter symbolRate/, /frequency, bandwidth/],
    [`${T}&frequency=586&bandwidth=8&modulation=-h#1`, /-h is no modulation/, /one of qam_16/],
    ['dvb://0?system=dvb-s2&frequency=11494&symbolRate=22000&polarisation=h#1', /needs modulation/, /psk_8/],
    ['dvb://0?system=dvb-s&frequency=11494&symbolRate=22000&polarisation=x#1', /x is no polarisation/, /h, v, l or r/],
    ['dvb:udp://239.10.0.1#1', /neither a card nor a place/, /dvb:udp:/],
    ['dvb:udp://239.10.0.256:5000#1', /neither a card nor a place/, /dvb:udp:/],
    ['dvb:udp://239.10.0.1:70000#1', /neither a card nor a place/, /dvb:udp:/],
    ['dvb:udp://239.10.0.1:5000/ttl=9#1', /neither a card nor a place/, /dvb:udp:/],
  ];
  for (const [url, fault, remedy] of FAULTS) {
    it(`${url} is refused with what to write instead`, () => {
      const found = sourceFault(url);
      assert.ok(found !== null);
      assert.match(found.fault, fault);
      assert.match(found.remedy, remedy);
    });
  }

  it('is the only source that is looked at here', () => assert.equal(sourceFault('file:dvb'), null));
});
