import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LocalAddresses } from './local-address.ts';

const networkInterface = (address: string, bits: number, internal = false) => ({
  address,
  netmask: '',
  mac: '',
  internal,
  cidr: `${address}/${bits}`,
  ...(address.includes(':') ? { family: 'IPv6' as const, scopeid: 0 } : { family: 'IPv4' as const }),
});

const HOST = {
  lo: [networkInterface('127.0.0.1', 8, true), networkInterface('::1', 128, true)],
  eth0: [networkInterface('203.0.113.5', 24), networkInterface('2001:db8:1::5', 64), networkInterface('fe80::5', 64)],
  eth1: [networkInterface('10.1.0.5', 16)],
};

const addresses = (interfaces: Parameters<typeof LocalAddresses.prototype.towards>[0] | object = HOST) =>
  new LocalAddresses(
    () => interfaces as typeof HOST,
    () => 0,
  );

describe('the address at which a peer reaches us', () => {
  for (const [name, remote, bound, expected] of [
    ['is the one that we are bound to', '10.1.2.3', '203.0.113.5', '203.0.113.5'],
    ['is ours in the subnet of the peer', '10.1.2.3', '0.0.0.0', '10.1.0.5'],
    ['is ours itself for a peer on this host', '127.0.0.9', '0.0.0.0', '127.0.0.1'],
    ['is the first that is not loopback for a peer elsewhere', '198.51.100.1', '0.0.0.0', '203.0.113.5'],
    ['is an IPv6 address for an IPv6 peer', '2001:db8:1::9', '::', '2001:db8:1::5'],
    ['is a link-local one for a link-local peer', 'fe80::9%eth0', '::', 'fe80::5'],
    ['is the first IPv6 one for an IPv6 peer elsewhere', '2001:db8:2::1', '::', '2001:db8:1::5'],
  ] as const) {
    test(name, () => assert.equal(addresses().towards(remote, bound), expected));
  }

  test('is loopback when there is nothing else, and what we are bound to when there is nothing', () => {
    assert.equal(addresses({ lo: HOST.lo }).towards('198.51.100.1', '0.0.0.0'), '127.0.0.1');
    assert.equal(addresses({}).towards('198.51.100.1', '0.0.0.0'), '0.0.0.0');
  });

  test('is looked for anew after ten seconds', () => {
    let nowMs = 0;
    let interfaces: object = HOST;
    const locals = new LocalAddresses(
      () => interfaces as typeof HOST,
      () => nowMs,
    );
    const towards = () => locals.towards('198.51.100.1', '0.0.0.0');
    assert.equal(towards(), '203.0.113.5');
    interfaces = { eth1: HOST.eth1 };
    nowMs = 9_999;
    assert.equal(towards(), '203.0.113.5');
    nowMs = 10_000;
    assert.equal(towards(), '10.1.0.5');
  });
});
