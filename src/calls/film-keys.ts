import type { FilmMove, FilmPosition } from '../channels/index.ts';

const STEP_US = 30_000_000;
const STRIDE_US = 300_000_000;

/** What a phone's keys do in a film: the middle row is for pictures missed, the row above for scenes. */
const KEYS: Readonly<Record<string, (position: FilmPosition) => FilmMove>> = {
  '1': ({ positionUs }) => ({ positionUs: positionUs - STRIDE_US }),
  '3': ({ positionUs }) => ({ positionUs: positionUs + STRIDE_US }),
  '4': ({ positionUs }) => ({ positionUs: positionUs - STEP_US }),
  '5': ({ isPaused }) => ({ paused: !isPaused }),
  '6': ({ positionUs }) => ({ positionUs: positionUs + STEP_US }),
  '0': () => ({ positionUs: 0 }),
};

/** Null for a key that means nothing. */
export function filmMoveOf(key: string, position: FilmPosition): FilmMove | null {
  return Object.hasOwn(KEYS, key) ? KEYS[key]!(position) : null;
}
