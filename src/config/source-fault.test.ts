import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sourceFault } from '../transcoder/index.ts';
import { parseConfig } from './index.ts';

it('a source of a known kind that says something wrong is refused with the key, the fault and the remedy', () => {
  const text = 'channels: [{number: 1, name: a, source: "dvb://0?system=dvb-t&bandwidth=8#1"}]';
  const message = 'channels[0].source: dvb-t needs frequency; add frequency= and MHz, such as 586 or 11493.75';
  assert.throws(() => parseConfig(text, 'tv.yaml', { interfaces: {}, sourceKinds: ['dvb'], sourceFault }), {
    code: 'CONFIG_INVALID',
    detail: `tv.yaml:1:33: ${message}`,
  });
});
