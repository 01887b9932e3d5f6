export { Dialog, dialogKey } from './dialog.ts';
export { InviteSession, type SessionPorts } from './invite-session.ts';
