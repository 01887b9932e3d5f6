// `npm run build`: the native add-on and the web pages, as far as they are older than their sources.

import { build, main } from './steps.mjs';

await main(async () => {
  await build();
  return 0;
});
