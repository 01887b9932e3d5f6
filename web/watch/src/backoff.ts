const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 10_000;

/**
 * How long to wait before attempt number `attempt` (from 0): doubling up to ten seconds, and between half of that and the
 * whole, so that a thousand pages that lost the same server don't come back in the same instant.
 *
 * @param random a number from 0 up to 1
 */
export function backoffMs(attempt: number, random: number): number {
  const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return Math.round(delayMs * (0.5 + random / 2));
}
