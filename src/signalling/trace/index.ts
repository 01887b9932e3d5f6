export { HepExport } from './hep-export.ts';
export { HepSocket } from './hep-socket.ts';
export { Trace, type WireMessage } from './trace.ts';
