export type { Flow, FlowHandlers } from './flow.ts';
export { LocalAddresses, unmapped } from './local-address.ts';
export { TcpTransport } from './tcp.ts';
export { UdpTransport } from './udp.ts';
export { acceptWebSocket, type WebSocketPeer } from './websocket.ts';
