import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Type } from 'typebox';
import { schemaProblems } from './problems.ts';

const SCHEMA = Type.Object(
  {
    'a/b': Type.Optional(Type.Boolean({ description: 'true or false' })),
    list: Type.Optional(Type.Array(Type.Object({ port: Type.Integer() }, { additionalProperties: false }))),
  },
  { additionalProperties: false },
);

describe('the problems of a value', () => {
  it('are none where it fits', () => {
    assert.deepEqual(schemaProblems(SCHEMA, { 'a/b': true, list: [{ port: 1 }] }), []);
  });

  it('name keys with a slash, and positions in lists, as they are', () => {
    assert.deepEqual(schemaProblems(SCHEMA, { 'a/b': 1 }), [
      { path: ['a/b'], fault: '1 is not allowed', remedy: 'write true or false' },
    ]);
    assert.deepEqual(schemaProblems(SCHEMA, { list: [{ port: 1 }, { port: 1, prot: 2 }] }), [
      { path: ['list', 1, 'prot'], fault: 'unknown key', remedy: 'did you mean port?' },
    ]);
  });

  for (const [key, remedy] of [
    ['LIST', 'did you mean list?'],
    ['lsit', 'did you mean list?'],
    ['lists', 'did you mean list?'],
    ['lst', 'did you mean list?'],
    ['least', 'did you mean list?'],
    ['port', 'remove it (known here: a/b, list)'],
  ] as const) {
    it(`for ${key}: ${remedy}`, () => assert.equal(schemaProblems(SCHEMA, { [key]: 1 })[0]?.remedy, remedy));
  }

  it('still have a remedy where the schema describes nothing', () => {
    assert.deepEqual(schemaProblems(SCHEMA, { list: [{ port: 'x' }] }), [
      { path: ['list', 0, 'port'], fault: '"x" is not allowed', remedy: 'write another value' },
    ]);
    assert.deepEqual(schemaProblems(SCHEMA, { list: [{}] }), [
      { path: ['list', 0, 'port'], fault: 'missing', remedy: 'write it' },
    ]);
  });
});
