import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INFO, setUpCalls } from '../../test/support/calls.ts';
import { readOffer } from '../../test/vectors/offers/read.ts';
import { SlateTime } from './slate-time.ts';

const OFFER = readOffer('sipp');
const SHUTDOWN = { protocol: 'SIP', cause: 503, text: 'The server is shutting down' } as const;

describe('who may call', () => {
  for (const target of ['nobody', '', '104', 'Clock', '__proto__', 'constructor']) {
    it(`nobody who asks for ${JSON.stringify(target)}, which is no channel`, () => {
      const { invite, happened } = setUpCalls();
      invite(OFFER, { target });
      assert.deepEqual(happened(), ['404 No such channel']);
    });
  }

  for (const target of ['clock', '101']) {
    it(`who asks for ${target}, by name or number`, () => {
      const { calls, invite, happened } = setUpCalls();
      invite(OFFER, { target });
      assert.deepEqual(happened(), ['start clock']);
      assert.equal(calls.list()[0]?.channel.config.name, 'clock');
    });
  }

  it('nobody beyond the limit, until somebody leaves', async () => {
    const { invite, answered, happened } = setUpCalls({ viewers: 2 });
    const first = await answered(OFFER, { id: 'a' });
    invite(OFFER, { id: 'b' });
    happened();
    invite(OFFER, { id: 'c' });
    assert.deepEqual(happened(), ['503 All places are taken (again in 30 s)']);
    first.handlers?.ended({ by: 'peer', cause: null });
    happened();
    await answered(OFFER, { id: 'c' });
    assert.ok(happened().includes('200'));
  });
});

describe('who watches a channel', () => {
  const watched = { name: 'clock', isOpen: true, title: 'clock', viewers: 0, calls: [] };

  for (const target of ['clock', '101']) {
    it(`sees it as ${target}, with the calls that are answered`, async () => {
      const { calls, seen, invite, answered } = setUpCalls();
      invite(OFFER, { id: 'rings' });
      const incoming = await answered(OFFER, { id: 'a', target: 'film' });
      assert.deepEqual(calls.look(target), watched);
      assert.deepEqual(seen, [{ ...watched, name: 'film', title: 'film', viewers: 1, calls: [incoming] }]);
    });
  }

  it('sees who comes and goes', async () => {
    const { seen, answered } = setUpCalls();
    const incoming = await answered(OFFER);
    incoming.handlers?.ended({ by: 'peer', cause: null });
    assert.deepEqual(seen, [{ ...watched, viewers: 1, calls: [incoming] }, watched]);
  });

  it('sees what is on', () => {
    const { calls, programmes } = setUpCalls();
    programmes.set('clock', 'The noon');
    assert.deepEqual([calls.look('clock')?.title, calls.look('film')?.title], ['clock: The noon', 'film']);
  });

  it('sees that its source fails', async () => {
    const { channels, seen, answered } = setUpCalls();
    await answered(OFFER);
    channels.sourceFailed('clock', 'no such file');
    assert.equal(seen.at(-1)?.isOpen, false);
  });

  it('sees nothing of what is no channel', () => {
    assert.equal(setUpCalls().calls.look('nobody'), null);
  });
});

describe('the time with the slate', () => {
  const out = (channels: ReturnType<typeof setUpCalls>['channels']) =>
    channels.sourceOut('clock', 'connection refused');

  it('is counted for each call of the channel from the answer on, and no longer when the source is back', async () => {
    const { calls, channels, answered, advance } = setUpCalls();
    const seconds = () => calls.list().map(({ id, slate }) => `${id} ${slate.totalMs(1_700_000_000_000 + now) / 1000}`);
    let now = 0;
    const pass = (ms: number) => {
      now += ms;
      advance(ms);
    };
    await answered(OFFER, { id: 'a' });
    await answered(OFFER, { id: 'b', target: 'film' });
    pass(5_000);
    assert.deepEqual(seconds(), ['a 0', 'b 0']);
    out(channels);
    pass(2_000);
    assert.deepEqual(seconds(), ['a 2', 'b 0']);
    channels.sourceOpened('clock', INFO);
    pass(60_000);
    out(channels);
    pass(1_000);
    out(channels);
    pass(500);
    channels.sourceOpened('clock', INFO);
    pass(9_000);
    assert.deepEqual(seconds(), ['a 3.5', 'b 0']);
  });

  it('begins with the answer for who calls while it is shown', async () => {
    const { calls, channels, invite, answered, settle, advance } = setUpCalls();
    await answered(OFFER, { id: 'a' });
    out(channels);
    advance(30_000);
    invite(OFFER, { id: 'b' });
    await settle();
    advance(4_000);
    const times = calls.list().map(({ slate }) => slate.totalMs(1_700_000_034_000));
    assert.deepEqual(times, [34_000, 4_000]);
  });

  it('takes nothing back when the clock is set back', () => {
    const slate = new SlateTime();
    slate.change(true, 10_000);
    slate.change(false, 12_000);
    slate.change(true, 9_000);
    assert.deepEqual([slate.totalMs(8_000), slate.totalMs(10_000)], [2_000, 3_000]);
  });
});

describe('a call that takes the place of another', () => {
  it('gets its channel, whatever it asks for, and needs no place of its own', async () => {
    const { calls, invite, answered, settle, happened } = setUpCalls({ viewers: 1 });
    await answered(OFFER, { id: 'a' });
    happened();
    invite(OFFER, { id: 'b', target: 'anybody', replaces: 'a' });
    await settle();
    assert.ok(happened().includes('200'));
    assert.deepEqual(
      calls.list().map(({ id, channel }) => [id, channel.config.name]),
      [
        ['a', 'clock'],
        ['b', 'clock'],
      ],
    );
    invite(OFFER, { id: 'c' });
    assert.deepEqual(happened(), ['503 All places are taken (again in 30 s)']);
  });
});

describe('hanging up on everybody', () => {
  it('refuses who waits, says BYE to who watches, and is done when all are gone', async () => {
    const { calls, invite, answered, happened } = setUpCalls();
    await answered(OFFER, { id: 'a' });
    invite(OFFER, { id: 'b', target: 'film' });
    happened();
    await calls.hangUpAll(SHUTDOWN);
    assert.deepEqual(happened(), [
      'BYE SIP 503 The server is shutting down',
      'remove a',
      '503 The server is shutting down',
    ]);
    assert.deepEqual([calls.size, calls.outcomes], [0, { watched: 1, cancelled: 0, refused: 1 }]);
  });

  it('waits for a BYE that is answered later', async () => {
    const { calls, answered } = setUpCalls();
    const incoming = await answered(OFFER);
    incoming.hangUp = () => undefined;
    let done = false;
    const hangingUp = calls.hangUpAll(SHUTDOWN).then(() => {
      done = true;
    });
    await Promise.resolve();
    assert.equal(done, false);
    incoming.handlers?.ended({ by: 'us', cause: SHUTDOWN });
    await hangingUp;
  });

  it('is done at once when nobody is there', () => setUpCalls().calls.hangUpAll(SHUTDOWN));
});

describe('a text to a channel', () => {
  it('is taken, and to nobody refused', () => {
    const { calls } = setUpCalls();
    const from = { uri: 'sip:anna@example.org', user: 'anna', displayName: 'Anna' };
    assert.equal(calls.message({ target: 'clock', from, text: 'hello' }), null);
    assert.equal(calls.message({ target: '101', from, text: 'hello' }), null);
    assert.deepEqual(calls.message({ target: 'nobody', from, text: 'hello' }), {
      status: 404,
      reason: 'No such channel',
    });
  });
});
