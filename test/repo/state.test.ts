import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { moduleState } from './support/state.ts';
import { readTracked, trackedFiles } from './support/tree.ts';

/** Where a thread or process begins: these files are what runs there, and nobody imports them. */
const ENTRIES: readonly string[] = [
  'src/cli.ts',
  'src/engine/worker.ts',
  'src/transcoder/process.ts',
  'src/transcoder/film/process.ts',
];

const MODULES = trackedFiles().filter(
  file => file.startsWith('src/') && file.endsWith('.ts') && !file.endsWith('.test.ts') && !ENTRIES.includes(file),
);

describe('modules under src/', () => {
  it('keep no state of their own and start no timers: both are constructor arguments', () => {
    assert.ok(MODULES.length > 100);
    const kept = MODULES.flatMap(file => moduleState(readTracked(file)).map(state => `${file}: ${state}`));
    assert.deepEqual(kept, []);
  });
});

describe('the check for state finds', () => {
  for (const [name, text, state] of [
    ['a variable', 'let calls = 0;', ['variable calls']],
    ['an exported variable', 'export let log: Logger;', ['variable log']],
    ['a map that grows', 'const seen = new Map<string, number>();\nseen.set("a", 1);', ['collection seen']],
    ['a list that grows', 'const all: string[] = [];\nfunction f() {\n  all.push("a");\n}', ['collection all']],
    [
      'an object that is written to',
      'const count = { calls: 0 };\nfunction f() {\n  count.calls += 1;\n}',
      ['collection count'],
    ],
    [
      'a record that grows',
      'const byId: Record<string, number> = {};\nfunction f() {\n  byId[id] = 1;\n}',
      ['collection byId'],
    ],
    ['a timer', 'const ticking = setInterval(tick, 50);', ['timer of setInterval']],
    ['a timer that nobody holds', 'setTimeout(tick, 50);', ['timer of setTimeout']],
    ['nothing in a table', "const NAMES = { a: 1 };\nif (NAMES.a === 1 && NAMES['a'] >= 1) f(NAMES);", []],
    ['nothing in a set that is only asked', 'const KNOWN = new Set(["a"]);\nKNOWN.has("a");', []],
    [
      'nothing in a function',
      'function f() {\n  let a = 0;\n  const b = new Map();\n  b.set(a++, 1);\n  setTimeout(f, 1);\n}',
      [],
    ],
  ] as const) {
    it(name, () => assert.deepEqual(moduleState(text), state));
  }
});
