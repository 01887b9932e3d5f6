import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programmeWords } from './programmes.ts';

const NEWS = { start: '2026-11-24T20:00:00.000Z', stop: '2026-11-24T21:00:00.000Z', title: 'News' };
const FILM = { start: '2026-11-24T21:00:00.000Z', stop: '2026-11-24T22:30:00.000Z', title: 'A film' };

for (const { now, next, words } of [
  { now: NEWS, next: FILM, words: 'News · 21:00 A film' },
  { now: NEWS, next: null, words: 'News' },
  { now: null, next: FILM, words: '21:00 A film' },
  { now: null, next: null, words: '' },
]) {
  test(`what is on is read as "${words}"`, () => {
    const time = (date: Date) => date.toISOString().slice(11, 16);
    assert.equal(programmeWords({ name: 'news', logo: null, now, next }, time), words);
  });
}
