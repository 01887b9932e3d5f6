import { DialcastError } from '../../errors.ts';
import type { Input } from './input.ts';
import type { Source, SourceOptions } from './source.ts';

export { sleepUntil } from './pace.ts';
export type { Source, SourceOptions, SourceSink } from './source.ts';

type Kind = (options: SourceOptions) => Promise<Source>;

/** What FFmpeg opens, by the kind's own way of saying how. */
const opened = (describe: () => Promise<(url: string) => Input>): Kind => {
  return async options => {
    const [{ InputSource }, input] = await Promise.all([import('./input-source.ts'), describe()]);
    return new InputSource(input(options.url), options);
  };
};

/** What each URL scheme is made by; loaded when needed, since a process plays one source. */
const KINDS: Readonly<Record<string, Kind>> = {
  file: opened(async () => (await import('./file.ts')).fileInput),
  testcard: async options => new (await import('./testcard.ts')).TestcardSource(options),
};

/** Schemes that {@link createSource} knows. */
export const SOURCE_KINDS: readonly string[] = Object.keys(KINDS);

/** The source that a URL names. Rejects with SOURCE_UNSUPPORTED. */
export async function createSource(options: SourceOptions): Promise<Source> {
  const scheme = options.url.split(':', 1)[0]!;
  const kind = Object.hasOwn(KINDS, scheme) ? KINDS[scheme] : undefined;
  if (kind === undefined) {
    const known = SOURCE_KINDS.map(each => `${each}:`).join(', ');
    throw new DialcastError('SOURCE_UNSUPPORTED', `${options.url}: no source kind ${scheme}: (there are ${known})`);
  }
  return kind(options);
}
