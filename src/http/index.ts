export type {
  AcceptWebSocket,
  CallListing,
  ChannelListing,
  EncodersListing,
  FilmPositionListing,
  GuideListing,
  GuideWindow,
  Health,
  HttpPorts,
  MetricsPage,
  PlatformListing,
  WebSocketPeer,
} from './ports.ts';
export { HttpServer, type HttpServerOptions } from './server.ts';
