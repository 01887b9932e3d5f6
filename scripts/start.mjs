// `npm start`: installs and builds what is missing, then runs the demo. Plain JavaScript: the first time, only the
// host's own Node is there. Arguments behind `--` go to `dialcast serve --demo`.

import { join } from 'node:path';
import { install, main, NODE, ROOT, run } from './steps.mjs';

await main(async () => {
  await install();
  // A process of its own: the bundler wants the pinned Node, and this script may run on an older one.
  if ((await run(NODE, [join(ROOT, 'scripts', 'build.mjs')])) !== 0) return 1;
  return run(join(ROOT, 'bin', 'dialcast'), ['serve', '--demo', ...process.argv.slice(2)]);
});
