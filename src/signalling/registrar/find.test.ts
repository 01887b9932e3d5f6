import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { TestRegistrar } from './testing.ts';

let tested: TestRegistrar;
beforeEach(() => {
  tested = new TestRegistrar();
});

const find = (uri: string) => tested.registrar.find(uri).map(target => target.uri);

describe('where a request goes', () => {
  test('to those that want it most, and of those to the ones that registered last', () => {
    const contacts = ['<sip:a@h>;q=0.5', '<sip:b@h>', '<sip:c@h>;q=1.0', '<sip:d@h>;q=0', '<sip:e@h>;q=0.5'];
    for (const [index, contact] of contacts.entries()) tested.register({ contacts: [contact], sequence: index + 1 });
    assert.deepEqual(
      tested.registrar.find('sip:ann@example.org').map(({ uri, q }) => [uri, q]),
      [
        ['sip:c@h', 1],
        ['sip:b@h', 1],
        ['sip:e@h', 0.5],
        ['sip:a@h', 0.5],
        ['sip:d@h', 0],
      ],
    );
    tested.register({ contacts: ['<sip:a@h>;q=0.5'], sequence: 9 });
    assert.deepEqual(find('sip:ann@example.org').slice(2, 4), ['sip:a@h', 'sip:e@h']);
  });

  for (const q of ['2', '0.1234', '-1', 'much', '']) {
    test(`a q of ${JSON.stringify(q)} says nothing`, () => {
      tested.register({ contacts: [`<sip:a@h>;q="${q}"`] });
      assert.equal(tested.registrar.find('sip:ann@example.org')[0]?.q, 1);
    });
  }

  for (const uri of ['sip:ann@EXAMPLE.org', 'sips:%61nn@example.org:5061;transport=tls']) {
    test(`${uri} is the same address`, () => {
      tested.register({ contacts: ['<sip:a@h>'] });
      assert.deepEqual(find(uri), ['sip:a@h']);
    });
  }

  for (const uri of [
    'sip:bob@example.org',
    'sip:ann@example.com',
    'tel:+4930',
    'nonsense',
    'sip:ann@example.org;gr=x',
  ]) {
    test(`for ${uri} nobody is there`, () => {
      tested.register({ contacts: ['<sip:a@h>'] });
      assert.deepEqual(find(uri), []);
    });
  }

  test('not to a contact that SIP does not reach', () => {
    tested.register({ contacts: ['<mailto:ann@example.org>', '<sip:a@h>'] });
    assert.deepEqual(find('sip:ann@example.org'), ['sip:a@h']);
    assert.equal(tested.bindings().length, 2);
  });

  test('to a subscriber by its domain', () => {
    const subscriber = { user: 'ann', domain: 'tv.example.org' };
    tested.register({ to: '<sip:ann@192.0.2.1>', contacts: ['<sip:a@h>'], subscriber });
    assert.deepEqual([find('sip:ann@tv.example.org'), find('sip:ann@192.0.2.1')], [['sip:a@h'], []]);
  });

  test('no longer to one that has expired', () => {
    tested.register({ contacts: ['<sip:a@h>;expires=30', '<sip:b@h>;expires=40'] });
    tested.clock.advance(29_999);
    assert.equal(find('sip:ann@example.org').length, 2);
    tested.clock.advance(1);
    assert.deepEqual(find('sip:ann@example.org'), ['sip:b@h']);
  });
});
