import { parseParameters } from '../message/index.ts';

/** What is watched (RFC 6665 §8.2.1): a package, and an id where several subscriptions share a dialog. */
export interface EventName {
  readonly name: string;
  readonly id: string | null;
}

/** Null when there is no Event header, or one without a name. */
export function parseEvent(text: string | null): EventName | null {
  const [name = '', ...parameters] = (text ?? '').split(';');
  if (name.trim() === '') return null;
  return { name: name.trim(), id: parseParameters(parameters.join(';')).get('id') ?? null };
}

export function formatEvent({ name, id }: EventName): string {
  return id === null ? name : `${name};id=${id}`;
}

/** §8.2.1: byte by byte; other parameters do not count. */
export function isSameEvent(one: EventName, other: EventName | null): boolean {
  return one.name === other?.name && one.id === other.id;
}
