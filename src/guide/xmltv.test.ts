import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseXmltvTime, XmltvReader } from './xmltv.ts';

const OPTIONS = {
  isWanted: (id: string) => id.endsWith('.example'),
  fromMs: Date.UTC(2026, 10, 23),
  toMs: Date.UTC(2026, 10, 30),
};

/** What comes of a document that arrives in pieces of this size. */
function read(document: string, pieceSize = document.length) {
  const reader = new XmltvReader(OPTIONS);
  for (let at = 0; at < document.length; at += pieceSize) {
    if (!reader.push(document.slice(at, at + pieceSize))) break;
  }
  return reader.end();
}

function schedule(document: string) {
  const result = read(document);
  assert.ok('schedule' in result, JSON.stringify(result));
  return result;
}

function refusal(document: string): string {
  const result = read(document);
  assert.ok('refusal' in result, 'it was read');
  return result.refusal;
}

const utc = (...parts: [number, number, number, number, number]) => Date.UTC(...parts);
const programme = (attributes: string, inside: string) =>
  `<tv><programme channel="a.example" ${attributes}>${inside}</programme></tv>`;
const EVENING = 'start="20261124200000 +0000" stop="20261124210000 +0000"';

/** As grabbers write it. */
const REAL = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tv SYSTEM "xmltv.dtd">
<tv date="20261124" source-info-name="Listings" generator-info-name="grabber/1.0">
  <channel id="a.example">
    <display-name lang="en">Channel A</display-name>
    <icon src="https://logos.example.org/a.png" />
  </channel>
  <programme start="20261124200000 +0100" stop="20261124203000 +0100" channel="a.example">
    <title lang="en">Cats &amp; dogs</title>
    <title lang="de">Katzen</title>
    <sub-title lang="en">Part&#160;1</sub-title>
    <desc lang="en">A film
      about <![CDATA[<animals>]]>.</desc>
    <credits><director>A. Person</director></credits>
    <date>2019</date>
    <category lang="en">Documentary</category>
    <category lang="en">Nature</category>
    <episode-num system="onscreen">S01E01</episode-num>
    <rating system="MPAA"><value>G</value></rating>
  </programme>
  <!-- no end is said of this one -->
  <programme start="20261124203000 +0100" channel="a.example"><title>News</title></programme>
  <programme start="20261124210000 +0100" stop="20261124220000 +0100" channel="other"><title>Not ours</title></programme>
  <programme start="20261101200000 +0100" stop="20261101210000 +0100" channel="a.example"><title>Past</title></programme>
  <programme start="20261224200000 +0100" stop="20261224210000 +0100" channel="a.example"><title>Far</title></programme>
</tv>
`;

const EXPECTED = [
  {
    startMs: utc(2026, 10, 24, 19, 0),
    stopMs: utc(2026, 10, 24, 19, 30),
    title: 'Cats & dogs',
    subtitle: 'Part 1',
    description: 'A film about <animals>.',
    category: 'Documentary',
  },
  {
    startMs: utc(2026, 10, 24, 19, 30),
    stopMs: utc(2026, 10, 24, 20, 30),
    title: 'News',
    subtitle: null,
    description: null,
    category: null,
  },
];

describe('a document in XMLTV', () => {
  for (const pieceSize of [REAL.length, 1, 7]) {
    it(`gives the programmes of our channels, in pieces of ${pieceSize} characters`, () => {
      const result = read(REAL, pieceSize);
      assert.ok('schedule' in result);
      assert.deepEqual([...result.schedule], [['a.example', EXPECTED]]);
      assert.deepEqual([result.programmes, result.faults], [2, []]);
    });
  }

  for (const [name, inside, title, fault] of [
    ['an ampersand alone', '<title>Cats & dogs</title>', 'Cats & dogs', 'line 1: Invalid character in entity name'],
    ['a tag that is not closed', '<title>News<desc>About</desc>', 'NewsAbout', 'line 1: Unexpected close tag'],
    ['a tag that is closed twice', '<title>News</title></title>', 'News', 'line 1: Unexpected close tag'],
  ] as const) {
    it(`is read on after ${name}, which is named`, () => {
      const good = '<programme channel="b.example" start="20261124200000"><title>News</title></programme>';
      const { schedule: found, faults } = schedule(programme(EVENING, inside).replace('</tv>', `${good}</tv>`));
      assert.deepEqual(
        ['a.example', 'b.example'].map(id => found.get(id)?.[0]?.title),
        [title, 'News'],
      );
      assert.deepEqual(faults, [fault]);
    });
  }

  it('may have entities of HTML', () => {
    const { schedule: found, faults } = schedule(programme(EVENING, '<title>Caf&eacute;&nbsp;&#8364;</title>'));
    assert.deepEqual([found.get('a.example')?.[0]?.title, faults], ['Café €', []]);
  });

  for (const [name, attributes, inside, fault] of [
    ['title', EVENING, '<desc>No title</desc>', /a programme of a\.example has no title/],
    ['time', 'start="tomorrow"', '<title>News</title>', /a programme of a\.example begins at "tomorrow"/],
  ] as const) {
    it(`loses a programme without a ${name}, and nothing else`, () => {
      const other = '<programme channel="b.example" start="20261124200000"><title>News</title></programme>';
      const { schedule: found, faults } = schedule(
        programme(attributes, inside).replace('</tv>', `${other.repeat(2)}</tv>`),
      );
      assert.deepEqual([...found.keys()], ['b.example']);
      assert.equal(faults.length, 1);
      assert.match(faults[0]!, fault);
    });
  }

  it('has texts that are cut to what can be shown', () => {
    const inside = `<title>${'t'.repeat(9_000)}</title><desc>${'d\u0001 \u202E'.repeat(20_000)}</desc>`;
    const [found] = schedule(programme(EVENING, inside)).schedule.get('a.example')!;
    assert.deepEqual([found?.title.length, found?.description?.length], [200, 1_000]);
    assert.ok(!found?.description?.includes('\u202E'));
  });

  it('of more programmes than there is room for is cut', () => {
    const reader = new XmltvReader(OPTIONS);
    reader.push('<tv>');
    const many = '<programme channel="a.example" start="20261124200000"><title>a</title></programme>'.repeat(1_000);
    for (let round = 0; round < 201; round++) reader.push(many);
    reader.push('</tv>');
    const result = reader.end();
    assert.ok('schedule' in result);
    assert.deepEqual(
      [result.programmes, result.faults],
      [200_000, ['there are more than 200000 programmes; the rest is left out']],
    );
  });

  for (const [name, document, why] of [
    ['nothing', '', /no XML/],
    ['a text', 'Not found', /no XML/],
    ['a web page', '<!DOCTYPE html><html><body></body></html>', /no XMLTV: it begins with <html>/],
  ] as const) {
    it(`is not ${name}`, () => assert.match(refusal(document), why));
  }
});

describe('a document that would fill the memory is refused or harmless:', () => {
  it('entities of entities (billion laughs)', () => {
    const entities = 'bcdefgh'.split('').map((name, at) => `<!ENTITY ${name} "${`&${'abcdefg'[at]};`.repeat(10)}">`);
    const doctype = `<!DOCTYPE tv [<!ENTITY a "laugh">${entities.join('')}]>`;
    const [found] = schedule(doctype + programme(EVENING, '<title>&h;</title>')).schedule.get('a.example')!;
    assert.equal(found?.title, '&h;');
  });

  it('a file that an entity names', () => {
    const doctype = '<!DOCTYPE tv [<!ENTITY a SYSTEM "file:///etc/passwd">]>';
    const [found] = schedule(doctype + programme(EVENING, '<title>&a;</title>')).schedule.get('a.example')!;
    assert.equal(found?.title, '&a;');
  });

  for (const [name, begin, piece] of [
    ['tags within tags', '<tv>', '<a>'.repeat(1_000)],
    ['a tag of endless attributes', '<tv><programme ', 'a="b" '.repeat(1_000)],
    ['an endless name', '<tv><', 'a'.repeat(10_000)],
    ['an endless text', '<tv><programme channel="a.example" start="20261124200000"><title>', 'a'.repeat(10_000)],
    ['an endless comment', '<tv><!-- ', 'a'.repeat(10_000)],
    ['an endless document type', '<!DOCTYPE tv [', '<!ENTITY a "b">'.repeat(1_000)],
    ['endless blanks before the first tag', '', ' '.repeat(10_000)],
  ] as const) {
    it(name, () => {
      const reader = new XmltvReader(OPTIONS);
      reader.push(begin);
      let pushed = 0;
      while (reader.push(piece) && pushed < 1_000) pushed++;
      assert.ok(pushed < 1_000, 'it was read on and on');
      assert.ok('refusal' in reader.end());
    });
  }
});

describe('a time of XMLTV', () => {
  for (const [text, expected] of [
    ['20261124203000 +0100', '2026-11-24T19:30:00Z'],
    ['20261124203000 -0330', '2026-11-25T00:00:00Z'],
    ['20261124203000+01:00', '2026-11-24T19:30:00Z'],
    ['20261124203015', '2026-11-24T20:30:15Z'],
    ['20261124203000 UTC', '2026-11-24T20:30:00Z'],
    ['20261124203000 GMT', '2026-11-24T20:30:00Z'],
    ['20261124203000Z', '2026-11-24T20:30:00Z'],
    ['202611242030', '2026-11-24T20:30:00Z'],
    [' 20261124 ', '2026-11-24T00:00:00Z'],
    ['2026', '2026-01-01T00:00:00Z'],
    ['20240229000000 +0000', '2024-02-29T00:00:00Z'],
  ] as const) {
    it(`${text} is ${expected}`, () => assert.equal(parseXmltvTime(text), Date.parse(expected)));
  }

  for (const text of ['', 'tomorrow', '202', '20261324000000', '20260231000000', '20261124206000', '20261124 CET']) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseXmltvTime(text), null));
  }
});
