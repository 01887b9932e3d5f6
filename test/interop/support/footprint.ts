import { readdir, readlink } from 'node:fs/promises';
import { collectGarbage } from './inspector.ts';
import type { DialcastServer } from './server.ts';

/** What a server holds; once all calls are over it must be what it was before them. */
export interface Footprint {
  readonly calls: number;
  readonly viewers: number;
  readonly mediaSockets: number;
  readonly transcoders: number;
  /** What its open file descriptors refer to, sorted; sockets without their numbers. */
  readonly descriptors: readonly string[];
  /** JavaScript's heap of the main thread after a collection of garbage, without the trace of calls that ended. */
  readonly heapBytes: number;
}

/** The server must run with `INSPECTED`. */
export async function measureFootprint(server: DialcastServer): Promise<Footprint> {
  await collectGarbage(server);
  return {
    calls: await server.metric('dialcast_calls_active'),
    viewers: await server.metric('dialcast_viewers'),
    mediaSockets: await server.metric('dialcast_media_sockets'),
    transcoders: (await server.transcoders()).length,
    descriptors: await openDescriptors(server.process.pid!),
    heapBytes: (await server.metric('nodejs_heap_size_used_bytes')) - (await server.metric('dialcast_sip_trace_bytes')),
  };
}

async function openDescriptors(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  // One may be closed while we look.
  const targets = await Promise.all(
    (await readdir(folder)).map(fd => readlink(`${folder}/${fd}`).catch(() => 'closed')),
  );
  return targets.map(target => target.replace(/\d+/g, 'N')).sort();
}
