/** Messages that were right once, of what the torture vectors know nothing of. */

const COMMON = [
  'Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK-seed;rport',
  'Max-Forwards: 70',
  'From: "Ann" <sip:ann@example.org>;tag=ann',
  'Call-ID: seed@192.0.2.7',
];

function request(method: string, headers: readonly string[], uri = 'sip:news@192.0.2.1'): string {
  const lines = [`${method} ${uri} SIP/2.0`, ...COMMON, `CSeq: 1 ${method}`, ...headers, 'Content-Length: 0'];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

const INSTANCE = '+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"';
const TO = 'To: <sip:news@192.0.2.1>';
const IN_DIALOG = 'To: <sip:news@192.0.2.1>;tag=ours';

export const SEEDS: readonly string[] = [
  request('REGISTER', [
    'To: <sip:ann@example.org>',
    `Contact: <sip:ann@192.0.2.7:5062;transport=tcp;ob>;${INSTANCE};reg-id=1;q=0.7;expires=600`,
    'Path: <sip:edge@192.0.2.9;lr;ob>, <sip:192.0.2.10;lr>',
    'Supported: path, outbound, gruu',
  ]),
  request('REGISTER', ['To: <sip:ann@example.org>', `Contact: <sip:a@192.0.2.7>;${INSTANCE}`, 'Supported: gruu']),
  ...['presence', 'dialog', 'dialog;call-id=a;to-tag=b', 'refer;id=3'].map(event =>
    request('SUBSCRIBE', [
      TO,
      `Event: ${event}`,
      'Expires: 600',
      'Accept: application/pidf+xml, application/dialog-info+xml',
      'Contact: <sip:ann@192.0.2.7:5062>',
    ]),
  ),
  request('INVITE', [
    TO,
    'Contact: <sip:ann@192.0.2.7:5062>',
    'Replaces: seed@192.0.2.7;to-tag=ours;from-tag=ann;early-only',
    'Supported: replaces, timer, 100rel',
    'Session-Expires: 120;refresher=uas',
  ]),
  request('REFER', [IN_DIALOG, 'Refer-To: <sip:bob@example.org?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>']),
  request('NOTIFY', [IN_DIALOG, 'Event: presence', 'Subscription-State: active;expires=60']),
  request('INVITE', [
    TO,
    'Contact: <sip:ann@192.0.2.7:5062>',
    'Authorization: Digest username="ann", realm="example.org", nonce="00", uri="sip:news@192.0.2.1", response="00"',
  ]),
];
