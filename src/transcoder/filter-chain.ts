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

  constructor(kind: 'video' | 'audio', filters: readonly FilterSpec[]) {
    this.#source = kind === 'video' ? 'buffer' : 'abuffer';
    this.#filters = filters;
    this.#frame.alloc();
  }

  /** Filters one frame; `description` is the buffer source's arguments for frames like it. Throws what FFmpeg says. */
  push(frame: Frame, description: string, onFrame: (filtered: Frame, timeBaseSeconds: number) => void): void {
    if (description !== this.#description) this.#build(description);
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

  #build(description: string): void {
    this.#graph?.free();
    const graph = new FilterGraph();
    graph.alloc();
    graph.nbThreads = 1;
    const sink = this.#source === 'buffer' ? 'buffersink' : 'abuffersink';
    const specs: FilterSpec[] = [[this.#source, description], ...this.#filters, [sink, '']];
    const contexts = specs.map(([name, args], index) => {
      const filter = Filter.getByName(name);
      const context = filter && graph.createFilter(filter, `${index}-${name}`, args || null);
      if (!context) throw new Error(`filter ${name}=${args} cannot be made`);
      return context;
    });
    for (const [index, context] of contexts.slice(0, -1).entries()) context.link(0, contexts[index + 1]!, 0);
    if (graph.configSync() < 0) throw new Error(`filters cannot be joined for ${description}`);
    this.#graph = graph;
    this.#input = contexts[0]!;
    this.#output = contexts.at(-1)!;
    this.#description = description;
  }
}
