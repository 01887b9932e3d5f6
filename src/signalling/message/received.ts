import { type Header, Request } from './message.ts';
import { splitUnquoted } from './parameters.ts';

/**
 * The request with its top Via saying where it really came from (RFC 3261 §18.2.1, RFC 3581 §4). Everything else of
 * the Via stays as it was written, since its sender knows its response by it.
 */
export function withReceived(request: Request, source: { remoteAddress: string; remotePort: number }): Request {
  const via = request.via!;
  const asksRport = via.parameters.has('rport');
  if (via.host === source.remoteAddress && !asksRport) return request;
  const at = request.headers.findIndex(([name, value]) => name === 'via' && splitUnquoted(value, ',').some(Boolean));
  const [top, ...others] = splitUnquoted(request.headers[at]![1], ',').filter(Boolean);
  const [sentBy, ...parameters] = splitUnquoted(top!, ';');
  // A `received` that the sender wrote itself says nothing.
  const pieces = [sentBy, ...parameters.filter(text => !/^(received|rport)\s*(=|$)/i.test(text))];
  pieces.push(`received=${source.remoteAddress}`);
  if (asksRport) pieces.push(`rport=${source.remotePort}`);
  const headers: Header[] = request.headers.with(at, ['via', [pieces.join(';'), ...others].join(', ')]);
  return new Request(request.method, request.uri, headers, request.body);
}
