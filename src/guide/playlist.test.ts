import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SOURCE_KINDS } from '../transcoder/index.ts';
import { parsePlaylist } from './playlist.ts';

const WEB = 'https://tv.example.org/lists/all.m3u?user=a';
const FILE = '/srv/tv/all.m3u';

function read(text: string, place = WEB) {
  const list = parsePlaylist(text, { place, sourceKinds: SOURCE_KINDS, sourceRefusal: () => null });
  assert.ok('channels' in list, JSON.stringify(list));
  return list;
}

/** As they are found: with a byte order mark, both kinds of line ends, and all that people write. */
const REAL = `\uFEFF#EXTM3U url-tvg="https://epg.example.org/guide.xml.gz" x-tvg-url="" refresh="3600"\r
\r
#EXTINF:-1 tvg-id="bbc1.uk" tvg-chno="1" tvg-name="BBC 1" tvg-logo="https://logos.example.org/1.png" group-title="UK, general",BBC One, HD\r
https://tv.example.org/bbc1/index.m3u8\r
#EXTINF:-1 TVG-ID=news.example group-title=News ,  The   News \t Channel
#EXTVLCOPT:http-user-agent=Mozilla/5.0
#KODIPROP:inputstream=inputstream.adaptive
rtsp://user:secret@camera.example.org/1#transport=udp
#EXTINF:0 tvg-chno="none" tvg-logo="logo.png",Radio
#EXTGRP:Sound
HTTP://radio.example.org:8000/stream
# a remark

#EXTINF:-1 tvg-name="Multicast" group-title="",
udp://@239.10.0.1:5000`;

describe('a playlist', () => {
  it('gives each entry with all that it says', () => {
    assert.deepEqual(read(REAL), {
      channels: [
        {
          title: 'BBC One, HD',
          source: 'https://tv.example.org/bbc1/index.m3u8',
          loop: false,
          number: 1,
          group: 'UK, general',
          logo: 'https://logos.example.org/1.png',
          guideId: 'bbc1.uk',
        },
        {
          title: 'The News Channel',
          source: 'rtsp://user:secret@camera.example.org/1#transport=udp',
          loop: false,
          group: 'News',
          guideId: 'news.example',
        },
        { title: 'Radio', source: 'http://radio.example.org:8000/stream', loop: false, group: 'Sound' },
        { title: 'Multicast', source: 'udp://@239.10.0.1:5000', loop: false },
      ],
      faults: [
        { line: 9, fault: 'tvg-chno none is no number to dial' },
        { line: 9, fault: 'tvg-logo is no URL of a picture' },
      ],
    });
  });

  for (const [name, heading, title] of [
    ['after a quote that is not closed', '#EXTINF:-1 tvg-id="a group-title="b",News', 'News'],
    ['after no attributes', '#EXTINF:-1,News', 'News'],
    ['with quotes in it', '#EXTINF:-1 tvg-id="a","News"', '"News"'],
    ['with signs that would break a line', '#EXTINF:-1,a\u0000b\u2028c\u202Ed', 'a b c d'],
    ['of more than a hundred characters', `#EXTINF:-1,${'x'.repeat(200)}`, 'x'.repeat(100)],
    ['that would end in half a character', `#EXTINF:-1,${'x'.repeat(99)}😀`, `${'x'.repeat(99)}\uFFFD`],
    ['after characters of two units', '#EXTINF:-1 tvg-name="😀😀",News', 'News'],
    ['that is in tvg-name alone', '#EXTINF:-1 tvg-name="News"', 'News'],
    ['that is nowhere', '#EXTINF:-1', 'index'],
    ['without its line', '', 'index'],
  ] as const) {
    it(`takes a title ${name}`, () => {
      const list = read(`#EXTM3U\n${heading}\nhttp://a/b/index.m3u8?c=d`);
      assert.deepEqual([list.channels.map(each => each.title), list.faults], [[title], []]);
    });
  }

  for (const [place, address, source] of [
    [WEB, 'news.ts', 'https://tv.example.org/lists/news.ts'],
    [WEB, '/news.ts', 'https://tv.example.org/news.ts'],
    [WEB, 'rtp://239.0.0.1:5000', 'rtp://239.0.0.1:5000'],
    [FILE, 'films/a b.mkv', 'file:/srv/tv/films/a b.mkv'],
    [FILE, '/srv/a.mkv', 'file:/srv/a.mkv'],
    [FILE, 'file:a.mkv', 'file:/srv/tv/a.mkv'],
    [FILE, 'file:///srv/a%20b.mkv', 'file:/srv/a b.mkv'],
    [FILE, 'sdp:a.sdp', 'sdp:/srv/tv/a.sdp'],
    [FILE, 'http://a/b', 'http://a/b'],
  ] as const) {
    it(`in ${place} has ${address} for ${source}`, () => {
      const list = read(`#EXTM3U\n${address}`, place);
      assert.deepEqual([list.channels.map(each => each.source), list.faults], [[source], []]);
    });
  }

  for (const [place, address, fault] of [
    [WEB, 'exec:rm -rf .', 'exec: is taken from the configuration alone'],
    [FILE, 'exec:rm -rf .', 'exec: is taken from the configuration alone'],
    [FILE, 'dvb://0?system=dvb-t#1', 'dvb: is taken from the configuration alone'],
    [FILE, 'VLC:dvb://', 'vlc: is taken from the configuration alone'],
    [WEB, 'file:/etc/passwd', 'a list on the web may name no files of this machine'],
    [WEB, 'SDP:/etc/passwd', 'a list on the web may name no files of this machine'],
    [WEB, 'plugin://a/b', 'no source is of the kind plugin:'],
    [WEB, '//[', '//[ is no address'],
    [FILE, 'file://elsewhere/a', 'this is no path'],
  ] as const) {
    it(`in ${place} loses ${address} and nothing else`, () => {
      const list = read(`#EXTM3U\nhttp://a/1\n#EXTINF:-1,Bad\n${address}\nhttp://a/2`, place);
      assert.deepEqual(list.faults, [{ line: 4, fault }]);
      assert.deepEqual(
        list.channels.map(each => each.title),
        ['1', '2'],
      );
    });
  }

  it('names the line of an entry without an address', () => {
    const list = read('#EXTM3U\n#EXTINF:-1,One\n#EXTINF:-1,Two\nhttp://a/2\n#EXTINF:-1,Three\n');
    assert.deepEqual(list.faults, [
      { line: 2, fault: 'no address follows' },
      { line: 5, fault: 'no address follows' },
    ]);
    assert.equal(list.channels[0]?.title, 'Two');
  });

  for (const [name, text, why] of [
    ['nothing', '', /#EXTM3U/],
    ['a web page', '<html>\n<body>', /#EXTM3U/],
    ['a stream of HLS', '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6.0,\nsegment1.ts', /HLS/],
  ] as const) {
    it(`is not ${name}`, () => {
      const list = parsePlaylist(text, { place: WEB, sourceKinds: SOURCE_KINDS, sourceRefusal: () => null });
      assert.match('refusal' in list ? list.refusal : '', why);
    });
  }

  it('of more channels than anybody dials is cut', () => {
    const list = read(`#EXTM3U\n${'http://a/b\n'.repeat(10_050)}`);
    assert.equal(list.channels.length, 10_000);
    assert.deepEqual(list.faults, [
      { line: 10_002, fault: 'there are more than 10000 channels; the rest is left out' },
    ]);
  });

  for (const [name, line] of [
    ['letters', 'a'.repeat(16_000)],
    ['quotes', 'a="'.repeat(5_000)],
    ['attributes without an end', 'a-'.repeat(8_000)],
  ] as const) {
    it(`is read at once though its lines are long runs of ${name}`, () => {
      const startedAtMs = performance.now();
      const list = read(`#EXTM3U\n${`#EXTINF:${line}\nhttp://a/b\n`.repeat(300)}`);
      assert.equal(list.channels.length, 300);
      assert.ok(performance.now() - startedAtMs < 5_000);
    });
  }

  it('names a hundred faults at most', () => {
    assert.equal(read(`#EXTM3U\n${'exec:a\n'.repeat(1_000)}`).faults.length, 100);
  });

  it('loses a line that is too long, and nothing else', () => {
    const list = read(`#EXTM3U\nhttp://a/${'b'.repeat(20_000)}\nhttp://a/2`);
    assert.deepEqual([list.channels.length, list.faults.length], [1, 1]);
  });
});
