import { AV_BUFFERSRC_FLAG_KEEP_REF } from 'node-av/constants';
import { Filter, type FilterContext, FilterGraph, Frame } from 'node-av/lib';

/** One filter of a chain: FFmpeg's name for it and its arguments. */
export type FilterSpec = readonly [name: string, args: string];

/**
 * A chain of FFmpeg filters from a source to a sink. What goes in may change in mid-stream (size, format, rate):
 * then the chain is built anew, by its description.
 */
export class FilterChain {
  readonly #source: 'buffer' | 'abuffer';
  readonly #filters: readonly FilterSpec[];
  readonly #frame = new Frame();
  #graph: FilterGraph | null = null;
  #input: FilterContext | null = null;
  #output: FilterContext | null = null;
  #description = '';
  #refused = '';

  constructor(kind: 'video' | 'audio', filters: readonly FilterSpec[]) {
    this.#source = kind === 'video' ? 'buffer' : 'abuffer';
    this.#filters = filters;
    this.#frame.alloc();
  }

  /**
   * Filters one frame; `description` is the buffer source's arguments for frames like it. What FFmpeg refuses to filter is
   * left out: damaged media say the strangest things of themselves, and what comes after them may be well.
   */
  push(frame: Frame, description: string, onFrame: (filtered: Frame, timeBaseSeconds: number) => void): void {
    if (description === this.#refused) return;
    if (description !== this.#description && !this.#build(description)) {
      this.#refused = description;
      return;
    }
    this.#input!.buffersrcAddFrameSync(frame, AV_BUFFERSRC_FLAG_KEEP_REF);
    this.#drain(onFrame);
  }

  /** Gives what the filters hold back; the next frame begins anew. */
  end(onFrame: (filtered: Frame, timeBaseSeconds: number) => void): void {
    if (this.#description === '') return;
    this.#input!.buffersrcAddFrameSync(null);
    this.#drain(onFrame);
    this.reset();
  }

  /** Forgets what went in: the next frame begins anew. */
  reset(): void {
    this.#description = '';
  }

  close(): void {
    this.#graph?.free();
    this.#graph = null;
    this.#frame.free();
  }

  #drain(onFrame: (filtered: Frame, timeBaseSeconds: number) => void): void {
    const { num, den } = this.#output!.buffersinkGetTimeBase();
    while (this.#output!.buffersinkGetFrameSync(this.#frame) >= 0) {
      onFrame(this.#frame, num / den);
      this.#frame.unref();
    }
  }

  #build(description: string): boolean {
    this.#graph?.free();
    this.#description = '';
    const graph = new FilterGraph();
    graph.alloc();
    graph.nbThreads = 1;
    this.#graph = graph;
    const sink = this.#source === 'buffer' ? 'buffersink' : 'abuffersink';
    const specs: FilterSpec[] = [[this.#source, description], ...this.#filters, [sink, '']];
    const contexts: FilterContext[] = [];
    for (const [index, [name, args]] of specs.entries()) {
      const context = create(graph, `${index}-${name}`, name, args);
      if (context === null) return false;
      contexts.push(context);
    }
    for (const [index, context] of contexts.slice(0, -1).entries()) context.link(0, contexts[index + 1]!, 0);
    if (graph.configSync() < 0) return false;
    this.#input = contexts[0]!;
    this.#output = contexts.at(-1)!;
    this.#description = description;
    return true;
  }
}

function create(graph: FilterGraph, id: string, name: string, args: string): FilterContext | null {
  const filter = Filter.getByName(name);
  try {
    return filter && graph.createFilter(filter, id, args || null);
  } catch {
    return null;
  }
}
