import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWithin, parseNetwork } from './networks.ts';

describe('a network', () => {
  for (const [text, network] of [
    ['192.0.2.7', { address: '192.0.2.7', prefixLength: 32, family: 'ipv4' }],
    ['192.0.2.0/24', { address: '192.0.2.0', prefixLength: 24, family: 'ipv4' }],
    ['0.0.0.0/0', { address: '0.0.0.0', prefixLength: 0, family: 'ipv4' }],
    ['2001:db8::1', { address: '2001:db8::1', prefixLength: 128, family: 'ipv6' }],
    ['2001:DB8::/32', { address: '2001:DB8::', prefixLength: 32, family: 'ipv6' }],
  ] as const) {
    it(`is ${text}`, () => assert.deepEqual(parseNetwork(text), network));
  }

  for (const text of [
    '',
    'kamailio',
    '192.0.2',
    '192.0.2.7/33',
    '192.0.2.7/',
    '2001:db8::/129',
    'fe80::1%eth0',
    '/8',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(parseNetwork(text), null));
  }
});

describe('an address', () => {
  const isOurs = isWithin(['192.0.2.7', '198.51.100.66/28', '2001:db8:1::/48', 'fe80::1']);
  for (const [address, within] of [
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['198.51.100.64', true],
    ['198.51.100.79', true],
    ['198.51.100.80', false],
    ['2001:db8:1:ffff::1', true],
    ['2001:db8:2::1', false],
    ['fe80::1%eth0', true],
    ['not an address', false],
  ] as const) {
    it(`${address} is ${within ? 'within' : 'without'}`, () => assert.equal(isOurs(address), within));
  }

  it('is in no network when there is none', () => assert.equal(isWithin([])('127.0.0.1'), false));
});
