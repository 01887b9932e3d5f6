import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ERRORS_DOC, errorsPage } from '../../scripts/errors-doc.ts';
import { ERRORS } from '../../src/errors.ts';
import { readTracked, trackedFiles } from './support/tree.ts';

describe('docs/errors.md', () => {
  it('is what `npm run docs` makes of src/errors.ts', () => {
    assert.equal(readFileSync(ERRORS_DOC, 'utf8'), errorsPage());
  });

  it('names every code with its meaning and what to do', () => {
    const page = errorsPage({ MADE_UP: { meaning: 'A test runs.', remedy: 'Wait.' } });
    assert.match(page, /\n## MADE_UP\n\nA test runs\.\n\n\*\*What to do:\*\* Wait\.\n$/);
  });
});

describe('src/errors.ts', () => {
  const thrown = trackedFiles()
    .filter(file => file.startsWith('src/') && !file.endsWith('.test.ts') && file !== 'src/errors.ts')
    .map(readTracked)
    .join('\n');

  for (const [code, { meaning, remedy }] of Object.entries(ERRORS)) {
    it(`has nothing to say about ${code} that is not used`, () => assert.ok(thrown.includes(`'${code}'`)));

    it(`says in whole sentences what ${code} means and what to do`, () => {
      for (const text of [meaning, remedy]) assert.match(text, /^[A-Z].*\.$/s);
    });
  }
});
