// Loads once all that a transcoder may, so that Node's compile cache has it: transcoders may write nowhere, and without
// the cache one takes several times as long to start.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What begins a process, or is none of a transcoder's. */
const LEFT_OUT =
  /\.test\.ts$|(?:^|\/)process\.ts$|^(?:supervisor|confinement|demo-clip|hardware|hardware-probe)\.ts$|^(?:film|tuner)\//;

export async function rehearseTranscoder({ root, node }) {
  const folder = join(root, 'src', 'transcoder');
  const modules = readdirSync(folder, { recursive: true }).filter(name => name.endsWith('.ts') && !LEFT_OUT.test(name));
  // The process's own module comes last: without a task it ends at once.
  const urls = [...modules.sort(), 'process.ts'].map(name => pathToFileURL(join(folder, name)).href);
  const script = `for (const url of ${JSON.stringify(urls)}) await import(url);`;
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'build', 'compile-cache'),
  };
  const child = spawn(node, ['--input-type=module', '-e', script], { stdio: ['ignore', 'ignore', 'inherit'], env });
  await once(child, 'exit');
}
