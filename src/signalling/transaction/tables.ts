import type { TimerName } from './timers.ts';

export type State = 'calling' | 'trying' | 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';

/** What can happen to a transaction: a message from the network, one from its user, or a timer. */
export type Event = 'request' | 'ack' | 'provisional' | 'success' | 'failure' | `timer${TimerName}`;

/**
 * What follows: `send` the message at hand and keep it, `resend` the kept one, `sendOnce` the message at hand and keep
 * none, `report` the message at hand to the user, `timeOut` tells the user; `try` says 100, `settle` forgets the request
 * since nothing more is expected of anybody (server); `acknowledge` a refusal (client); `+X` starts timer X, `-X` stops
 * it. A transaction that is terminated has no timers.
 */
export type Action =
  | 'send'
  | 'resend'
  | 'sendOnce'
  | 'report'
  | 'timeOut'
  | 'try'
  | 'settle'
  | 'acknowledge'
  | `+${TimerName}`
  | `-${TimerName}`;

export type Rule = readonly [next: State, ...actions: Action[]];

/** An event that a state does not list changes nothing. */
export interface Table {
  readonly initial: State;
  readonly start: readonly Action[];
  readonly states: Readonly<Partial<Record<State, Readonly<Partial<Record<Event, Rule>>>>>>;
}

/** RFC 3261 §17.2.1, figure 7, with the Accepted state of RFC 6026 §7.1. */
export const INVITE_SERVER: Table = {
  initial: 'proceeding',
  start: ['+T'],
  states: {
    proceeding: {
      request: ['proceeding', 'resend'],
      timerT: ['proceeding', 'try'],
      provisional: ['proceeding', 'send', '-T'],
      success: ['accepted', 'sendOnce', 'settle', '-T', '+L'],
      failure: ['completed', 'send', '-T', '+G', '+H'],
    },
    completed: {
      request: ['completed', 'resend'],
      timerG: ['completed', 'resend', '+G'],
      timerH: ['terminated', 'timeOut'],
      ack: ['confirmed', 'settle', '-G', '-H', '+I'],
    },
    confirmed: { timerI: ['terminated'] },
    accepted: {
      // A request that comes again is absorbed: the user sends its 2xx again itself, until the ACK passes through here.
      success: ['accepted', 'sendOnce'],
      ack: ['accepted', 'report'],
      timerL: ['terminated'],
    },
  },
};

/** RFC 3261 §17.2.2, figure 8. */
export const NON_INVITE_SERVER: Table = {
  initial: 'trying',
  start: [],
  states: {
    trying: {
      provisional: ['proceeding', 'send'],
      success: ['completed', 'send', 'settle', '+J'],
      failure: ['completed', 'send', 'settle', '+J'],
    },
    proceeding: {
      request: ['proceeding', 'resend'],
      provisional: ['proceeding', 'send'],
      success: ['completed', 'send', 'settle', '+J'],
      failure: ['completed', 'send', 'settle', '+J'],
    },
    completed: { request: ['completed', 'resend'], timerJ: ['terminated'] },
  },
};

/** RFC 3261 §17.1.1, figure 5, with the Accepted state of RFC 6026 §7.2. */
export const INVITE_CLIENT: Table = {
  initial: 'calling',
  start: ['send', '+A', '+B'],
  states: {
    calling: {
      timerA: ['calling', 'resend', '+A'],
      timerB: ['terminated', 'timeOut'],
      provisional: ['proceeding', 'report', '-A', '-B'],
      success: ['accepted', 'report', '-A', '-B', '+M'],
      failure: ['completed', 'acknowledge', 'report', '-A', '-B', '+D'],
    },
    proceeding: {
      provisional: ['proceeding', 'report'],
      success: ['accepted', 'report', '+M'],
      failure: ['completed', 'acknowledge', 'report', '+D'],
    },
    completed: { failure: ['completed', 'acknowledge'], timerD: ['terminated'] },
    accepted: { success: ['accepted', 'report'], timerM: ['terminated'] },
  },
};

/** RFC 3261 §17.1.2, figure 6. */
export const NON_INVITE_CLIENT: Table = {
  initial: 'trying',
  start: ['send', '+E', '+F'],
  states: {
    trying: {
      timerE: ['trying', 'resend', '+E'],
      timerF: ['terminated', 'timeOut'],
      provisional: ['proceeding', 'report'],
      success: ['completed', 'report', '-E', '-F', '+K'],
      failure: ['completed', 'report', '-E', '-F', '+K'],
    },
    proceeding: {
      timerE: ['proceeding', 'resend', '+E'],
      timerF: ['terminated', 'timeOut'],
      provisional: ['proceeding', 'report'],
      success: ['completed', 'report', '-E', '-F', '+K'],
      failure: ['completed', 'report', '-E', '-F', '+K'],
    },
    completed: { timerK: ['terminated'] },
  },
};
