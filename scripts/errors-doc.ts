// `npm run docs`: writes docs/errors.md from src/errors.ts. A test holds the two together.

import { writeFileSync } from 'node:fs';
import { ERRORS, type ErrorEntry } from '../src/errors.ts';

export const ERRORS_DOC = new URL('../docs/errors.md', import.meta.url);

/** The page about these errors, in Markdown. */
export function errorsPage(errors: Readonly<Record<string, ErrorEntry>> = ERRORS): string {
  const sections = Object.entries(errors).map(
    ([code, { meaning, remedy }]) => `## ${code}\n\n${meaning}\n\n**What to do:** ${remedy}\n`,
  );
  const head = [
    '<!-- Made from src/errors.ts by `npm run docs`. -->',
    '# Errors',
    'Every error that Dialcast reports carries one of these codes, and words that name the thing concerned.',
  ];
  return [...head.map(line => `${line}\n`), ...sections].join('\n');
}

if (import.meta.main) writeFileSync(ERRORS_DOC, errorsPage());
