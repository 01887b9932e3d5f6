import type { ChannelConfig } from './config.ts';

/** A channel that nobody gave a name yet, and perhaps no number. */
export interface ChannelWish extends Omit<ChannelConfig, 'number' | 'name'> {
  /** What they are if nobody else has them; a name is made of the title otherwise. */
  readonly number?: number;
  readonly name?: string;
}

/**
 * The channels with further ones, each with a number and a name that no other has. Callers dial both alike, so a name
 * must not be another one's number either. Numbers that were not wished for begin at `firstNumber`.
 */
export function withChannels(
  channels: readonly ChannelConfig[],
  wishes: readonly ChannelWish[],
  firstNumber: number,
): ChannelConfig[] {
  const taken = new Set(channels.flatMap(({ name, number }) => [name, String(number)]));
  const claim = (target: string) => {
    const isFree = !taken.has(target);
    taken.add(target);
    return isFree;
  };
  // All wishes for a number come first: none is to be lost to a channel that takes any.
  const wished = wishes.map(({ number }) => (number !== undefined && claim(String(number)) ? number : null));
  let next = firstNumber;
  const free = () => {
    while (!claim(String(next))) next++;
    return next;
  };
  /** The next suffix to try for a name: there may be thousands of the same title. */
  const suffixes = new Map<string, number>();
  const unique = (name: string) => {
    let given = name;
    let suffix = suffixes.get(name) ?? 2;
    while (!claim(given)) given = `${name}-${suffix++}`;
    suffixes.set(name, suffix);
    return given;
  };
  const added = wishes.map((wish, index): ChannelConfig => {
    const { name = slug(wish.title), ...rest } = wish;
    return { ...rest, number: wished[index] ?? free(), name: unique(name) };
  });
  return [...channels, ...added];
}

/** A SIP user name from any title. */
function slug(title: string): string {
  const plain = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-');
  // Of the 64 characters of a name some are left for a suffix.
  return plain.slice(0, 56).replace(/^-+|-+$/g, '') || 'channel';
}
