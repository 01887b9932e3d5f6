export type {
  AcceptWebSocket,
  CallListing,
  ChannelListing,
  Health,
  HttpPorts,
  MetricsPage,
  WebSocketPeer,
} from './ports.ts';
export { HttpServer, type HttpServerOptions } from './server.ts';
