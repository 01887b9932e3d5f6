export type {
  AcceptWebSocket,
  CallListing,
  ChannelListing,
  Health,
  HttpPorts,
  MetricsPage,
  PlatformListing,
  WebSocketPeer,
} from './ports.ts';
export { HttpServer, type HttpServerOptions } from './server.ts';
