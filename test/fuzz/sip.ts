// `npm run fuzz:sip`: a million messages that were right once, changed at random, into the SIP server. Nothing may be
// thrown, no message may cost more than 5 ms, and memory must stay where it is. What fails is kept in corpus/, which
// sip.test.ts replays. The last line is a summary in JSON.
//   npm run fuzz:sip -- --messages 5000000 --seed 7

import { parseArgs } from 'node:util';
import { keep } from './corpus.ts';
import { fuzz, isFlat } from './fuzz.ts';

const { values } = parseArgs({
  options: { messages: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
});
const messages = Number(values.messages);
const seed = Number(values.seed);
if (!Number.isSafeInteger(messages) || messages < 1 || !Number.isSafeInteger(seed)) {
  console.error('--messages and --seed want whole numbers');
  process.exit(2);
}

const startMs = performance.now();
const perSecond = (count: number) => Math.round((count / (performance.now() - startMs)) * 1000);
const report = fuzz({
  messages,
  seed,
  onProgress: (done, heapMb) => console.log(`${done} messages, ${perSecond(done)} a second, heap ${heapMb ?? '?'} MB`),
});
for (const { reason, index, delivery } of report.failures) {
  console.log(`message ${index}: ${reason}: ${keep(delivery)}`);
}
const flat = isFlat(report.heapMb);
const failures = report.failures.length;
console.log(JSON.stringify({ ...report, failures, flat, perSecond: perSecond(messages) }));
process.exitCode = failures === 0 && flat ? 0 : 1;
