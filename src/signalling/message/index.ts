export { type CSeq, formatVia, type NameAddr, parsedUri, parseNameAddr, parseVia, type Via } from './headers.ts';
export { type Header, NO_BODY, Request, Response } from './message.ts';
export { type Parameters, parseParameters, splitUnquoted, unquote } from './parameters.ts';
export { withReceived } from './received.ts';
export { type ResponseParts, respond } from './response.ts';
export { LIMITS, type Scan, type ScanError, scan } from './scanner.ts';
export { serialise } from './serialise.ts';
export { type Framed, StreamFramer } from './stream-framer.ts';
export { formatHost, parseUri, type SipUri, uriScheme } from './uri.ts';
