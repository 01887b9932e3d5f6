import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConnectionLimits } from './connection-limits.ts';

describe('connections', () => {
  test('are admitted up to the limit of their source, and again when one has gone', () => {
    const limits = new ConnectionLimits({ total: 100, perSource: 2 });
    const [first] = [limits.admit('192.0.2.7'), limits.admit('192.0.2.7')];
    assert.equal(limits.admit('192.0.2.7'), null);
    assert.notEqual(limits.admit('192.0.2.8'), null);
    first!();
    assert.notEqual(limits.admit('192.0.2.7'), null);
    assert.equal(limits.admit('192.0.2.7'), null);
  });

  test('are admitted up to the limit of all', () => {
    const limits = new ConnectionLimits({ total: 2, perSource: 2 });
    const [first] = [limits.admit('192.0.2.1'), limits.admit('192.0.2.2')];
    assert.equal(limits.admit('192.0.2.3'), null);
    first!();
    assert.notEqual(limits.admit('192.0.2.3'), null);
  });

  test('of a proxy of ours are limited with all, and not for themselves', () => {
    const limits = new ConnectionLimits({ total: 3, perSource: 1 }, address => address === '192.0.2.3');
    assert.notEqual(limits.admit('192.0.2.7'), null);
    const [first, second] = [limits.admit('192.0.2.3'), limits.admit('192.0.2.3')];
    assert.equal(limits.admit('192.0.2.3'), null);
    first!();
    second!();
    assert.equal(limits.admit('192.0.2.7'), null);
    assert.notEqual(limits.admit('192.0.2.8'), null);
  });

  test('attack: one host with all the addresses of its IPv6 network', () => {
    const limits = new ConnectionLimits({ total: 100, perSource: 1 });
    assert.notEqual(limits.admit('2001:db8::1'), null);
    assert.equal(limits.admit('2001:db8::2:3'), null);
    assert.notEqual(limits.admit('2001:db8:0:1::1'), null);
  });
});
