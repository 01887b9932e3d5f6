/** A channel as `/api/channels` lists it. */
export interface Channel {
  readonly number: number;
  /** SIP user name. */
  readonly name: string;
  readonly title: string;
  readonly kind: 'live' | 'film';
  readonly onAir: boolean;
  readonly viewers: number;
}

/** The channel of this name or number. */
export function findChannel(channels: readonly Channel[], target: string): Channel | null {
  return channels.find(({ name, number }) => name === target || String(number) === target) ?? null;
}

/** The channel `steps` further in the order of numbers, round and round; the first or last when none is watched. */
export function neighbour(channels: readonly Channel[], target: string | null, steps: 1 | -1): Channel | null {
  const sorted = channels.toSorted((a, b) => a.number - b.number);
  const index = sorted.findIndex(({ name }) => name === target);
  if (index < 0) return sorted.at(steps === 1 ? 0 : -1) ?? null;
  return sorted.at((index + steps) % sorted.length) ?? null;
}

export interface Dialled {
  /** The channel with exactly this number. */
  readonly channel: Channel | null;
  /** Can further digits still lead to another channel. */
  readonly open: boolean;
}

/** What the digits that were pressed so far mean. */
export function dialled(channels: readonly Channel[], digits: string): Dialled {
  const numbers = channels.map(({ number }) => String(number));
  return {
    channel: channels.find(({ number }) => String(number) === digits) ?? null,
    open: numbers.some(number => number.length > digits.length && number.startsWith(digits)),
  };
}
