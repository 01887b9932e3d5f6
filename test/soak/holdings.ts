import { readdirSync, readFileSync } from 'node:fs';
import { type Footprint, measureFootprint } from '../interop/support/footprint.ts';
import { childrenOf, type DialcastServer } from '../interop/support/server.ts';

/** What a server, its transcoder of the steady channel, and programs of channels hold of the machine. */
export interface Holdings extends Footprint {
  /** Of the server, and of what they started. */
  readonly processes: number;
  /** Programs that a channel started, whoever is their parent now. */
  readonly programs: number;
  readonly residentBytes: number;
  readonly steady: { readonly pid: number; readonly residentBytes: number; readonly descriptors: number };
}

/** While nobody but the one viewer of the steady channel watches. `program` is in the command line of the programs. */
export async function measureHoldings(server: DialcastServer, program: string): Promise<Holdings> {
  const footprint = await measureFootprint(server);
  const pid = server.process.pid!;
  const [transcoder = pid] = await server.transcoders();
  return {
    ...footprint,
    processes: (await descendants(pid)).length,
    programs: running(program),
    residentBytes: residentBytes(pid),
    steady: {
      pid: transcoder,
      residentBytes: residentBytes(transcoder),
      descriptors: readdirSync(`/proc/${transcoder}/fd`).length,
    },
  };
}

async function descendants(pid: number): Promise<number[]> {
  const children = await childrenOf(pid);
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}

function running(program: string): number {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name));
  return pids.filter(pid => readOrEmpty(`/proc/${pid}/cmdline`).split('\0').includes(program)).length;
}

/** 0 for a process that has ended. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
