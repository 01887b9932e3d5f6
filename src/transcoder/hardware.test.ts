import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AV_LOG_QUIET, AV_OPT_SEARCH_CHILDREN, AV_OPT_TYPE_STRING } from 'node-av/constants';
import { Codec, CodecContext, Log } from 'node-av/lib';
import { SMALL } from '../../test/support/renditions.ts';
import { HARDWARE, SOFTWARE, videoCodecFor } from './encode/video-codecs.ts';
import { findHardware, probeHardware } from './hardware.ts';
import { HARDWARE_KINDS, type HardwareKind } from './wire.ts';

// What it says of rubbish is for nobody.
Log.setLevel(AV_LOG_QUIET);

describe('hardware to encode with', () => {
  /** Probes of which only these kinds work; which were asked. */
  function setUp(...working: HardwareKind[]) {
    const asked: HardwareKind[] = [];
    const probe = async (kind: HardwareKind) => {
      asked.push(kind);
      return working.includes(kind) ? null : `no ${kind}`;
    };
    return { asked, probe };
  }

  it('is not looked for when software is wanted', async () => {
    const { asked, probe } = setUp('nvenc');
    assert.deepEqual(await findHardware('software', probe), { hardware: null, refused: [] });
    assert.deepEqual(asked, []);
  });

  it('is the first that works when any is wanted', async () => {
    const { asked, probe } = setUp('vaapi', 'v4l2');
    assert.deepEqual(await findHardware('auto', probe), {
      hardware: 'vaapi',
      refused: [
        { kind: 'nvenc', reason: 'no nvenc' },
        { kind: 'qsv', reason: 'no qsv' },
      ],
    });
    assert.deepEqual(asked, ['nvenc', 'qsv', 'vaapi']);
  });

  it('is the one that is wanted, and software where that does not work', async () => {
    const { asked, probe } = setUp('nvenc', 'qsv');
    assert.deepEqual(await findHardware('qsv', probe), { hardware: 'qsv', refused: [] });
    const refused = [{ kind: 'v4l2' as const, reason: 'no v4l2' }];
    assert.deepEqual(await findHardware('v4l2', probe), { hardware: null, refused });
    assert.deepEqual(asked, ['qsv', 'v4l2']);
  });

  it('makes H.264 in whole pictures alone', () => {
    assert.equal(videoCodecFor(SMALL, 'nvenc'), HARDWARE.nvenc);
    assert.equal(videoCodecFor({ ...SMALL, packetizationMode: 0 }, 'nvenc'), SOFTWARE.h264);
    assert.equal(videoCodecFor({ ...SMALL, codec: 'vp8' }, 'nvenc'), SOFTWARE.vp8);
  });
});

describe('a probe', { timeout: 60_000 }, () => {
  it('finds nothing wrong with what encodes in software', async () => {
    assert.equal(await probeHardware('software'), null);
  });

  it('that takes too long is ended, and says so', async () => {
    assert.equal(await probeHardware('nvenc', 1), 'nothing came of it in 0.001 seconds');
  });

  it('refuses in words, on a machine that has no such hardware or on one whose driver is not well', async t => {
    // Whether there is any here is not this test's business: a reason, or that it works.
    const reason = await probeHardware('v4l2');
    t.diagnostic(reason ?? 'it works');
    assert.ok(reason === null || /\w+ \w+/.test(reason), `${reason}`);
    assert.ok(!reason?.includes('@ 0x'), `${reason}`);
  });
});

describe('the options for hardware', () => {
  for (const kind of HARDWARE_KINDS) {
    it(`of ${kind} are known to FFmpeg, and their values allowed`, () => {
      const { name, options } = HARDWARE[kind];
      const context = new CodecContext();
      context.allocContext3(Codec.findEncoderByName(name as Parameters<typeof Codec.findEncoderByName>[0]));
      for (const [option, value] of Object.entries(options({ ...SMALL, width: 640, height: 360 }, 'full'))) {
        const set = (text: string) => context.setOption(option, text, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
        assert.deepEqual([option, set(String(value)), set('rubbish') < 0], [option, 0, true]);
      }
      context.freeContext();
    });
  }
});
