export { type CallTargets, ClientSession } from './client-session.ts';
export { Dialog, type DialogRequestParts } from './dialog.ts';
export { Dialogs, type DialogUsage } from './dialogs.ts';
export type { BranchPorts, CallTarget, Invitation } from './invite-branch.ts';
export { replacedBy } from './replaces.ts';
export { ServerSession } from './server-session.ts';
export { recordRoute, type Session, type SessionPorts } from './session.ts';
export { isTooBrief, SESSION_TIMER, type SessionTimerLimits } from './session-timer.ts';
