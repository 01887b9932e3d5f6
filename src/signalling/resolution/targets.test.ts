import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseUri } from '../message/index.ts';
import { nextHop } from './next-hop.ts';
import { type Resolver, resolveTargets } from './targets.ts';

/** What DNS knows. NAPTR: `order preference flags service replacement`; SRV: `priority weight port name`. */
interface Zone {
  readonly naptr?: Readonly<Record<string, readonly string[]>>;
  readonly srv?: Readonly<Record<string, readonly string[]>>;
}

const HOSTS: Readonly<Record<string, string[]>> = {
  'tv.example': ['192.0.2.1', '2001:db8::1'],
  'a.tv.example': ['192.0.2.10'],
  'b.tv.example': ['192.0.2.11'],
  'c.tv.example': ['192.0.2.12'],
};

/** Answers from a zone, and remembers what it was asked. */
function resolverOf({ naptr = {}, srv = {} }: Zone, asked: string[] = []): Resolver {
  const records = (list: readonly string[] | undefined) => {
    if (list === undefined) throw new Error('ENOTFOUND');
    return list.map(text => text.split(' '));
  };
  return {
    resolveNaptr: async name => {
      asked.push(`NAPTR ${name}`);
      return records(naptr[name]).map(([order, preference, flags = '', service = '', replacement = '']) => {
        return { order: Number(order), preference: Number(preference), flags, service, replacement };
      });
    },
    resolveSrv: async name => {
      asked.push(`SRV ${name}`);
      return records(srv[name]).map(([priority, weight, port, name = '']) => {
        return { priority: Number(priority), weight: Number(weight), port: Number(port), name };
      });
    },
    lookup: async name => {
      asked.push(name);
      return records(HOSTS[name]).map(([address]) => ({ address: address! }));
    },
  };
}

const random = () => 0.5;

/** `transport address port` of each target. */
async function targetsOf(uri: string, resolver: Resolver, chance = random): Promise<string[]> {
  const targets = await resolveTargets(nextHop(parseUri(uri)!)!, resolver, chance);
  return targets.map(({ transport, address, port }) => `${transport} ${address} ${port}`);
}

const SRV_OF_ALL = {
  '_sip._udp.tv.example': ['10 0 5070 a.tv.example'],
  '_sip._tcp.tv.example': ['10 0 5071 b.tv.example'],
  '_sips._tcp.tv.example': ['10 0 5072 c.tv.example'],
};
const [UDP, TCP, TLS] = ['udp 192.0.2.10 5070', 'tcp 192.0.2.11 5071', 'tls 192.0.2.12 5072'] as const;

const TABLE: readonly { name: string; uri: string; zone?: Zone; targets: readonly string[]; asked?: string[] }[] = [
  { name: 'an address stands for itself', uri: 'sip:192.0.2.9', targets: ['udp 192.0.2.9 5060'], asked: [] },
  { name: 'an IPv6 address does', uri: 'sip:[2001:db8::9]:5080', targets: ['udp 2001:db8::9 5080'] },
  { name: 'an address over TCP', uri: 'sip:192.0.2.9;transport=TCP', targets: ['tcp 192.0.2.9 5060'] },
  { name: 'an address over TLS', uri: 'sip:192.0.2.9;transport=tls', targets: ['tls 192.0.2.9 5061'] },
  { name: 'an address in a SIPS URI', uri: 'sips:192.0.2.9', targets: ['tls 192.0.2.9 5061'] },
  { name: 'tcp in a SIPS URI is TLS', uri: 'sips:192.0.2.9;transport=tcp', targets: ['tls 192.0.2.9 5061'] },
  { name: 'maddr goes before the host', uri: 'sip:tv.example;maddr=192.0.2.9', targets: ['udp 192.0.2.9 5060'] },
  {
    name: 'a port leaves out the look-up of services',
    uri: 'sip:tv.example:5080',
    zone: { srv: SRV_OF_ALL },
    targets: ['udp 192.0.2.1 5080', 'udp 2001:db8::1 5080'],
    asked: ['tv.example'],
  },
  {
    name: 'a port in a SIPS URI is for TLS',
    uri: 'sips:tv.example:5080',
    targets: ['tls 192.0.2.1 5080', 'tls 2001:db8::1 5080'],
  },
  {
    name: 'services are asked for of every transport',
    uri: 'sip:tv.example',
    zone: { srv: SRV_OF_ALL },
    targets: [UDP, TCP, TLS],
  },
  {
    name: 'a transport has its own services, and NAPTR nothing to say',
    uri: 'sip:tv.example;transport=tcp',
    zone: { srv: SRV_OF_ALL, naptr: { 'tv.example': ['1 1 s SIP+D2U _sip._udp.tv.example'] } },
    targets: [TCP],
    asked: ['SRV _sip._tcp.tv.example', 'b.tv.example'],
  },
  {
    name: 'a SIPS URI has services of TLS alone',
    uri: 'sips:tv.example',
    zone: { srv: SRV_OF_ALL },
    targets: [TLS],
  },
  {
    name: 'NAPTR says which transports, in which order',
    uri: 'sip:tv.example',
    zone: {
      srv: SRV_OF_ALL,
      naptr: {
        'tv.example': [
          '20 1 s SIP+D2U _sip._udp.tv.example',
          '10 9 S sip+d2t _sip._tcp.tv.example',
          '10 5 s SIPS+D2T _sips._tcp.tv.example',
        ],
      },
    },
    targets: [TLS, TCP, UDP],
  },
  {
    name: 'NAPTR leads to another domain',
    uri: 'sip:tv.example',
    zone: {
      srv: { '_sip._tcp.host.example': ['1 0 5090 a.tv.example'] },
      naptr: { 'tv.example': ['1 1 s SIP+D2T _sip._tcp.host.example'] },
    },
    targets: ['tcp 192.0.2.10 5090'],
  },
  {
    name: 'NAPTR records of other kinds are passed over',
    uri: 'sip:tv.example',
    zone: {
      srv: SRV_OF_ALL,
      naptr: {
        'tv.example': [
          '1 1 u E2U+sip ',
          '2 1 s SIP+D2S _sip._sctp.tv.example',
          '3 1 a SIP+D2U a.tv.example',
          '4 1 s SIP+D2T _sip._tcp.tv.example',
        ],
      },
    },
    targets: [TCP],
  },
  {
    name: 'a SIPS URI takes of NAPTR what is TLS',
    uri: 'sips:tv.example',
    zone: {
      srv: { ...SRV_OF_ALL, '_sips._tcp.host.example': ['1 0 5091 b.tv.example'] },
      naptr: {
        'tv.example': ['1 1 s SIP+D2T _sip._tcp.tv.example', '2 1 s SIPS+D2T _sips._tcp.host.example'],
      },
    },
    targets: ['tls 192.0.2.11 5091'],
  },
  {
    name: 'a name without services is a host',
    uri: 'sip:tv.example',
    targets: ['udp 192.0.2.1 5060', 'udp 2001:db8::1 5060'],
  },
  {
    name: 'a name without services is one over TLS',
    uri: 'sips:tv.example',
    targets: ['tls 192.0.2.1 5061', 'tls 2001:db8::1 5061'],
  },
  {
    name: 'a service at the root is not to be had (RFC 2782)',
    uri: 'sip:tv.example;transport=tcp',
    zone: { srv: { '_sip._tcp.tv.example': ['0 0 0 '] } },
    targets: [],
  },
  { name: 'an unknown name has no targets', uri: 'sip:nowhere.example', targets: [] },
];

describe('locating SIP servers (RFC 3263)', () => {
  for (const { name, uri, zone = {}, targets, asked } of TABLE) {
    test(`${name}: ${uri}`, async () => {
      const questions: string[] = [];
      assert.deepEqual(await targetsOf(uri, resolverOf(zone, questions)), targets);
      if (asked !== undefined) assert.deepEqual(questions, asked);
    });
  }

  for (const uri of ['sip:tv.example;transport=ws', 'sips:tv.example;transport=udp', 'sip:tv.example;transport=sctp']) {
    test(`nobody can be called at ${uri}`, () => assert.equal(nextHop(parseUri(uri)!), null));
  }

  test('whoever is found, the certificate must be of the name that was asked for', async () => {
    const resolver = resolverOf({ srv: SRV_OF_ALL });
    const targets = await resolveTargets(nextHop(parseUri('sips:tv.example')!)!, resolver, random);
    assert.deepEqual(targets, [{ transport: 'tls', address: '192.0.2.12', port: 5072, serverName: 'tv.example' }]);
  });
});

const LOTTERY = resolverOf({
  srv: {
    '_sip._udp.tv.example': ['20 1 5080 c.tv.example', '10 60 5070 a.tv.example', '10 40 5060 b.tv.example'],
  },
});

test('services come by priority, and within one by lot', async () => {
  const drawn = (...lots: number[]) => targetsOf('sip:tv.example;transport=udp', LOTTERY, () => lots.shift()!);
  assert.deepEqual(await drawn(0.5, 0.9, 0.1), ['udp 192.0.2.10 5070', 'udp 192.0.2.11 5060', 'udp 192.0.2.12 5080']);
  assert.deepEqual(await drawn(0.5, 0.1, 0.9), ['udp 192.0.2.11 5060', 'udp 192.0.2.10 5070', 'udp 192.0.2.12 5080']);
});

test('a higher weight is drawn more often, in proportion', async () => {
  let first = 0;
  // A fixed sequence that fills the interval evenly.
  let seed = 0;
  const even = () => {
    seed = (seed + 0.618_033_988_75) % 1;
    return seed;
  };
  for (let draw = 0; draw < 1_000; draw++) {
    const [best] = await targetsOf('sip:tv.example;transport=udp', LOTTERY, even);
    if (best === 'udp 192.0.2.10 5070') first++;
  }
  assert.ok(first > 500 && first < 700, `${first} of 1000 for a weight of 60 in 100`);
});

test('a name with a thousand records costs few look-ups and gives few targets', async () => {
  const many = Array.from({ length: 1_000 }, (_, index) => `1 1 ${5_000 + index} a.tv.example`);
  const asked: string[] = [];
  const zone = { srv: { '_sip._udp.tv.example': many, '_sip._tcp.tv.example': many, '_sips._tcp.tv.example': many } };
  const targets = await targetsOf('sip:tv.example', resolverOf(zone, asked));
  assert.deepEqual([targets.length, asked.length], [16, 20]);
});
