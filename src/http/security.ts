import type { IncomingMessage } from 'node:http';
import type { App } from './app.ts';
import type { HttpPorts } from './ports.ts';

/** A Host header that may be repeated in a header of ours: a name, an IPv4 address or an IPv6 reference, with a port. */
const HOST = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** The name or address in a Host header, without the port; null when it must not be repeated. */
export function hostName(host: string | undefined): string | null {
  return host !== undefined && HOST.test(host) ? host.replace(/:\d{1,5}$/, '') : null;
}

const FIXED_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), display-capture=()',
};

/** Puts the security headers on every answer. */
export function sendSecurityHeaders(app: App, { hasForeignLogos }: Pick<HttpPorts, 'hasForeignLogos'>): void {
  app.addHook('onSend', async (request, reply, payload) => {
    reply.headers(FIXED_HEADERS);
    reply.header('content-security-policy', contentSecurityPolicy(request.headers.host, hasForeignLogos()));
    return payload;
  });
}

/** Nothing but our own files, WebSockets to our own host, and logos from wherever they are. */
export function contentSecurityPolicy(host: string | undefined, foreignLogos: boolean): string {
  // Not every browser takes 'self' to cover WebSockets, as CSP Level 3 §6.7.2.8 wants.
  const sockets = host !== undefined && HOST.test(host) ? ` ws://${host} wss://${host}` : '';
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' data:${foreignLogos ? ' https: http:' : ''}`,
    "font-src 'self'",
    "media-src 'self' blob:",
    `connect-src 'self'${sockets}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/**
 * May a page of this origin open a WebSocket here. Browsers always say the origin (RFC 6455 §10.2); who says none is no
 * browser, and the user of a foreign page must not be made to call with us.
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true;
  if (allowed.includes(origin)) return true;
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  // The URL drops a default port; a Host header may carry it.
  return (
    (protocol === 'http:' || protocol === 'https:') &&
    URL.canParse(`${protocol}//${host}`) &&
    originHost === new URL(`${protocol}//${host}`).host
  );
}

const LOCAL_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** What reverse proxies add for those whose request they pass on (RFC 7239, RFC 9110 §7.6.3, and what came before). */
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'];

/**
 * Does somebody on this machine ask, and not through a proxy on it. The host must be this machine's as well: else a
 * foreign page could give its own name this machine's address and read along (DNS rebinding).
 */
export function isFromThisMachine({ socket, headers }: IncomingMessage): boolean {
  const { remoteAddress = '' } = socket;
  const isLoopback = remoteAddress === '::1' || remoteAddress.startsWith('127.');
  return isLoopback && LOCAL_HOST.test(headers.host ?? '') && PROXY_HEADERS.every(name => headers[name] === undefined);
}
