// `npm start`: installs and builds what is missing, then runs the demo. Plain JavaScript: the first time, only the
// host's own Node is there. Arguments behind `--` go to `dialcast serve --demo`.

import { join } from 'node:path';
import { build, install, main, ROOT, run } from './steps.mjs';

await main(async () => {
  await install();
  await build();
  return run(join(ROOT, 'bin', 'dialcast'), ['serve', '--demo', ...process.argv.slice(2)]);
});
