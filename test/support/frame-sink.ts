import type { SourceSink } from '../../src/transcoder/source/index.ts';

/** A sink for all of a source's frames and none of its packets. */
export function frameSink(take: Pick<SourceSink, 'video' | 'audio'>): SourceSink {
  return { late: () => undefined, needsFrames: () => true, passes: () => undefined, packet: () => undefined, ...take };
}
