export { Dialog, type DialogRequestParts, dialogKey } from './dialog.ts';
export { InviteSession, type SessionPorts } from './invite-session.ts';
export { isTooBrief, SESSION_TIMER, type SessionTimerLimits } from './session-timer.ts';
