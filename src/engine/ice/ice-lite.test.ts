import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Path } from '../native.ts';
import { ATTRIBUTE } from './attributes.ts';
import { buildStun, type StunAttribute, xorMappedAddress } from './build.ts';
import { IceLite, stunUsername } from './index.ts';
import { isAuthentic, parseStun } from './message.ts';

const PASSWORD = 'local-password-of-24-chars';
const TRANSACTION_ID = Buffer.from('0102030405060708090a0b0c', 'hex');
const WIFI: Path = { remoteAddress: '192.0.2.7', remotePort: 50_000, localAddress: '192.0.2.1' };
const MOBILE: Path = { remoteAddress: '2001:db8::7', remotePort: 50_001, localAddress: '2001:db8::1' };

const agent = () => new IceLite({ localUfrag: 'ours', localPwd: PASSWORD, remoteUfrag: 'theirs', nowMs: 0 });

interface Check {
  readonly username?: string | null;
  readonly password?: string | null;
  readonly priority?: boolean;
  readonly role?: 'controlling' | 'controlled';
  readonly nominate?: boolean;
  readonly class?: 'request' | 'indication' | 'success';
  readonly more?: readonly StunAttribute[];
}

function check(options: Check = {}): Buffer {
  const { username = 'ours:theirs', password = PASSWORD, priority = true, role = 'controlling' } = options;
  const attributes: StunAttribute[] = [...(options.more ?? [])];
  if (username !== null) attributes.push({ type: ATTRIBUTE.username, value: Buffer.from(username) });
  if (priority) attributes.push({ type: ATTRIBUTE.priority, value: Buffer.alloc(4, 1) });
  const roleType = role === 'controlling' ? ATTRIBUTE.iceControlling : ATTRIBUTE.iceControlled;
  attributes.push({ type: roleType, value: Buffer.alloc(8, 2) });
  if (options.nominate) attributes.push({ type: ATTRIBUTE.useCandidate, value: Buffer.alloc(0) });
  return buildStun({ class: options.class ?? 'request', transactionId: TRANSACTION_ID, attributes, password });
}

function read(response: Buffer | null) {
  assert.ok(response);
  const message = parseStun(response);
  assert.ok(message);
  assert.deepEqual(message.transactionId, TRANSACTION_ID);
  return { ...message, authentic: isAuthentic(response, message, PASSWORD) };
}

describe('an authentic check', () => {
  for (const path of [WIFI, MOBILE]) {
    test(`from ${path.remoteAddress} is answered with that address, signed`, () => {
      const { response, valid, selected } = agent().receive(check(), path, 0);
      const { class: messageClass, authentic } = read(response);
      assert.deepEqual([messageClass, authentic, valid, selected], ['success', true, true, null]);
      const { value } = xorMappedAddress(path.remoteAddress, path.remotePort, TRANSACTION_ID);
      assert.ok(response?.includes(value));
    });
  }

  test('that nominates selects its path, once', () => {
    const ice = agent();
    assert.deepEqual(ice.receive(check({ nominate: true }), WIFI, 0).selected, WIFI);
    assert.equal(ice.receive(check({ nominate: true }), { ...WIFI }, 1).selected, null);
    assert.deepEqual(ice.selected, WIFI);
  });

  test('that nominates another path moves the stream there; one that does not leaves it', () => {
    const ice = agent();
    ice.receive(check({ nominate: true }), WIFI, 0);
    assert.equal(ice.receive(check(), MOBILE, 1).selected, null);
    assert.deepEqual(ice.selected, WIFI);
    assert.deepEqual(ice.receive(check({ nominate: true }), MOBILE, 2).selected, MOBILE);
  });

  test('without a role, as of an agent before RFC 5245, is still a check', () => {
    const attributes = [
      { type: ATTRIBUTE.username, value: Buffer.from('ours:theirs') },
      { type: ATTRIBUTE.priority, value: Buffer.alloc(4) },
    ];
    const datagram = buildStun({ class: 'request', transactionId: TRANSACTION_ID, attributes, password: PASSWORD });
    assert.equal(agent().receive(datagram, WIFI, 0).valid, true);
  });
});

describe('refusals', () => {
  const unknown = { type: 0x7777, value: Buffer.alloc(0) };
  for (const [name, datagram, code, authentic] of [
    ['no USERNAME', check({ username: null }), 400, false],
    ['no MESSAGE-INTEGRITY', check({ password: null }), 400, false],
    ['no PRIORITY', check({ priority: false }), 400, true],
    ['an attribute that must be understood', check({ more: [unknown] }), 420, true],
    ['a peer that claims to be controlled', check({ role: 'controlled' }), 487, true],
  ] as const) {
    test(`${name}: ${code}`, () => {
      const { response, valid } = agent().receive(datagram, WIFI, 0);
      const error = read(response);
      assert.deepEqual([error.class, error.errorCode, error.authentic, valid], ['error', code, authentic, false]);
    });
  }

  test('420 names the attribute', () => {
    const { response } = agent().receive(check({ more: [unknown] }), WIFI, 0);
    assert.ok(response?.includes(Buffer.from('000a00027777', 'hex')));
  });
});

describe('consent', () => {
  test('ends when no check came for 30 seconds', () => {
    const ice = agent();
    assert.equal(ice.expired(30_000), false);
    assert.equal(ice.expired(30_001), true);
  });

  test('is given again by each authentic check', () => {
    const ice = agent();
    ice.receive(check(), WIFI, 20_000);
    assert.equal(ice.expired(50_000), false);
    assert.equal(ice.expired(50_001), true);
  });
});

describe('attacks', () => {
  const unauthentic: [name: string, datagram: Buffer][] = [
    ['an unauthenticated binding request', check({ password: null, nominate: true })],
    [
      'a bare binding request',
      buildStun({ class: 'request', transactionId: TRANSACTION_ID, attributes: [], password: null }).subarray(0, 28),
    ],
    ['a wrong password', check({ password: 'guess', nominate: true })],
    ["the password of the other side's fragment", check({ username: 'theirs:ours', nominate: true })],
    ['a wrong username', check({ username: 'ours:stranger', nominate: true })],
    ['an indication', check({ class: 'indication', nominate: true })],
    ['a response that nobody asked for', check({ class: 'success', nominate: true })],
    ['a truncated check', check({ nominate: true }).subarray(0, 60)],
    ['an oversized check', check({ nominate: true, more: [{ type: 0x8022, value: Buffer.alloc(1300) }] })],
  ];
  for (const [name, datagram] of unauthentic) {
    test(`${name} leaves no state: no path, no consent`, () => {
      const ice = agent();
      const { valid, selected } = ice.receive(datagram, WIFI, 20_000);
      assert.deepEqual([valid, selected, ice.selected, ice.expired(30_001)], [false, null, null, true]);
    });

    test(`${name} is not amplified`, () => {
      const { response } = agent().receive(datagram, WIFI, 0);
      assert.ok((response?.length ?? 0) <= datagram.length);
    });
  }

  test('a wrong password and a wrong username get the same 401', () => {
    const password = read(agent().receive(check({ password: 'guess' }), WIFI, 0).response);
    const username = read(agent().receive(check({ username: 'ours:stranger' }), WIFI, 0).response);
    assert.deepEqual(password, username);
    assert.deepEqual([password.errorCode, password.authentic], [401, false]);
  });

  test('a nomination appended behind the signature is not read', () => {
    const attributes = [
      { type: ATTRIBUTE.username, value: Buffer.from('ours:theirs') },
      { type: ATTRIBUTE.priority, value: Buffer.alloc(4) },
    ];
    const signed = buildStun({ class: 'request', transactionId: TRANSACTION_ID, attributes, password: PASSWORD });
    const appended = Buffer.concat([signed.subarray(0, -8), Buffer.from('00250000', 'hex')]);
    appended.writeUInt16BE(appended.length - 20, 2);
    const { valid, selected } = agent().receive(appended, WIFI, 0);
    assert.deepEqual([valid, selected], [true, null]);
  });
});

describe('the user name by which a check finds its agent', () => {
  test('is read from a request', () => assert.equal(stunUsername(check()), 'ours:theirs'));
  test('is not read from a response', () => assert.equal(stunUsername(check({ class: 'success' })), null));
  test('is null where there is none', () => assert.equal(stunUsername(check({ username: null })), null));
  test('is null for what is no STUN', () => assert.equal(stunUsername(Buffer.from('hello')), null));
});
