import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Resolver, resolveTargets } from './targets.ts';

const HOSTS: Readonly<Record<string, string[]>> = {
  'tv.example': ['192.0.2.1', '2001:db8::1'],
  'a.tv.example': ['192.0.2.10'],
  'b.tv.example': ['192.0.2.11'],
  'c.tv.example': ['192.0.2.12'],
};

const resolver = (services: Awaited<ReturnType<Resolver['resolveSrv']>> = []): Resolver => ({
  resolveSrv: async name => {
    assert.equal(name, '_sip._udp.tv.example');
    if (services.length === 0) throw new Error('ENOTFOUND');
    return services;
  },
  lookup: async name => {
    const found = HOSTS[name];
    if (found === undefined) throw new Error('ENOTFOUND');
    return found.map(address => ({ address }));
  },
});

const SERVICES = [
  { name: 'c.tv.example', port: 5080, priority: 20, weight: 1 },
  { name: 'a.tv.example', port: 5070, priority: 10, weight: 60 },
  { name: 'b.tv.example', port: 5060, priority: 10, weight: 40 },
];

const text = async (targets: ReturnType<typeof resolveTargets>) =>
  (await targets).map(({ address, port }) => `${address} ${port}`);

test('an address stands for itself', async () => {
  assert.deepEqual(await text(resolveTargets('192.0.2.9', null, resolver(), () => 0)), ['192.0.2.9 5060']);
  assert.deepEqual(await text(resolveTargets('2001:db8::9', 5080, resolver(), () => 0)), ['2001:db8::9 5080']);
});

test('a port leaves out the look-up of services', async () => {
  const targets = resolveTargets('tv.example', 5080, resolver(SERVICES), () => 0);
  assert.deepEqual(await text(targets), ['192.0.2.1 5080', '2001:db8::1 5080']);
});

test('services come by priority, and within one by lot', async () => {
  const drawn = (...lots: number[]) =>
    text(resolveTargets('tv.example', null, resolver(SERVICES), () => lots.shift()!));
  assert.deepEqual(await drawn(0.5, 0.9, 0.1), ['192.0.2.10 5070', '192.0.2.11 5060', '192.0.2.12 5080']);
  assert.deepEqual(await drawn(0.5, 0.1, 0.9), ['192.0.2.11 5060', '192.0.2.10 5070', '192.0.2.12 5080']);
});

test('a higher weight is drawn more often, in proportion', async () => {
  let first = 0;
  // A fixed sequence that fills the interval evenly.
  let seed = 0;
  const random = () => {
    seed = (seed + 0.618_033_988_75) % 1;
    return seed;
  };
  for (let draw = 0; draw < 1_000; draw++) {
    const [best] = await resolveTargets('tv.example', null, resolver(SERVICES), random);
    if (best?.address === '192.0.2.10') first++;
  }
  assert.ok(first > 500 && first < 700, `${first} of 1000 for a weight of 60 in 100`);
});

test('a name without services is a host', async () => {
  assert.deepEqual(await text(resolveTargets('tv.example', null, resolver(), () => 0)), [
    '192.0.2.1 5060',
    '2001:db8::1 5060',
  ]);
});

test('an unknown name has no targets', async () => {
  const nobody: Resolver = {
    resolveSrv: () => Promise.reject(new Error('ENOTFOUND')),
    lookup: () => Promise.reject(new Error('ENOTFOUND')),
  };
  assert.deepEqual(await resolveTargets('nowhere.example', null, nobody, () => 0), []);
});
