import type { Channel, FilmUse } from '../channels/index.ts';
import type { EndCause, IncomingCall } from '../signalling/index.ts';
import type { SlateTime } from './slate-time.ts';

export type CallOutcome = 'watched' | 'cancelled' | 'refused';

/** One SIP dialog, its negotiated media and its viewer, whoever called whom. */
export interface Call {
  readonly id: string;
  readonly channel: Channel;
  readonly transport: string;
  /** Unix time in milliseconds at which the call was answered; null before. */
  readonly answeredAtMs: number | null;
  /** Null when it is a call of ours. */
  readonly incoming: IncomingCall | null;
  /** Codec of each medium that flows or is on hold, video first. */
  readonly codecs: readonly string[];
  /** Is the viewer holding. */
  readonly held: boolean;
  /** Since the answer: for this time nobody is charged. */
  readonly slate: SlateTime;
  /** Where the viewer is in a film; null when all watch the same, and before the answer. */
  readonly film: FilmUse | null;
  /** Ends the call from our side: BYE with a Reason, or what stands for it when it is not answered yet. */
  hangUp(cause: EndCause): void;
  /** The engine lost the viewer: it no longer answers, or its transport failed. */
  viewerLost(reason: string): void;
}
