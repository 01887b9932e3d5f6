import { formatVia } from './headers.ts';
import { type Header, Request } from './message.ts';
import { splitUnquoted } from './parameters.ts';

/** The request with its top Via saying where it really came from (RFC 3261 §18.2.1, RFC 3581 §4). */
export function withReceived(request: Request, source: { remoteAddress: string; remotePort: number }): Request {
  const via = request.via!;
  const asksRport = via.parameters.has('rport');
  if (via.host === source.remoteAddress && !asksRport) return request;
  const parameters = new Map(via.parameters);
  parameters.set('received', source.remoteAddress);
  if (asksRport) parameters.set('rport', String(source.remotePort));
  const at = request.headers.findIndex(([name]) => name === 'via');
  const rest = splitUnquoted(request.headers[at]![1], ',').slice(1);
  const value = [formatVia({ ...via, parameters }), ...rest].join(', ');
  const headers: Header[] = request.headers.with(at, ['via', value]);
  return new Request(request.method, request.uri, headers, request.body);
}
