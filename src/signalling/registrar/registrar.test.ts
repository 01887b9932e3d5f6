import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Subscriber } from '../admission/index.ts';
import type { Response } from '../message/index.ts';
import type { FakeClock } from '../testing.ts';
import type { Registrar } from './index.ts';
import { type Registration, TestRegistrar } from './testing.ts';

let clock: FakeClock;
let registrar: Registrar;
let tested: TestRegistrar;
beforeEach(() => {
  tested = new TestRegistrar();
  ({ clock, registrar } = tested);
});

const register = (registration: Registration, subscriber?: Subscriber): Response =>
  tested.register(subscriber === undefined ? registration : { ...registration, subscriber });

const bindings = (parts: Registration = {}) => register(parts).list('contact');

describe('a REGISTER', () => {
  test('is answered with all bindings of its address, and a To tag', () => {
    const first = register({ contacts: ['<sip:a@192.0.2.7>;expires=60'] });
    assert.deepEqual(
      [first.status, first.toTag, first.list('contact')],
      [200, 'ours', ['<sip:a@192.0.2.7>;expires=60']],
    );
    const second = register({ contacts: ['sip:b@192.0.2.8'], expires: '90', sequence: 2 });
    assert.deepEqual(second.list('contact'), ['<sip:a@192.0.2.7>;expires=60', '<sip:b@192.0.2.8>;expires=90']);
    assert.deepEqual(bindings({ to: '<sip:bob@example.org>' }), []);
    assert.equal(registrar.size, 1);
  });

  // RFC 3261 §10.3 item 5: an address of record is the URI without its parameters; hosts have no case.
  for (const to of [
    'sip:ann@EXAMPLE.org',
    '"A" <sip:%61nn@example.org:5060;transport=tcp>;x=y',
    '<sips:ann@example.org>',
  ]) {
    test(`of ${to} concerns the same address`, () => {
      register({ contacts: ['sip:a@192.0.2.7'] });
      assert.equal(bindings({ to }).length, 1);
    });
  }

  for (const [name, registration, seconds] of [
    ['by the parameter, before the header', { contacts: ['<sip:a@h>;expires=100'], expires: '200' }, 100],
    ['by the header', { contacts: ['<sip:a@h>'], expires: '200' }, 200],
    ['by nobody, then 600 s', { contacts: ['<sip:a@h>'] }, 600],
    ['by nonsense, then 600 s', { contacts: ['<sip:a@h>;expires=soon'] }, 600],
    ['for too long, then an hour', { contacts: ['<sip:a@h>;expires=4294967295'] }, 3_600],
    ['for the shortest time', { contacts: ['<sip:a@h>'], expires: '30' }, 30],
  ] as const) {
    test(`has its expiry set ${name}`, () =>
      assert.deepEqual(bindings(registration), [`<sip:a@h>;expires=${seconds}`]));
  }

  test('renews the binding that it names', () => {
    register({ contacts: ['<sip:a@h>;expires=60'] });
    clock.advance(50_000);
    assert.deepEqual(bindings({ contacts: ['<sip:a@h>;expires=60'], sequence: 2 }), ['<sip:a@h>;expires=60']);
    clock.advance(50_000);
    assert.deepEqual(bindings(), ['<sip:a@h>;expires=10']);
  });

  // RFC 3261 §19.1.4.
  for (const [before, after] of [
    ['<sip:%61@H;x=1>', '<sip:a@h>'],
    ['<sip:a@h;transport=TCP>', '<sip:a@H;Transport=tcp>'],
  ] as const) {
    test(`knows ${before} when it is written ${after}`, () => {
      register({ contacts: [before] });
      assert.deepEqual(bindings({ contacts: [after], sequence: 2 }), [`${after};expires=600`]);
      assert.deepEqual(bindings({ contacts: [`${before};expires=0`], sequence: 3 }), []);
    });
  }

  for (const [one, another] of [
    ['<sip:a@h>', '<sip:A@h>'],
    ['<sip:a@h>', '<sip:a@h:5060>'],
    ['<sip:a@h>', '<sips:a@h>'],
    ['<sip:a@h>', '<sip:a@h;transport=udp>'],
  ] as const) {
    test(`tells ${one} from ${another}`, () => {
      assert.equal(bindings({ contacts: [one, another] }).length, 2);
    });
  }

  test('is answered with the parameters of its Contacts as they were written', () => {
    const contact = '<sip:a@h>;Q=0.5;+sip.methods="INVITE";+x="a\\";b" ; y = 1';
    assert.deepEqual(bindings({ contacts: [`${contact};expires=60`] }), [
      '<sip:a@h>;Q=0.5;+sip.methods="INVITE";+x="a\\";b";y = 1;expires=60',
    ]);
  });

  for (const [name, contact] of [
    ['in front of the URI', 'a;b <sip:a@h>;c'],
    ['with a URI inside', '<sip:a@h>;x=<sip:b@h>;c'],
    ['without an end', '<sip:a@h>;c;x="'],
  ] as const) {
    test(`has what is no parameter left out, ${name}`, () => {
      assert.deepEqual(bindings({ contacts: [contact] }), ['<sip:a@h>;c;expires=600']);
    });
  }

  test('removes the binding that it gives no time', () => {
    register({ contacts: ['sip:a@h', 'sip:b@h'] });
    assert.deepEqual(bindings({ contacts: ['<sip:a@h>;expires=0'], sequence: 2 }), ['<sip:b@h>;expires=600']);
    assert.deepEqual(bindings({ contacts: ['<sip:b@h>'], expires: '0', sequence: 3 }), []);
    assert.equal(registrar.size, 0);
  });

  test('changes all that may be there, at once', () => {
    const contacts = (user: string, seconds: number) =>
      Array.from({ length: 8 }, (_, n) => `<sip:${user}${n}@h>;expires=${seconds}`);
    register({ contacts: contacts('a', 60) });
    const changed = [...contacts('b', 60), ...contacts('a', 0)];
    assert.deepEqual(bindings({ contacts: changed, sequence: 2 }), contacts('b', 60));
  });

  test('removes all of them with *', () => {
    register({ contacts: ['sip:a@h', 'sip:b@h'] });
    register({ to: 'sip:bob@example.org', contacts: ['sip:c@h'] });
    const response = register({ contacts: ['*'], expires: '0', sequence: 2 });
    assert.deepEqual([response.status, response.list('contact'), registrar.size], [200, [], 1]);
  });
});

test('a binding ends when its time is over, to the millisecond', () => {
  register({ contacts: ['<sip:a@h>;expires=30', '<sip:b@h>;expires=40'] });
  clock.advanceTo(29_001);
  assert.deepEqual(bindings(), ['<sip:a@h>;expires=1', '<sip:b@h>;expires=11']);
  clock.advanceTo(30_000);
  assert.deepEqual(bindings(), ['<sip:b@h>;expires=10']);
  assert.equal(registrar.size, 1);
  clock.advanceTo(40_000);
  assert.equal(registrar.size, 0);
});

describe('a REGISTER that changes nothing', () => {
  const before: Registration = { contacts: ['<sip:a@h>;expires=600'], callId: 'c', sequence: 5 };
  for (const [name, registration, status, reason] of [
    ['has * with an expiry', { contacts: ['*'], expires: '60' }, 400, 'Bad Contact *'],
    ['has * without expiry', { contacts: ['*'] }, 400, 'Bad Contact *'],
    ['has * with other contacts', { contacts: ['*', 'sip:b@h'], expires: '0' }, 400, 'Bad Contact *'],
    ['has a Contact that is no address', { contacts: ['sip:b@h', 'nonsense'] }, 400, 'Bad Contact'],
    ['has a To that is no SIP URI', { to: '<tel:+4930>', contacts: ['sip:b@h'] }, 400, 'Bad To'],
    ['wants too short a time', { contacts: ['sip:b@h', '<sip:c@h>;expires=29'] }, 423, 'Interval Too Brief'],
    [
      'is older than the last of its client',
      { contacts: ['sip:b@h', 'sip:a@h'], callId: 'c', sequence: 4 },
      500,
      'CSeq is out of order',
    ],
    [
      'has the number of the last of its client',
      { contacts: ['sip:a@h'], callId: 'c', sequence: 5 },
      500,
      'CSeq is out of order',
    ],
    [
      'removes all with an older number',
      { contacts: ['*'], expires: '0', callId: 'c', sequence: 5 },
      500,
      'CSeq is out of order',
    ],
    [
      'has too many contacts',
      { contacts: Array.from({ length: 8 }, (_, n) => `sip:${n}@h`) },
      403,
      'Too many contacts',
    ],
    [
      'has more of them than could be there and come',
      { contacts: Array.from({ length: 17 }, (_, n) => `<sip:${n}@h>;expires=0`) },
      403,
      'Too many contacts',
    ],
    ['has a longer one than is kept', { contacts: [`sip:${'b'.repeat(2_048)}@h`] }, 403, 'Contact too long'],
  ] as const) {
    test(`${name}: ${status}`, () => {
      register(before);
      const response = register(registration);
      assert.deepEqual([response.status, response.reason, response.toTag], [status, reason, 'ours']);
      assert.equal(response.get('min-expires'), status === 423 ? '30' : null);
      assert.deepEqual(bindings(), ['<sip:a@h>;expires=600']);
    });
  }

  test('may have an older number when it comes from another client', () => {
    register(before);
    assert.equal(register({ contacts: ['sip:a@h'], callId: 'other', sequence: 1 }).status, 200);
  });
});

test('beyond 50,000 addresses a new one is told to come back, until others have expired', () => {
  const user = (n: number) => `sip:user${n}@example.org`;
  for (let n = 0; n < 50_000; n++) register({ to: user(n), contacts: ['sip:a@h'], expires: '60' });
  const response = register({ to: 'sip:late@example.org', contacts: ['sip:a@h'] });
  assert.deepEqual([response.status, response.get('retry-after'), registrar.size], [503, '60', 50_000]);
  assert.equal(register({ to: user(1), contacts: ['sip:b@h'] }).status, 200);
  clock.advance(60_000);
  assert.equal(register({ to: 'sip:late@example.org', contacts: ['sip:a@h'] }).status, 200);
});

describe('a subscriber', () => {
  const ann: Subscriber = { user: 'ann', domain: 'example.org' };

  test('has one address, by whatever name of ours', () => {
    for (const [host, contact] of [
      ['example.org', 'sip:a@h'],
      ['192.0.2.1', 'sip:b@h'],
      ['tv.example.org', 'sip:c@h'],
    ] as const) {
      assert.equal(register({ to: `<sip:ann@${host}>`, contacts: [contact] }, ann).status, 200);
    }
    assert.equal(registrar.size, 1);
    assert.equal(register({}, ann).list('contact').length, 3);
  });

  for (const to of ['<sip:bob@example.org>', '<sip:example.org>', '<sip:Ann@example.org>']) {
    test(`may not register ${to}, nor remove what is there: 403`, () => {
      register({ to, contacts: ['sip:bob@h'] });
      for (const contacts of [['sip:ann@h'], ['*'], []]) {
        const response = register({ to, contacts, expires: '0', sequence: 2 }, ann);
        assert.deepEqual([response.status, response.list('contact')], [403, []]);
      }
      assert.deepEqual(bindings({ to }), ['<sip:bob@h>;expires=600']);
    });
  }
});
