import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeRequest } from '../testing.ts';
import { withReceived } from './index.ts';

const SOURCE = { remoteAddress: '198.51.100.9', remotePort: 40_000 };

describe('the top Via says where a request really came from', () => {
  for (const [name, before, after] of [
    ['an address that is right stays alone', 'SIP/2.0/UDP 198.51.100.9:5062;branch=z', null],
    [
      'another address gets received',
      'SIP/2.0/UDP 192.168.1.5;branch=z',
      'SIP/2.0/UDP 192.168.1.5;branch=z;received=198.51.100.9',
    ],
    [
      'a name gets received',
      'SIP/2.0/UDP ann.example.org;branch=z',
      'SIP/2.0/UDP ann.example.org;branch=z;received=198.51.100.9',
    ],
    // RFC 3581 §4: received goes with rport even where the address is right.
    [
      'who asks for rport gets both',
      'SIP/2.0/UDP 198.51.100.9;rport;branch=z',
      'SIP/2.0/UDP 198.51.100.9;branch=z;received=198.51.100.9;rport=40000',
    ],
    [
      'what the sender claims is replaced',
      'SIP/2.0/UDP 10.0.0.1;received=203.0.113.1;RPort=9;branch=z',
      'SIP/2.0/UDP 10.0.0.1;branch=z;received=198.51.100.9;rport=40000',
    ],
    [
      'everything else stays as it was written',
      'SIP / 2.0 / UDP  Ann.Example.org ;Branch=zZ;x="a;b, c", SIP/2.0/TCP p.example.org;rport',
      'SIP / 2.0 / UDP  Ann.Example.org;Branch=zZ;x="a;b, c";received=198.51.100.9, SIP/2.0/TCP p.example.org;rport',
    ],
  ] as const) {
    test(name, () => {
      const request = makeRequest('OPTIONS', { via: before, headers: [['via', 'SIP/2.0/UDP last.example.org']] });
      const result = withReceived(request, SOURCE);
      if (after === null) return assert.equal(result, request);
      const vias = result.headers.filter(([header]) => header === 'via').map(([, value]) => value);
      assert.deepEqual(vias, [after, 'SIP/2.0/UDP last.example.org']);
      assert.deepEqual(result.headers.slice(1), request.headers.slice(1));
    });
  }

  test('however many parameters it has, it is still a Via', () => {
    for (let count = 0; count < 100; count++) {
      const request = makeRequest('OPTIONS', { via: `SIP/2.0/UDP a;branch=z${';x'.repeat(count)}` });
      assert.equal(withReceived(request, SOURCE).via?.parameters.get('branch'), 'z');
    }
  });

  test('an IPv6 address has no brackets there', () => {
    const request = makeRequest('OPTIONS', { via: 'SIP/2.0/UDP [2001:db8::1];rport' });
    const { via } = withReceived(request, { remoteAddress: '2001:db8::2', remotePort: 1 });
    assert.deepEqual(Object.fromEntries(via!.parameters), { received: '2001:db8::2', rport: '1' });
  });
});
