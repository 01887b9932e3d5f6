import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DvbPage, dvbPage, emptyDvbPage } from '../../../test/support/dvb-page.ts';
import { DvbSubtitles } from './dvb-subtitles.ts';

const PICTURE = { width: 720, height: 576, pixelAspect: 1 };
const DUE_US = 1_700_000_000_000_000;
const END_OF_LINE = 0xf0;
/** Page ids of the descriptor. */
const IDS = Buffer.of(0, 1, 0, 1);

/** Each pixel as one letter: white, black, grey, red or blank. */
function drawn(page: DvbPage): string[] {
  const track = new DvbSubtitles(IDS);
  track.take(dvbPage(page), DUE_US);
  const layer = track.at(DUE_US, PICTURE);
  if (layer === null) return [];
  const { width, height } = layer.frame;
  const bytes = layer.frame.data![0]!;
  const letter = (at: number) => {
    const [blue, green, red, opacity] = bytes.subarray(at, at + 4) as unknown as [number, number, number, number];
    if (opacity === 0) return '.';
    if (red > 200 && green > 200 && blue > 200) return 'w';
    if (red > 200) return 'r';
    return green > 100 ? 'g' : 'b';
  };
  const rows = Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => letter(4 * (y * width + x))).join(''),
  );
  track.close();
  return rows;
}

describe('a page of DVB subtitles', () => {
  const AT = { x: 0, y: 0 };

  it('of two bits a pixel is drawn in two fields', () => {
    // 01 10 11, a run of three white, the end; then a run of twelve and the end.
    const top = [0x10, 0b01_10_11_00, 0b1_000_01_00, 0b0_0_00_0000, END_OF_LINE];
    const bottom = [0x10, 0b00_0_0_10_00, 0b00_01_00_0_0, 0b00_000000, END_OF_LINE];
    const rows = drawn({ ...AT, width: 12, height: 2, depth: 1, top, bottom });
    assert.deepEqual(rows, ['wbgwww......', 'wwwwwwwwwwww']);
  });

  it('of four bits a pixel has runs of each kind', () => {
    // 0x7 white; 0 and 3 bits of length: 2+2 blank; a run of 4 of 0x1 (red); one blank, two blank; 9 of 0x7; end.
    const bits = [
      '0111',
      '0000',
      '0010',
      '0000',
      '1000',
      '0001',
      '0000',
      '1100',
      '0000',
      '1101',
      '0000',
      '1110',
      '0000',
    ];
    const run = [...bits, '0111', '0000', '0000'].join('');
    const bytes = run.match(/.{8}/g)!.map(byte => Number.parseInt(byte, 2));
    const rows = drawn({ ...AT, width: 22, height: 1, top: [0x11, ...bytes, END_OF_LINE] });
    assert.deepEqual(rows, ['w....rrrr...wwwwwwwww.']);
  });

  it('of eight bits a pixel has the colours that were sent', () => {
    const top = [0x12, 5, 0, 0b1000_0011, 6, 0, 2, 5, 0, 0, END_OF_LINE];
    const rows = drawn({
      ...AT,
      width: 8,
      height: 1,
      depth: 3,
      top,
      colours: [
        [5, 235, 128, 128, 0],
        [6, 81, 240, 90, 0],
      ],
    });
    assert.deepEqual(rows, ['wrrr..w.']);
  });

  it('is as large in the picture as it was drawn for its display', () => {
    const track = new DvbSubtitles(IDS);
    const top = [0x11, 0x77, 0, 0, END_OF_LINE];
    track.take(dvbPage({ display: { width: 1920, height: 1080 }, x: 300, y: 900, width: 90, height: 30, top }), DUE_US);
    const { x, y, width, height } = track.at(DUE_US, { width: 1280, height: 720, pixelAspect: 1 })!;
    assert.deepEqual([x, y, width, height], [200, 600, 60, 20]);
    track.close();
  });

  it('is seen from its time until the next one, or until its time is over', () => {
    const track = new DvbSubtitles(IDS);
    const page = { ...AT, width: 2, height: 1, top: [0x11, 0x77, 0, 0, END_OF_LINE] };
    const seconds = (count: number) => DUE_US + count * 1_000_000;
    track.take(dvbPage(page), seconds(1));
    track.take(emptyDvbPage(), seconds(3));
    track.take(dvbPage({ ...page, timeoutSeconds: 2 }), seconds(4));
    const seen = [0, 1, 2, 3, 3.9, 4, 5.9, 6].map(at => track.at(seconds(at), PICTURE) !== null);
    assert.deepEqual(seen, [false, true, true, false, false, true, true, false]);
    track.close();
  });

  it('of another page id is not shown', () => {
    const track = new DvbSubtitles(Buffer.of(0, 2, 0, 3));
    track.take(dvbPage({ ...AT, width: 2, height: 1, top: [0x11, 0x77, 0, 0] }), DUE_US);
    assert.equal(track.at(DUE_US, PICTURE), null);
  });

  it('attack: harms nobody, whatever bytes come', () => {
    const whole = dvbPage({ x: 0, y: 0, width: 40, height: 20, top: [0x11, 0x77, 0x0c, 0xff, END_OF_LINE] });
    let state = 7;
    const random = (most: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state % most;
    };
    const track = new DvbSubtitles(null);
    for (let round = 0; round < 3_000; round++) {
      const bytes = Buffer.from(whole);
      for (let index = 0; index < 1 + random(6); index++) bytes[random(bytes.length)] = random(256);
      track.take(bytes.subarray(0, 1 + random(bytes.length)), DUE_US + round);
      const layer = track.at(DUE_US + round, PICTURE);
      assert.ok(layer === null || layer.frame.width * layer.frame.height <= 1920 * 1080);
    }
    track.close();
  });

  it('attack: of a size that is no television is not drawn', () => {
    assert.deepEqual(drawn({ ...AT, width: 65_535, height: 65_535, top: [0x11, 0x77, 0, 0] }), []);
  });
});
