import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { TestRegistrar } from './testing.ts';

let tested: TestRegistrar;
beforeEach(() => {
  tested = new TestRegistrar();
});

const pathOf = (uri: string) => tested.registrar.find(uri).map(({ path, flow }) => ({ path, flow }));

// RFC 3327 §5.5: the client of a visited network registers through P1 there, and P3 at home, with P2 in between.
const VISITED = {
  to: '<sip:UA1@example.com>',
  contacts: ['<sip:UA1@192.0.2.4>'],
  via: [
    'SIP/2.0/UDP p3.examplehome.com;branch=z9hG4bKp3',
    'SIP/2.0/UDP p1.examplevisited.com;branch=z9hG4bKp1',
    'SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKua1',
  ].join(', '),
  path: ['<sip:p3.examplehome.com;lr>, <sip:p1.examplevisited.com;lr>'],
};
const ORDERED = ['<sip:p3.examplehome.com;lr>', '<sip:p1.examplevisited.com;lr>'];

test('a client that knows of Path is told by which proxies requests will come', () => {
  const response = tested.register({ ...VISITED, supported: 'path' });
  assert.equal(response.status, 200);
  assert.deepEqual(response.list('path'), ORDERED);
  assert.deepEqual(pathOf('sip:UA1@example.com'), [{ path: ORDERED, flow: null }]);
});

test('a client that does not is not, and can be called through them all the same', () => {
  const response = tested.register(VISITED);
  assert.deepEqual([response.status, response.list('path')], [200, []]);
  assert.deepEqual(pathOf('sip:UA1@example.com'), [{ path: ORDERED, flow: null }]);
});

test('whoever asks that Path be understood is served', () => {
  assert.deepEqual(tested.register({ ...VISITED, require: 'Path' }).list('path'), ORDERED);
});

test('headers of their own stand in their order', () => {
  const path = ['<sip:a.example.org;lr>', '<sip:b.example.org;lr>', '<sip:c.example.org;lr>'];
  assert.deepEqual(tested.register({ ...VISITED, path, supported: 'path' }).list('path'), path);
  assert.deepEqual(pathOf('sip:UA1@example.com')[0]?.path, path);
});

test('a refresh by another way changes the way', () => {
  tested.register(VISITED);
  tested.register({ ...VISITED, path: ['<sip:other.example.org;lr>'], sequence: 2 });
  assert.deepEqual(pathOf('sip:UA1@example.com'), [{ path: ['<sip:other.example.org;lr>'], flow: null }]);
});

describe('a Path by which no request could go: 400', () => {
  for (const value of ['nonsense', '<tel:+4930>', '<sip:p1.example.org;lr>, <sip:>']) {
    test(value, () => {
      const response = tested.register({ ...VISITED, path: [value], supported: 'path' });
      assert.deepEqual([response.status, response.reason], [400, 'Bad Path']);
      assert.deepEqual(pathOf('sip:UA1@example.com'), []);
    });
  }
});
