// `npm run bench -- NAME`: builds what is stale and runs bench/NAME.ts. The last line that a bench prints is one JSON
// object.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, install, main, NODE, ROOT, run } from './steps.mjs';

await main(async () => {
  const names = readdirSync(join(ROOT, 'bench'))
    .filter(name => name.endsWith('.ts'))
    .map(name => name.slice(0, -'.ts'.length));
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || !names.includes(name)) {
    console.error(`${name === undefined ? 'no bench named' : `no bench ${name}`}; there are: ${names.join(', ')}`);
    return 2;
  }
  await install();
  await build();
  return run(NODE, ['--expose-gc', join(ROOT, 'bench', `${name}.ts`), ...args]);
});
