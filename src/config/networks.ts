import { BlockList, isIP } from 'node:net';

interface Network {
  readonly address: string;
  readonly prefixLength: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** An IP address, or a network in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3); null when the text is neither. */
export function parseNetwork(text: string): Network | null {
  const [, address = '', prefix] = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  const longest = version === 4 ? 32 : 128;
  const prefixLength = prefix === undefined ? longest : Number(prefix);
  if (version === 0 || prefixLength > longest) return null;
  return { address, prefixLength, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** Tells whether an address is one of these or lies in one of these networks; none of them may be malformed. */
export function isWithin(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, prefixLength, family } of networks.map(text => parseNetwork(text)!)) {
    list.addSubnet(address, prefixLength, family);
  }
  // A link-local address may say its interface, which no network has.
  return address => list.check(address.split('%', 1)[0]!, address.includes(':') ? 'ipv6' : 'ipv4');
}
