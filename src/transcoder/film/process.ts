/**
 * Prepares one rendition of a film, or looks at the film alone: a process of its own, so that a hostile file can harm
 * nobody. It gets its task on standard input as one line of JSON and answers on standard output, a line for each message;
 * it ends with its standard input, and what it has written until then stays.
 */

import { createInterface } from 'node:readline';
import { AV_LOG_FATAL } from 'node-av/constants';
import { Log } from 'node-av/lib';
import { DialcastError } from '../../errors.ts';
import { openFilm } from '../source/index.ts';
import { prepare } from './prepare.ts';
import { RenditionFolder } from './rendition-folder.ts';
import type { PreparationMessage, PreparationTask } from './task.ts';

const say = (message: PreparationMessage) => void process.stdout.write(`${JSON.stringify(message)}\n`);

async function run({ path, tracks, make }: PreparationTask): Promise<void> {
  try {
    const reader = await openFilm(path, tracks);
    if (make === null) {
      say({ type: 'film', ...(await reader.look()) });
    } else {
      const folder = await RenditionFolder.make(make.folder, make.rendition);
      say({ type: 'segments', segments: folder.segments, bytes: 0 });
      if (!folder.isWhole) {
        await prepare(reader, folder, bytes => say({ type: 'segments', segments: folder.segments, bytes }));
      }
      say({ type: 'whole', segments: folder.segments });
    }
    await reader.close();
  } catch (error) {
    say({ type: 'failed', reason: error instanceof DialcastError ? error.detail : (error as Error).message });
  }
}

Log.setLevel(AV_LOG_FATAL);
// The terminal's Ctrl-C reaches the whole group; who started this process says when it ends.
process.on('SIGINT', () => undefined);
const input = createInterface({ input: process.stdin });
input.once('line', line => {
  process.title = 'dialcast: preparing';
  // Its standard input stays open as long as it is wanted.
  void run(JSON.parse(line) as PreparationTask).finally(() => input.close());
});
input.once('close', () => process.exit());
