/**
 * `npm run soak`: eight channels opened and closed at random, by default for fifteen minutes. Fails when anything that the
 * server holds has grown.
 *   --minutes N   for how long
 *   --seed N      which calls are made; the same again for the same number
 */

import { parseArgs } from 'node:util';
import { missing } from '../interop/support/programs.ts';
import { growth } from './growth.ts';
import { soak } from './soak.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '15' }, seed: { type: 'string', default: '1' } },
});
const absent = missing('ffmpeg', 'setpriv');
if (absent) {
  console.error(`this soak ${absent}`);
  process.exit(2);
}
const result = await soak({ seconds: 60 * Number(values.minutes), seed: Number(values.seed), say: console.log });
const { watched, failures, transcoders } = result;
console.log([...watched].map(([channel, times]) => `${channel} ${times}`).join(', '), `; ${transcoders} transcoders`);
for (const failure of failures) console.log(`failed: ${failure}`);
const grown = growth(result);
for (const fault of grown) console.log(`grown: ${fault}`);
console.log(JSON.stringify({ calls: [...watched.values()].reduce((a, b) => a + b), transcoders, grown: grown.length }));
process.exit(grown.length === 0 && failures.length === 0 ? 0 : 1);
