import { isIPv6 } from 'node:net';

/**
 * Who is taken for one and the same: an IPv4 address, or the /64 of an IPv6 address, since every host has one of those
 * to itself and may write any address of it.
 */
export function sourceOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [before = '', after] = address.split('%', 1)[0]!.toLowerCase().split('::');
  const head = before.split(':').filter(Boolean);
  const tail = (after ?? '').split(':').filter(Boolean);
  // A tail in dotted form is two groups long.
  const groups = head.length + tail.length + (tail.at(-1)?.includes('.') ? 1 : 0);
  const full = after === undefined ? head : [...head, ...Array<string>(8 - groups).fill('0'), ...tail];
  return `${full
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
