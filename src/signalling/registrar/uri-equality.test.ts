import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { uriEquality } from './uri-equality.ts';

// RFC 3261 §19.1.4 has these examples, and those below that differ.
describe('the same URI', () => {
  for (const [left, right] of [
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&Subject=project%20%78',
    ],
    ['SIP:ann@[2001:DB8::1]', 'sip:ann@[2001:db8::1]'],
    ['sip:ann:secret@h', 'sip:ann:secret@H'],
    ['tel:+4930', 'tel:+4930'],
    ['sip:ann@h?a=%', 'sip:ann@H?a=%'],
  ] as const) {
    test(`${left} and ${right}`, () => {
      const equal = uriEquality();
      assert.ok(equal(left, right));
      assert.ok(equal(right, left));
    });
  }
});

describe('not the same URI', () => {
  for (const [left, right] of [
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:carol@chicago.com;lr', 'sip:carol@chicago.com;lr=on'],
    ['sip:ann@h', 'sips:ann@h'],
    ['sip:ann:secret@h', 'sip:ann:Secret@h'],
    ['sip:ann:secret@h', 'sip:ann@h'],
    ['sip:ann@h;maddr=192.0.2.1', 'sip:ann@h'],
    ['sip:ann@h;user=phone', 'sip:ann@h'],
    ['sip:ann@h;ttl=1', 'sip:ann@h'],
    ['sip:ann@h?a=1&b=2', 'sip:ann@h?a=1'],
    ['tel:+4930', 'tel:+49-30'],
    ['sip:ann@h', 'tel:+4930'],
  ] as const) {
    test(`${left} and ${right}`, () => {
      const equal = uriEquality();
      assert.ok(!equal(left, right));
      assert.ok(!equal(right, left));
    });
  }
});
