export type { Credentials } from './authentication/index.ts';
export { type Clock, systemClock } from './clock.ts';
export { SignallingEndpoint, type SignallingOptions } from './endpoint.ts';
export type { PlatformAccount, Registration, RegistrationStatus } from './registration/index.ts';
export { HepExport, HepSocket, Trace, type WireMessage } from './trace/index.ts';
export type { ListenOptions, ListenPorts, WebSocketPeer } from './transport/index.ts';
export type {
  CallEnd,
  CallIdentity,
  CallPeer,
  CallRequest,
  EndCause,
  IncomingCall,
  IncomingCallHandlers,
  OutgoingCall,
  OutgoingCallHandlers,
  Referral,
  Rejection,
  Reoffer,
  SessionHandlers,
  SignallingHandlers,
  SipTransport,
  TextMessage,
  WatchedTarget,
} from './types.ts';
