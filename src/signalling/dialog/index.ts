export { Dialog, type DialogRequestParts } from './dialog.ts';
export { Dialogs, type DialogUsage } from './dialogs.ts';
export { InviteSession, type SessionPorts } from './invite-session.ts';
export { isTooBrief, SESSION_TIMER, type SessionTimerLimits } from './session-timer.ts';
