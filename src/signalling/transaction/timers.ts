/** Basic timers in milliseconds (RFC 3261 §17.1.1.1). */
export const T1_MS = 500;
export const T2_MS = 4_000;
export const T4_MS = 5_000;

export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M' | 'T';

type Duration = (fired: number) => number;

const fixed =
  (ms: number): Duration =>
  () =>
    ms;
/** RFC 3261 §17.1.2.2: doubles up to T2. */
const capped: Duration = fired => Math.min(T1_MS * 2 ** fired, T2_MS);

/**
 * RFC 3261 Table 4 and RFC 6026 §8.8 (L, M): what each timer waits, by whether the transport is reliable. Timers of
 * retransmission (null) are never started on a reliable one. T is the one to which §17.2.1 gives no letter: how long an
 * INVITE may go without an answer before 100 says that it is here.
 */
export const TIMERS: Readonly<Record<TimerName, { unreliable: Duration; reliable: Duration | null }>> = {
  A: { unreliable: fired => T1_MS * 2 ** fired, reliable: null },
  B: { unreliable: fixed(64 * T1_MS), reliable: fixed(64 * T1_MS) },
  D: { unreliable: fixed(32_000), reliable: fixed(0) },
  E: { unreliable: capped, reliable: null },
  F: { unreliable: fixed(64 * T1_MS), reliable: fixed(64 * T1_MS) },
  G: { unreliable: capped, reliable: null },
  H: { unreliable: fixed(64 * T1_MS), reliable: fixed(64 * T1_MS) },
  I: { unreliable: fixed(T4_MS), reliable: fixed(0) },
  J: { unreliable: fixed(64 * T1_MS), reliable: fixed(0) },
  K: { unreliable: fixed(T4_MS), reliable: fixed(0) },
  L: { unreliable: fixed(64 * T1_MS), reliable: fixed(64 * T1_MS) },
  M: { unreliable: fixed(64 * T1_MS), reliable: fixed(64 * T1_MS) },
  T: { unreliable: fixed(200), reliable: fixed(200) },
};
