export type { MostConnections } from './connection-limits.ts';
export type { Connection } from './connector.ts';
export type { Flow, FlowHandlers } from './flow.ts';
export type { OutgoingTransport, Target } from './target.ts';
export { type ListenOptions, type ListenPorts, Transports } from './transports.ts';
export type { WebSocketPeer } from './websocket.ts';
