import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setUpCalls } from '../../test/support/calls.ts';

const HEAD = 'v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n';
const AUDIO = 'm=audio 6000 RTP/AVP 0\r\n';

/** An answered call that watches a film of 90 s, prepared for 60, at half a minute. */
async function setUp() {
  const bench = setUpCalls();
  const incoming = await bench.answered(HEAD + AUDIO, { target: 'movie' });
  bench.channels.reelMoved('movie 1', { positionUs: 30_000_000, isRunning: false });
  bench.happened();
  return { ...bench, incoming };
}

describe('a call with a film', () => {
  it('has a feed of its own', async () => {
    const { answered, happened } = setUpCalls();
    await answered(HEAD + AUDIO, { id: 'a', target: 'movie' });
    await answered(HEAD + AUDIO, { id: 'b', target: 'movie' });
    const feeds = happened().filter(event => event.startsWith('feed'));
    assert.deepEqual(feeds, ['feed 1 of movie 1: pcmu', 'feed 2 of movie 2: pcmu']);
  });

  it('keeps its place through a hold', async () => {
    const { calls, incoming, settle, happened } = await setUp();
    incoming.reinvite(`${HEAD}${AUDIO}a=sendonly\r\n`);
    await settle();
    assert.deepEqual(happened(), ['update call-1: audio null', '200']);
    incoming.reinvite(HEAD + AUDIO);
    await settle();
    assert.deepEqual(happened(), ['update call-1: audio 1', '200']);
    assert.equal(calls.list()[0]?.film?.position.positionUs, 30_000_000);
  });

  for (const [key, moved] of [
    ['4', 'move movie 1: 0 false'],
    ['6', 'move movie 1: 59999999 false'],
    ['1', 'move movie 1: 0 false'],
    ['3', 'move movie 1: 59999999 false'],
    ['0', 'move movie 1: 0 false'],
    ['5', 'move movie 1: undefined true'],
  ] as const) {
    it(`goes where the key ${key} of its phone sends it`, async () => {
      const { incoming, happened } = await setUp();
      incoming.handlers?.pressed?.(key);
      assert.deepEqual(happened(), [moved]);
    });
  }

  it('goes on when the key that had it wait is pressed again, and nowhere by others', async () => {
    const { incoming, happened } = await setUp();
    for (const key of ['5', '5', '7', '#', 'constructor']) incoming.handlers?.pressed?.(key);
    assert.deepEqual(happened(), ['move movie 1: undefined true', 'move movie 1: undefined false']);
  });

  it('is moved by its id, and no other is', async () => {
    const { calls, happened } = await setUp();
    const position = await calls.moveFilm('call-1', { positionUs: 10_000_000 });
    assert.deepEqual([position?.durationUs, happened()], [90_000_000, ['move movie 1: 10000000 false']]);
    assert.equal(calls.moveFilm('call-2', { paused: true }), null);
  });

  it('is over when the film is', async () => {
    const { channels, happened } = await setUp();
    channels.reelEnded('movie 1', null);
    assert.deepEqual(happened().slice(0, 1), ['BYE SIP 480 the film has ended']);
  });
});

it('a key in a call with what all watch means nothing', async () => {
  const { answered, happened } = setUpCalls();
  const incoming = await answered(HEAD + AUDIO);
  happened();
  incoming.handlers?.pressed?.('5');
  assert.deepEqual(happened(), []);
});
