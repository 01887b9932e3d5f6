import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setUpCalls } from '../../test/support/calls.ts';
import { readOffer } from '../../test/vectors/offers/read.ts';

const OFFER = readOffer('sipp');
const SHUTDOWN = { protocol: 'SIP', cause: 503, text: 'The server is shutting down' } as const;

describe('who may call', () => {
  for (const target of ['nobody', '', '103', 'Clock', '__proto__', 'constructor']) {
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
