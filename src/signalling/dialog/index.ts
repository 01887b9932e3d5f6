export { Dialog, type DialogRequestParts } from './dialog.ts';
export { Dialogs, type DialogUsage } from './dialogs.ts';
export { ServerSession } from './server-session.ts';
export type { SessionPorts } from './session.ts';
export { isTooBrief, SESSION_TIMER, type SessionTimerLimits } from './session-timer.ts';
