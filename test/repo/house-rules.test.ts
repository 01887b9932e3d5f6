import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readTracked, trackedFiles } from './support/tree.ts';

const FILES = trackedFiles();
const BINARY = /\.(?:png|jpe?g|ico|woff2?|mp4|pcap|gz|dat)$/;
/** This file's own patterns would find themselves. */
const TEXTS = FILES.filter(file => !BINARY.test(file) && file !== 'test/repo/house-rules.test.ts');

const MOST_LINES = 400;
const matching = (files: readonly string[], pattern: RegExp) =>
  files.flatMap(file =>
    readTracked(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );

describe('the repository', () => {
  it(`has no source file of more than ${MOST_LINES} lines`, () => {
    const sources = FILES.filter(file => /^(?:src|native|scripts|web\/\w+\/src)\/.*\.(?:ts|tsx|mjs|cc|h)$/.test(file));
    const lines = (file: string) => readTracked(file).trimEnd().split('\n').length;
    assert.deepEqual(
      sources.filter(file => lines(file) > MOST_LINES),
      [],
    );
  });

  it('names no registry in package-lock.json, so that any mirror will do', () => {
    assert.equal(readTracked('package-lock.json').match(/"resolved":/g), null);
  });

  for (const [name, pattern] of [
    ['notes of what is left to do', /\b(?:TODO|FIXME|XXX|HACK)\b/],
    ['focused tests, which would silence the others', /\b(?:describe|it|test|suite)\.only\(|\bonly: true\b/],
    ["paths of somebody's machine", /(?:^|[\s'"`(=:])\/(?:home|Users|root|work|mnt)\/\w/],
    ['references to issues, which only say something elsewhere', /\b(?:issue|ticket|fix(?:es)?|closes|PR) #\d/i],
    ['invisible characters', /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/],
  ] as const) {
    it(`has no ${name}`, () => assert.deepEqual(matching(TEXTS, pattern), []));
  }

  it('ends every text file with a line feed, and no line with a carriage return', () => {
    const wire = (file: string) => file.startsWith('test/vectors/') || file.startsWith('bench/');
    const wrong = TEXTS.filter(file => !wire(file)).filter(file => /\r|[^\n]$/.test(readTracked(file)));
    assert.deepEqual(wrong, []);
  });
});

describe('every test', () => {
  const tests = FILES.filter(file => file.endsWith('.test.ts') && file !== 'test/repo/house-rules.test.ts');

  it('that may be skipped says why', () => {
    const silent = /\b(?:describe|it|test|suite)\.(?:skip|todo)\(|\.(?:skip|todo)\(\)|\b(?:skip|todo): true\b/;
    assert.deepEqual(matching(tests, silent), []);
  });

  it('waits for what happens and not for time to pass', () => {
    assert.deepEqual(matching(tests, /\b(?:await (?:delay|sleep|setTimeout)\(|setTimeout\(\w*[rR]esolve)/), []);
  });

  it('asserts something', () => {
    const idle = tests.filter(file => !/\bassert\b|\bexpect\b/.test(readTracked(file)));
    assert.deepEqual(idle, []);
  });
});
