import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WatchedTarget } from '../types.ts';
import { dialogInfo, type EventPackage, presence } from './index.ts';
import { readXml, type Tree } from './testing.ts';
import { element, xmlDocument } from './xml.ts';

const ENTITY = 'sip:news@tv.example';
const CLOSED: WatchedTarget = { name: 'news', isOpen: false, title: 'News', viewers: 0, calls: [] };

const read = (eventPackage: EventPackage, target: Partial<WatchedTarget>, subscriber: string | null = null): Tree =>
  readXml(eventPackage.document({ ...CLOSED, ...target }, { entity: ENTITY, subscriber, version: 7 }));

const callOf = (subscriber: string | null, sipCallId: string) => ({
  sipCallId,
  localTag: `ours-${sipCallId}`,
  remoteTag: `theirs-${sipCallId}`,
  from: { uri: 'sip:ann@tv.example', user: 'ann', displayName: 'Ann "A"' },
  subscriber,
});

describe('presence', () => {
  for (const [isOpen, basic] of [
    [true, 'open'],
    [false, 'closed'],
  ] as const) {
    test(`says that a target is ${basic}, and what is on`, () => {
      const status: Tree = ['status', {}, ['basic', {}, basic]];
      assert.deepEqual(read(presence, { isOpen }), [
        'presence',
        { xmlns: 'urn:ietf:params:xml:ns:pidf', entity: ENTITY },
        ['tuple', { id: 'channel' }, status, ['note', {}, 'News']],
        ['note', {}, 'News'],
      ]);
    });
  }
});

describe('dialog', () => {
  const idle: Tree = ['dialog', { id: 'others' }, ['state', {}, 'terminated']];
  const busy: Tree = ['dialog', { id: 'others' }, ['state', {}, 'confirmed']];
  const own: Tree = [
    'dialog',
    { id: 'ours-1', 'call-id': '1', 'local-tag': 'ours-1', 'remote-tag': 'theirs-1', direction: 'recipient' },
    ['state', {}, 'confirmed'],
    ['local', {}, ['identity', {}, ENTITY]],
    ['remote', {}, ['identity', { display: 'Ann "A"' }, 'sip:ann@tv.example']],
  ];
  const calls = [callOf('ann', '1'), callOf('bob', '2'), callOf(null, '3')];

  for (const [name, subscriber, seen, entries] of [
    ['nobody who is called', 'ann', [], [idle]],
    ['his own call, with all that is needed to take it over', 'ann', calls.slice(0, 1), [own]],
    ['of the calls of others that there are some', 'ann', calls, [own, busy]],
    ['nothing of anybody as somebody else', 'carol', calls, [busy]],
    ['nothing of anybody as a guest, who may be any guest', null, calls, [busy]],
  ] as const) {
    test(`shows a subscriber ${name}`, () => {
      const attributes = { xmlns: 'urn:ietf:params:xml:ns:dialog-info', version: '7', state: 'full', entity: ENTITY };
      assert.deepEqual(read(dialogInfo, { viewers: seen.length, calls: seen }, subscriber), [
        'dialog-info',
        attributes,
        ...entries,
      ]);
    });
  }

  test('counts a call of ours among those of others', () => {
    assert.deepEqual(read(dialogInfo, { viewers: 2, calls: calls.slice(0, 1) }, 'ann').slice(2), [own, busy]);
  });

  test('is as short with a thousand calls', () => {
    const own = Array.from({ length: 1_000 }, (_, n) => callOf('ann', String(n)));
    const [, , ...entries] = read(dialogInfo, { viewers: 1_000, calls: own }, 'ann');
    assert.equal(entries.length, 3);
    assert.deepEqual(entries.at(-1), busy);
  });
});

test('what a document may not have as it is, is escaped; what it may not have at all, is replaced', () => {
  const text = 'a & b <c> "d" \'e\' ]]> \t\r\n \u00e9 \u{1f4fa} \0\u001b\ufffe\ud800';
  const document = xmlDocument(element('note', { of: text, none: null }, text));
  const expected = 'a & b <c> "d" \'e\' ]]> \t\r\n \u00e9 \u{1f4fa} \ufffd\ufffd\ufffd\ufffd';
  assert.deepEqual(readXml(document), ['note', { of: expected }, expected]);
  assert.equal(document.toString().match(/[\t\r]/), null);
});
