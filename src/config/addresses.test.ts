import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { describe, it } from 'node:test';
import { announcedAddresses } from './addresses.ts';

function info(address: string, internal = false): NetworkInterfaceInfo {
  const rest = { address, netmask: '', mac: '', internal, cidr: null };
  return address.includes(':') ? { ...rest, family: 'IPv6', scopeid: 0 } : { ...rest, family: 'IPv4' };
}

/** Worst first, so that an order that is right was made. */
const INTERFACES = {
  lo: [info('::1', true), info('127.0.0.1', true)],
  eth0: [info('fe80::1'), info('2001:db8::7'), info('192.0.2.7')],
  wlan0: [info('169.254.3.4'), info('198.51.100.9')],
  down: undefined,
};

const CASES: readonly { name: string; configured: string | string[]; announced: string[] }[] = [
  {
    name: 'auto is every address: IPv4 before IPv6, loopback last, link-local ones left out',
    configured: 'auto',
    announced: ['192.0.2.7', '198.51.100.9', '2001:db8::7', '127.0.0.1', '::1'],
  },
  { name: 'one address is that one alone', configured: '203.0.113.5', announced: ['203.0.113.5'] },
  {
    name: 'a list keeps its order',
    configured: ['2001:db8::9', '203.0.113.5'],
    announced: ['2001:db8::9', '203.0.113.5'],
  },
];

describe('addresses announced to viewers', () => {
  for (const { name, configured, announced } of CASES) {
    it(name, () => assert.deepEqual(announcedAddresses(configured, INTERFACES), announced));
  }

  for (const address of ['fe80::1', 'FE80::1', 'feb0::1', '169.254.0.1']) {
    it(`${address} is link-local`, () => assert.deepEqual(announcedAddresses('auto', { eth0: [info(address)] }), []));
  }

  for (const address of ['fec0::1', 'fd00::1', '169.253.0.1']) {
    it(`${address} is not`, () => assert.deepEqual(announcedAddresses('auto', { eth0: [info(address)] }), [address]));
  }
});
