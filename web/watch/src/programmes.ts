interface Programme {
  /** RFC 3339, here and below. */
  readonly start: string;
  readonly stop: string;
  readonly title: string;
}

/** What `/api/guide` has of a channel, as far as it is shown. */
export interface Listing {
  /** SIP user name. */
  readonly name: string;
  readonly logo: string | null;
  readonly now: Programme | null;
  readonly next: Programme | null;
}

/** What is on now and what comes next with its time, in one line; empty when nothing is known. */
export function programmeWords({ now, next }: Listing, time: (date: Date) => string): string {
  const upcoming = next === null ? [] : [`${time(new Date(next.start))} ${next.title}`];
  return [...(now === null ? [] : [now.title]), ...upcoming].join(' · ');
}

/** As clocks are read where the viewer is. */
export function localTime(date: Date): string {
  return date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}
