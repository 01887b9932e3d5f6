export { RtpViewer, type RtpViewerOptions } from './rtp-viewer.ts';
export type { Lane, Viewer, ViewerPorts, ViewerStream } from './viewer.ts';
export { WebrtcViewer, type WebrtcViewerOptions } from './webrtc-viewer.ts';
