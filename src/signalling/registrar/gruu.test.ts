import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { parseUri, type Response } from '../message/index.ts';
import { Gruus } from './gruu.ts';
import { contactsOf, type Registration, TestRegistrar } from './testing.ts';

let tested: TestRegistrar;
beforeEach(() => {
  tested = new TestRegistrar();
});

// RFC 5627 §9.
const URN = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const CALLEE: Registration = {
  to: 'Callee <sip:callee@example.com>',
  callId: '1j9FpLxk3uxtm8tn@192.0.2.1',
  supported: 'gruu',
  contacts: [`<sip:callee@192.0.2.1>;+sip.instance="<${URN}>"`],
};
const OTHER = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf7';

const find = (uri: string) => tested.registrar.find(uri).map(target => target.uri);

function gruusOf(response: Response): { permanent: string; temporary: string } {
  const { parameters } = contactsOf(response).at(-1)!;
  return { permanent: parameters.get('pub-gruu')!, temporary: parameters.get('temp-gruu')! };
}

describe('a device that registers', () => {
  test('gets a public and a temporary URI, and both lead to it', () => {
    tested.register({ ...CALLEE, contacts: [`<sip:callee@192.0.2.9>;+sip.instance="<${OTHER}>"`] });
    const response = tested.register({ ...CALLEE, sequence: 2 });
    assert.match(response.get('contact')!, /;\+sip\.instance="<urn:uuid:[^"]*>";expires=600;pub-gruu="sip:[^"]*"/);
    const { permanent, temporary } = gruusOf(response);
    assert.equal(permanent, `sip:callee@example.com;gr=${URN}`);
    assert.match(temporary, /^sip:tgruu\.[\w-]{40,100}@example\.com;gr$/);
    assert.deepEqual([find(permanent), find(temporary)], [['sip:callee@192.0.2.1'], ['sip:callee@192.0.2.1']]);
    assert.deepEqual(find('sip:callee@example.com'), ['sip:callee@192.0.2.1', 'sip:callee@192.0.2.9']);
  });

  for (const [name, registration] of [
    ['does not know of them', { ...CALLEE, supported: 'path' }],
    ['does not say which device it is', { ...CALLEE, contacts: ['<sip:callee@192.0.2.1>'] }],
  ] as const) {
    test(`gets none when it ${name}`, () => {
      const response = tested.register(registration);
      assert.equal(response.status, 200);
      assert.doesNotMatch(response.get('contact')!, /gruu/);
    });
  }

  for (const [name, registration, permanent] of [
    ['has a SIPS Contact', { contacts: [`<sips:a@h>;+sip.instance="<${URN}>"`] }, `sips:callee@example.com;gr=${URN}`],
    ['is called at a port', { to: '<sip:callee@[2001:db8::1]:5070>' }, `sip:callee@[2001:db8::1]:5070;gr=${URN}`],
    ['has a name with odd letters', { to: '<sip:a%20%22b@example.com>' }, `sip:a%20%22b@example.com;gr=${URN}`],
    ['has no name', { to: '<sip:example.com>' }, `sip:example.com;gr=${URN}`],
    [
      'is a subscriber, who has one domain',
      { to: '<sip:callee@192.0.2.99>', subscriber: { user: 'callee', domain: 'tv.example.com' } },
      `sip:callee@tv.example.com;gr=${URN}`,
    ],
    [
      'is no UUID',
      { contacts: ['<sip:a@h>;+sip.instance="<urn:example:Box;1>"'] },
      'sip:callee@example.com;gr=urn:example:Box%3B1',
    ],
  ] as const satisfies readonly (readonly [string, Registration, string])[]) {
    test(`and ${name}: ${permanent}`, () => {
      const gruus = gruusOf(tested.register({ ...CALLEE, ...registration }));
      assert.equal(gruus.permanent, permanent);
      assert.equal(parseUri(gruus.temporary)?.host, parseUri(permanent)?.host);
      assert.equal(find(gruus.permanent).length, 1);
      assert.equal(find(gruus.temporary).length, 1);
    });
  }

  test('may write its instance in capitals', () => {
    tested.register({ ...CALLEE, contacts: [`<sip:callee@192.0.2.1>;+sip.instance="<${URN.toUpperCase()}>"`] });
    assert.equal(find(`sip:callee@example.com;gr=${URN}`).length, 1);
    assert.equal(find(`sip:callee@example.com;gr=${URN.toUpperCase()}`).length, 1);
  });

  test('has what it says of its own GRUUs forgotten', () => {
    const contacts = [`${CALLEE.contacts![0]};pub-gruu="sip:eve@example.com;gr=x";temp-gruu="sip:eve@example.com;gr"`];
    assert.doesNotMatch(tested.register({ ...CALLEE, contacts }).get('contact')!, /eve/);
  });
});

describe('a temporary URI', () => {
  test('is another one with each refresh, and the older ones go on working', () => {
    const first = gruusOf(tested.register(CALLEE)).temporary;
    const second = gruusOf(tested.register({ ...CALLEE, sequence: 2 })).temporary;
    assert.notEqual(first, second);
    assert.deepEqual([find(first).length, find(second).length], [1, 1]);
  });

  test('ends when the device registers with another Call-ID', () => {
    const first = gruusOf(tested.register(CALLEE));
    const second = gruusOf(tested.register({ ...CALLEE, callId: 'another' }));
    assert.deepEqual([find(first.temporary).length, find(second.temporary).length], [0, 1]);
    assert.equal(find(first.permanent).length, 1);
  });

  test('ends with the registration, to the millisecond', () => {
    const { temporary, permanent } = gruusOf(tested.register({ ...CALLEE, expires: '60' }));
    tested.clock.advance(59_999);
    assert.deepEqual([find(temporary).length, find(permanent).length], [1, 1]);
    tested.clock.advance(1);
    assert.deepEqual([find(temporary).length, find(permanent).length], [0, 0]);
    tested.register({ ...CALLEE, sequence: 2 });
    assert.deepEqual([find(temporary).length, find(permanent).length], [0, 1]);
  });

  test('says nothing of whose it is, nor do two of them that they are of the same', () => {
    const urls = [1, 2].map(sequence => gruusOf(tested.register({ ...CALLEE, sequence })).temporary);
    const texts = urls.map(uri => Buffer.from(parseUri(uri)!.user.slice('tgruu.'.length), 'base64url'));
    for (const text of texts) assert.ok(!text.includes('callee'));
    // The address at the end of both is the same.
    const [first, second] = texts.map(text => text.subarray(-'callee@example.com'.length));
    assert.notDeepEqual(first, second);
  });

  test('is not there for whoever guesses', () => {
    const { temporary } = gruusOf(tested.register(CALLEE));
    const { user } = parseUri(temporary)!;
    const bytes = Buffer.from(user.slice('tgruu.'.length), 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const forged = Buffer.from(bytes);
      forged[at]! ^= 1;
      assert.deepEqual(find(`sip:tgruu.${forged.toString('base64url')}@example.com;gr`), []);
    }
    for (const guess of ['tgruu.', 'tgruu.AAAA', `tgruu.${'A'.repeat(80)}`, 'callee', user.slice(0, -2), `x${user}`]) {
      assert.deepEqual(find(`sip:${guess}@example.com;gr`), []);
    }
    // Another server's is not ours.
    const foreign = new Gruus(Buffer.alloc(32, 8));
    const aor = { user: 'callee', domain: 'example.com' };
    assert.deepEqual(find(foreign.temporaryUri(aor, 'sip', { address: 'callee@example.com', serial: 1 }, 1)), []);
  });

  test('leads to every flow of its device', () => {
    const flow = (regId: number): Registration => ({
      ...CALLEE,
      supported: 'gruu, outbound',
      contacts: [`<sip:callee@192.0.2.1>;reg-id=${regId};+sip.instance="<${URN}>"`],
      sequence: regId,
    });
    tested.register(flow(1));
    assert.equal(find(gruusOf(tested.register(flow(2))).temporary).length, 2);
  });
});

describe('a Contact that leads back to its own address: 403', () => {
  const withInstance = (uri: string) => [`<${uri}>;+sip.instance="<${OTHER}>"`];
  for (const [name, uri] of [
    ['the address itself', () => 'sip:callee@EXAMPLE.com'],
    ['its public GRUU', () => `sip:callee@example.com;gr=${URN}`],
    ['its temporary GRUU', () => gruusOf(tested.register(CALLEE)).temporary],
  ] as const) {
    test(name, () => {
      const contacts = withInstance(uri());
      const response = tested.register({ ...CALLEE, contacts, sequence: 2 });
      assert.deepEqual([response.status, response.reason], [403, 'Contact leads back']);
      assert.equal(tested.register({ ...CALLEE, contacts: [`${contacts[0]};expires=0`], sequence: 3 }).status, 200);
    });
  }

  for (const [name, uri] of [
    ['the GRUU of somebody else', () => `sip:bob@example.com;gr=${URN}`],
    ['what only looks like a GRUU', () => 'sip:tgruu.AAAA@example.com;gr'],
  ] as const) {
    test(`but not ${name}`, () => {
      assert.equal(tested.register({ ...CALLEE, contacts: withInstance(uri()) }).status, 200);
    });
  }
});
