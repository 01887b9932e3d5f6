import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Certificates } from '../../test/support/certificates.ts';
import { DialcastError } from '../errors.ts';
import { defaultConfig, loadConfig, parseConfig } from './index.ts';

const OPTIONS = { interfaces: {}, sourceKinds: ['file', 'testcard'] };
const PATH = '/etc/dialcast/tv.yaml';
const CLOCK = 'number: 1, name: clock, source: "testcard:"';

const parse = (text: string) => parseConfig(text, PATH, OPTIONS);

/** The detail of the error that a text is refused with. */
function refusal(text: string): { code: string; lines: string[] } {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof DialcastError, `${error}`);
    return { code: error.code, lines: error.detail.split('\n') };
  }
  return assert.fail('the text was taken');
}

describe('a configuration', () => {
  it('without a word in it is the defaults', () => {
    const cache = { ...defaultConfig(OPTIONS).cache, folder: '/etc/dialcast/data/cache' };
    const defaults = { ...defaultConfig(OPTIONS), cache };
    for (const text of ['', '# nothing', '{}', '---\n']) assert.deepEqual(parse(text), defaults);
  });

  it('keeps the other defaults of a section of which it names one key', () => {
    const { http, media, sip } = parse('http: {port: 80}\nmedia: {rtpPorts: 50000-50099}\nsip: {tcp: null, udp: 0}');
    assert.deepEqual(http, { addresses: ['0.0.0.0'], port: 80, tls: null });
    assert.deepEqual([media.port, media.rtpPorts], [40_000, { first: 50_000, last: 50_099 }]);
    assert.deepEqual(sip, { addresses: ['0.0.0.0'], udp: 0, tcp: null, tls: null });
  });

  it('sends SIP messages to a Homer server that is named, at the usual port', () => {
    assert.deepEqual(parse('trace: {hep: {address: 192.0.2.20}}').trace.hep, {
      address: '192.0.2.20',
      port: 9060,
      captureId: 1,
    });
    const { hep } = parse('trace: {hep: {address: "2001:db8::20", port: 9061, captureId: 4294967295}}').trace;
    assert.deepEqual(hep, { address: '2001:db8::20', port: 9061, captureId: 4_294_967_295 });
    for (const text of ['trace: {}', 'trace: {hep: null}']) assert.equal(parse(text).trace.hep, null);
  });

  it('takes one address to listen at, or a list', () => {
    const { http, sip } = parse('http: {address: "::1"}\nsip: {address: [0.0.0.0, "::"]}');
    assert.deepEqual([http.addresses, sip.addresses], [['::1'], ['0.0.0.0', '::']]);
  });

  it('resolves the addresses of the media', () => {
    const interfaces = {
      eth0: [{ address: '192.0.2.7', family: 'IPv4', internal: false, netmask: '', mac: '', cidr: null } as const],
    };
    const addresses = (text: string) => parseConfig(text, PATH, { ...OPTIONS, interfaces }).media.addresses;
    assert.deepEqual(addresses('media: {address: auto}'), ['192.0.2.7']);
    assert.deepEqual(addresses('media: {address: 203.0.113.5}'), ['203.0.113.5']);
    assert.deepEqual(addresses('media: {address: [203.0.113.5, "2001:db8::5"]}'), ['203.0.113.5', '2001:db8::5']);
  });

  it('takes addresses and networks for trusted', () => {
    assert.deepEqual(parse('trusted: [192.0.2.10, "2001:db8::/64"]').trusted, ['192.0.2.10', '2001:db8::/64']);
    assert.deepEqual(parse('trusted: []').trusted, []);
  });

  it('gives a channel its name for a title and no loop', () => {
    assert.deepEqual(parse(`channels: [{${CLOCK}}]`).channels, [
      { number: 1, name: 'clock', title: 'clock', source: 'testcard:', loop: false },
    ]);
  });

  for (const [source, absolute] of [
    ['file:film.mp4', 'file:/etc/dialcast/film.mp4'],
    ['file:../film 2.mp4', 'file:/etc/film 2.mp4'],
    ['file:/srv/film.mp4', 'file:/srv/film.mp4'],
    ['testcard:', 'testcard:'],
  ]) {
    it(`takes ${source} for ${absolute}`, () => {
      const [channel] = parse(`channels: [{number: 1, name: a, source: "${source}"}]`).channels;
      assert.equal(channel?.source, absolute);
    });
  }

  it('puts the rungs of a ladder in order, the largest first', () => {
    const rungs =
      '[{width: 320, height: 180, bitrateKbps: 250}, {width: 640, height: 360, frameRate: 25, bitrateKbps: 800}]';
    assert.deepEqual(
      parse(`channels: [{number: 1, name: a, source: "testcard:", ladder: ${rungs}}]`).channels[0]?.ladder,
      [
        { width: 640, height: 360, frameRate: 25, bitrateBps: 800_000 },
        { width: 320, height: 180, frameRate: 30, bitrateBps: 250_000 },
      ],
    );
  });

  it('lets a channel be named like its own number', () => {
    assert.equal(parse('channels: [{number: 7, name: "7", source: "testcard:"}]').channels.length, 1);
  });
});

/** Each whole message, without the path and the place's colon before it. */
const FAULTS: readonly { name: string; text: string; messages: readonly string[] }[] = [
  { name: 'a misspelt key', text: 'domin: x', messages: ['1:1: domin: unknown key; did you mean domain?'] },
  {
    name: 'a misspelt key of a section, at the key and not at its value',
    text: 'http:\n  adress:\n    - 1',
    messages: ['2:3: http.adress: unknown key; did you mean address?'],
  },
  {
    name: 'a key that resembles none',
    text: 'trace: {colour: red}',
    messages: ['1:9: trace.colour: unknown key; remove it (known here: hep)'],
  },
  {
    name: 'a name that every object has',
    text: 'trace: {constructor: 1}',
    messages: ['1:9: trace.constructor: unknown key; remove it (known here: hep)'],
  },
  {
    name: 'a port beyond all ports',
    text: 'sip:\n  udp: 65536',
    messages: [
      '2:3: sip.udp: 65536 is not allowed; write a port, 0 to 65535 (0 picks a free one), or null to turn UDP off',
    ],
  },
  {
    name: 'a Homer server that has a name for an address',
    text: 'trace:\n  hep: {address: homer.example.org}',
    messages: ["2:9: trace.hep.address: homer.example.org is not an IP address; write the Homer server's IP address"],
  },
  {
    name: 'a Homer server without an address',
    text: 'trace:\n  hep: {port: 9060}',
    messages: ["2:3: trace.hep.address: missing; write the Homer server's IP address"],
  },
  {
    name: 'a text for a port',
    text: 'http: {port: "80"}',
    messages: ['1:8: http.port: "80" is not allowed; write a port, 0 to 65535 (0 picks a free one)'],
  },
  {
    name: 'null for a port that cannot be turned off',
    text: 'http: {port: null}',
    messages: ['1:8: http.port: null is not allowed; write a port, 0 to 65535 (0 picks a free one)'],
  },
  {
    name: 'no address to listen at',
    text: 'sip: {address: []}',
    messages: [
      '1:7: sip.address: [] is not allowed; write an address to listen at, e.g. 0.0.0.0, or a list of addresses',
    ],
  },
  {
    name: 'a word for a switch',
    text: 'guests: yes',
    messages: ['1:1: guests: "yes" is not allowed; write true or false'],
  },
  {
    name: 'a language that is no code',
    text: 'channels:\n  - {number: 1, name: a, source: "testcard:", audioLanguage: german}',
    messages: [
      '2:47: channels[0].audioLanguage: "german" is not allowed; write the code of a language of two or three letters, e.g. de or deu',
    ],
  },
  {
    name: 'a code that is of no language',
    text: 'channels:\n  - {number: 1, name: a, source: "testcard:", subtitles: xx, audioLanguage: ger}',
    messages: ['2:47: channels[0].subtitles: xx is no language; write a code of ISO 639, e.g. de, ger or deu'],
  },
  {
    name: 'a rung of a ladder without its bits',
    text: 'channels:\n  - {number: 1, name: a, source: "testcard:", ladder: [{width: 320, height: 180}]}',
    messages: ['2:56: channels[0].ladder[0].bitrateKbps: missing; write thousands of bits a second, 10 to 100000'],
  },
  {
    name: 'a fraction for a count',
    text: 'limits: {viewers: 1.5}',
    messages: ['1:10: limits.viewers: 1.5 is not allowed; write a whole number, 1 to 100000'],
  },
  {
    name: 'a value for a section',
    text: 'sip: 5060',
    messages: ['1:1: sip: 5060 is not allowed; write keys and values'],
  },
  {
    name: 'a trusted network that is none, among others',
    text: 'trusted:\n  - 192.0.2.10\n  - 192.0.2.0/33\n  - kamailio.example.org',
    messages: [
      '3:5: trusted[1]: 192.0.2.0/33 is neither an IP address nor a network; write it like 192.0.2.10, 198.51.100.0/24 or 2001:db8::/64',
      '4:5: trusted[2]: kamailio.example.org is neither an IP address nor a network; write it like 192.0.2.10, 198.51.100.0/24 or 2001:db8::/64',
    ],
  },
  {
    name: 'a list for the whole',
    text: '- 1',
    messages: ['1:1: the file: [1] is not allowed; write keys and values'],
  },
  {
    name: 'a domain that is none',
    text: 'domain: "a b"',
    messages: ['1:1: domain: "a b" is not allowed; write a host name or address, e.g. tv.example.org'],
  },
  {
    name: 'a channel without what it needs, at the channel',
    text: 'channels:\n  - number: 1',
    messages: [
      '2:5: channels[0].name: missing; write a SIP user name of small letters, digits, dots, dashes and underscores, e.g. news',
      '2:5: channels[0].source: missing; write a source URL such as testcard: or file:media/film.mp4',
    ],
  },
  {
    name: 'a channel name that is no SIP user name',
    text: 'channels: [{number: 1, name: "The News", source: "testcard:"}]',
    messages: [
      '1:24: channels[0].name: "The News" is not allowed; write a SIP user name of small letters, digits, dots, dashes and underscores, e.g. news',
    ],
  },
  {
    name: 'a title without a letter',
    text: `channels: [{${CLOCK}, title: ""}]`,
    messages: ['1:58: channels[0].title: "" is not allowed; write a title of 1 to 100 characters'],
  },
  {
    name: 'two channels of one number and one name',
    text: `channels:\n  - {${CLOCK}}\n  - {${CLOCK}}`,
    messages: [
      "3:6: channels[1].number: 1 is channels[0]'s as well; give each channel a number of its own",
      "3:17: channels[1].name: clock is channels[0]'s as well; give each channel a name of its own",
    ],
  },
  {
    name: "a name that is another channel's number",
    text: `channels:\n  - {${CLOCK}}\n  - {number: 2, name: "1", source: "testcard:"}`,
    messages: ["3:17: channels[1].name: 1 is channels[0]'s as well; give each channel a name of its own"],
  },
  {
    name: 'a source of no known kind',
    text: 'channels: [{number: 1, name: a, source: "rtsp://camera/"}]',
    messages: ['1:33: channels[0].source: "rtsp://camera/" is of no known kind; begin it with one of file:, testcard:'],
  },
  {
    name: 'a kind in capital letters, which no source would know',
    text: 'channels: [{number: 1, name: a, source: "FILE:a.mp4"}]',
    messages: ['1:33: channels[0].source: "FILE:a.mp4" is of no known kind; begin it with one of file:, testcard:'],
  },
  {
    name: 'a path without its kind',
    text: 'channels: [{number: 1, name: a, source: /srv/film.mp4}]',
    messages: ['1:33: channels[0].source: "/srv/film.mp4" is of no known kind; begin it with one of file:, testcard:'],
  },
  {
    name: 'ports that are no range',
    text: 'media: {rtpPorts: 40002}',
    messages: ['1:9: media.rtpPorts: 40002 is not allowed; write a range of ports, e.g. 40002-40999'],
  },
  ...['40002-40002', '40999-40002', '65530-65536', '0-10', '40003-40004'].map(range => ({
    name: `the range ${range}`,
    text: `media: {rtpPorts: ${range}}`,
    messages: [
      `1:9: media.rtpPorts: ${range} holds no pair of ports; write a range with an even port and the next one in it, the lower first, e.g. 40002-40999`,
    ],
  })),
  {
    name: 'a range around the port of the browsers',
    text: 'media: {rtpPorts: 39000-41000}',
    messages: ['1:9: media.rtpPorts: 39000-41000 contains media.port 40000; leave media.port out of the range'],
  },
  ...['tv.example.org', '[auto, 192.0.2.1]'].map(address => ({
    name: `${address} for the media's address`,
    text: `media: {address: ${address}}`,
    messages: [
      `1:9: media.address: ${address.startsWith('[') ? 'auto' : address} is not an IP address; write auto, an IP address, or a list of IP addresses`,
    ],
  })),
  {
    name: 'a wrong item of a list, once',
    text: 'media: {address: [1]}',
    messages: ['1:9: media.address: [1] is not allowed; write auto, an IP address, or a list of IP addresses'],
  },
  {
    name: 'several faults, all of them',
    text: 'domin: x\nguests: 1\nhttp: {port: -1}',
    messages: [
      '2:1: guests: 1 is not allowed; write true or false',
      '3:8: http.port: -1 is not allowed; write a port, 0 to 65535 (0 picks a free one)',
      '1:1: domin: unknown key; did you mean domain?',
    ],
  },
];

describe('a configuration is refused', () => {
  for (const { name, text, messages } of FAULTS) {
    it(`for ${name}`, () => {
      const { code, lines } = refusal(text);
      assert.equal(code, 'CONFIG_INVALID');
      assert.deepEqual(lines.sort(), messages.map(message => `${PATH}:${message}`).sort());
    });
  }

  for (const [name, text, message] of [
    ['a bracket that is not closed', 'http:\n  port: [', ':2:10: '],
    ['a key that stands there twice', 'guests: true\nguests: true', ':2:1: Map keys must be unique'],
    ['two documents', 'a: 1\n---\nb: 1', ':2:1: '],
    ['an alias to nothing', 'domain: *nowhere', ': Unresolved alias'],
    // "Billion laughs": each level ten times the one before.
    [
      'aliases of aliases that would fill the memory',
      [
        'a: &a [x,x,x,x,x,x,x,x,x,x]',
        ...'bcdefghi'.split('').map((key, index) => `${key}: &${key} [${Array(10).fill(`*${'abcdefgh'[index]}`)}]`),
      ].join('\n'),
      ': Excessive alias count',
    ],
  ] as const) {
    it(`as unreadable for ${name}`, () => {
      const { code, lines } = refusal(text);
      assert.equal(code, 'CONFIG_UNREADABLE');
      assert.equal(lines.length, 1);
      assert.ok(lines[0]?.startsWith(PATH + message), lines[0]);
    });
  }
});

describe('the certificates of a configuration', () => {
  const certificates = new Certificates();
  after(() => certificates.remove());
  const [a, b] = [certificates.issue('a', ['localhost']), certificates.issue('b', ['localhost'])];
  const tv = join(certificates.folder, 'tv.yaml');

  it('are found beside the file, and TLS has its own port', () => {
    const { http, sip } = parseConfig(
      'http: {tls: {certificate: a.pem, key: a.key}}\nsip: {tls: {certificate: b.pem, key: b.key}}',
      tv,
      OPTIONS,
    );
    assert.deepEqual([http.tls, sip.tls], [a, { port: 5061, ...b }]);
    assert.equal(parseConfig(`sip: {tls: {port: 0, certificate: a.pem, key: ${a.key}}}`, tv, OPTIONS).sip.tls?.port, 0);
    assert.equal(parse('sip: {tls: null}').sip.tls, null);
  });

  for (const [name, tls, message] of [
    ['are not there', '{certificate: c.pem, key: a.key}', `sip.tls.certificate: FOLDER/c.pem cannot be read (ENOENT)`],
    ['have no key', '{certificate: a.pem, key: c.key}', `sip.tls.key: FOLDER/c.key cannot be read (ENOENT)`],
    [
      'have the key of others',
      '{certificate: a.pem, key: b.key}',
      'sip.tls.key: FOLDER/b.key is not the key of FOLDER/a.pem; name the key with which the certificate was requested',
    ],
    [
      'name neither',
      '{port: 1}',
      'sip.tls.certificate: missing; write the path of a certificate in PEM\n' +
        "sip.tls.key: missing; write the path of the certificate's private key in PEM",
    ],
    [
      'have a misspelt key',
      '{certificate: a.pem, key: a.key, prot: 1}',
      'sip.tls.prot: unknown key; did you mean port?',
    ],
    ['are switched on without more', 'true', 'sip.tls: true is not allowed; write port, certificate and key, or null'],
  ] as const) {
    it(`are refused when they ${name}`, () => {
      assert.throws(
        () => parseConfig(`sip: {tls: ${tls}}`, tv, OPTIONS),
        (error: DialcastError) => {
          assert.equal(error.code, 'CONFIG_INVALID');
          const lines = error.detail.replace(/^.*?: (?=sip)/gm, '').replaceAll(certificates.folder, 'FOLDER');
          assert.equal(lines.slice(0, message.length), message);
          return true;
        },
      );
    });
  }
});

describe('a configuration file', () => {
  it('is read from its path, which `file:` sources are relative to', t => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'tv.yaml');
    writeFileSync(file, 'domain: tv.example.org\nchannels: [{number: 1, name: a, source: "file:a.mp4"}]');
    const { domain, channels } = loadConfig(file, OPTIONS);
    assert.deepEqual([domain, channels[0]?.source], ['tv.example.org', `file:${join(folder, 'a.mp4')}`]);
  });

  it('that is not there is named', () => {
    assert.throws(() => loadConfig('/nowhere/tv.yaml', OPTIONS), {
      code: 'CONFIG_UNREADABLE',
      detail: "/nowhere/tv.yaml: ENOENT: no such file or directory, open '/nowhere/tv.yaml'",
    });
  });
});
