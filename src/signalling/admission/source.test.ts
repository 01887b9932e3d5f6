import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback, sourceOf } from './source.ts';

for (const [address, source] of [
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8::2:3:4:5:6', '2001:db8:0:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
  ['1::2:3:4:192.0.2.7', '1:0:0:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
] as const) {
  test(`${address} is of ${source}`, () => assert.equal(sourceOf(address), source));
}

test('loopback is 127.0.0.0/8 and ::1', () => {
  assert.ok(['127.0.0.1', '127.9.9.9', '::1'].every(isLoopback));
  assert.ok(!['192.0.2.7', '128.0.0.1', '12.7.0.1', '::2', '::127.0.0.1'].some(isLoopback));
});
