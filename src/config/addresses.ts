import type { NetworkInterfaceInfo } from 'node:os';

/**
 * The addresses to announce to viewers, best first. `auto` is every interface's: IPv4 before global IPv6, loopback
 * last; link-local ones are left out, since they mean nothing without their interface.
 */
export function announcedAddresses(
  configured: string | readonly string[],
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
): string[] {
  if (configured !== 'auto') return typeof configured === 'string' ? [configured] : [...configured];
  const all = Object.values(interfaces)
    .flatMap(infos => infos ?? [])
    .filter(({ address }) => !/^fe[89ab]/i.test(address) && !address.startsWith('169.254.'));
  const rank = ({ internal, family }: NetworkInterfaceInfo) => (internal ? 2 : 0) + (family === 'IPv6' ? 1 : 0);
  return all.sort((a, b) => rank(a) - rank(b)).map(({ address }) => address);
}
