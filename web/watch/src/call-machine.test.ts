import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallAction, type CallEvent, CallMachine } from './call-machine.ts';

/** A machine after these events, and what it did. With chance at 1 each wait is the longest. */
function after(...events: CallEvent[]): { machine: CallMachine; actions: CallAction[] } {
  const machine = new CallMachine(() => 1);
  const actions = events.flatMap(event => machine.handle(event));
  return { machine, actions };
}

const LINE_UP: CallEvent = { type: 'lineUp' };
const LINE_DOWN: CallEvent = { type: 'lineDown' };
const CLOCK: CallEvent = { type: 'chosen', target: 'clock' };
const FILM: CallEvent = { type: 'chosen', target: 'film' };
const WATCHING: readonly CallEvent[] = [LINE_UP, CLOCK, { type: 'answered' }, { type: 'shown' }];

function refused(status: number, retryAfterSeconds: number | null = null): CallEvent {
  return { type: 'refused', status, phrase: '', retryAfterSeconds };
}

function ended(cause: number, text = ''): CallEvent {
  return { type: 'ended', cause: { protocol: 'SIP', cause, text } };
}

test('a call goes from calling over connecting to watching', () => {
  const { machine, actions } = after(LINE_UP, CLOCK);
  assert.deepEqual(actions, [{ type: 'call', target: 'clock' }]);
  assert.deepEqual(machine.state, { name: 'calling', target: 'clock' });
  machine.handle({ type: 'answered' });
  assert.deepEqual(machine.state, { name: 'connecting', target: 'clock' });
  machine.handle({ type: 'shown' });
  assert.deepEqual(machine.state, { name: 'watching', target: 'clock' });
});

test('a channel chosen before the line is up is called as soon as it is', () => {
  const { machine, actions } = after(CLOCK);
  assert.deepEqual(actions, []);
  assert.equal(machine.state.name, 'calling');
  assert.deepEqual(machine.handle(LINE_UP), [{ type: 'call', target: 'clock' }]);
});

test('another channel hangs up and calls at once', () => {
  const { machine } = after(...WATCHING);
  assert.deepEqual(machine.handle(FILM), [{ type: 'hangUp' }, { type: 'call', target: 'film' }]);
  assert.deepEqual(machine.state, { name: 'calling', target: 'film' });
});

test('hanging up ends the call and leaves nothing', () => {
  const { machine } = after(...WATCHING);
  assert.deepEqual(machine.handle({ type: 'hungUp' }), [{ type: 'hangUp' }]);
  assert.deepEqual(machine.state, { name: 'idle' });
  assert.deepEqual(machine.handle(LINE_DOWN), []);
  assert.deepEqual(machine.handle(LINE_UP), []);
  assert.deepEqual(machine.state, { name: 'idle' });
});

test('a refusal ends the call with words, whatever the status', () => {
  for (const status of [403, 404, 480, 486, 488, 500, 503]) {
    const { machine, actions } = after(LINE_UP, CLOCK, refused(status));
    assert.equal(machine.state.name, 'ended', String(status));
    assert.deepEqual(actions, [{ type: 'call', target: 'clock' }]);
  }
});

test('a call that ended can be made again, with no second hang-up', () => {
  const { machine } = after(LINE_UP, CLOCK, refused(404));
  assert.deepEqual(machine.handle(CLOCK), [{ type: 'call', target: 'clock' }]);
});

test('a lost line brings the call back as soon as the line is back', () => {
  const { machine } = after(...WATCHING);
  assert.deepEqual(machine.handle(LINE_DOWN), [{ type: 'hangUp' }]);
  assert.deepEqual(machine.state, { name: 'reconnecting', target: 'clock', attempt: 0 });
  assert.deepEqual(machine.handle(LINE_UP), [{ type: 'call', target: 'clock' }]);
  machine.handle({ type: 'answered' });
  assert.equal(machine.state.name, 'reconnecting');
  machine.handle({ type: 'shown' });
  assert.deepEqual(machine.state, { name: 'watching', target: 'clock' });
});

test('lost media hangs up and calls again after waits that grow, and shrink once there was a picture', () => {
  const { machine } = after(...WATCHING);
  const waits: CallAction[][] = [];
  for (let attempt = 0; attempt < 4; attempt++) {
    waits.push(machine.handle({ type: 'lost' }));
    assert.deepEqual(machine.handle({ type: 'retryDue' }), [{ type: 'call', target: 'clock' }]);
  }
  assert.deepEqual(
    waits,
    [250, 500, 1000, 2000].map(delayMs => [{ type: 'hangUp' }, { type: 'retryAfter', delayMs }]),
  );
  machine.handle({ type: 'shown' });
  assert.deepEqual(machine.handle({ type: 'lost' }), [{ type: 'hangUp' }, { type: 'retryAfter', delayMs: 250 }]);
});

test('while the media is lost the line can be lost too: the call waits for both', () => {
  const { machine } = after(...WATCHING, { type: 'lost' }, LINE_DOWN);
  assert.deepEqual(machine.handle({ type: 'retryDue' }), []);
  assert.deepEqual(machine.handle(LINE_UP), [{ type: 'call', target: 'clock' }]);
});

test('a line that comes back does not shorten the wait of a call', () => {
  const { machine } = after(...WATCHING, { type: 'lost' }, LINE_DOWN);
  assert.deepEqual(machine.handle(LINE_UP), []);
  assert.deepEqual(machine.handle({ type: 'retryDue' }), [{ type: 'call', target: 'clock' }]);
});

test('the network that comes back ends the wait', () => {
  const { machine } = after(...WATCHING, { type: 'lost' });
  assert.deepEqual(machine.handle({ type: 'networkBack' }), [
    { type: 'cancelRetry' },
    { type: 'call', target: 'clock' },
  ]);
  assert.deepEqual(machine.handle({ type: 'networkBack' }), []);
});

test('choosing or hanging up while a wait is under way cancels it', () => {
  const chosen = after(...WATCHING, { type: 'lost' });
  assert.deepEqual(chosen.machine.handle(FILM), [{ type: 'cancelRetry' }, { type: 'call', target: 'film' }]);
  const hungUp = after(...WATCHING, { type: 'lost' });
  assert.deepEqual(hungUp.machine.handle({ type: 'hungUp' }), [{ type: 'cancelRetry' }]);
});

test('a server that restarts gets the time that it asks for; its refusals meanwhile end nothing', () => {
  const { machine } = after(...WATCHING);
  assert.deepEqual(machine.handle(ended(503, 'the server is going down')), [{ type: 'retryAfter', delayMs: 250 }]);
  assert.deepEqual(machine.handle({ type: 'retryDue' }), [{ type: 'call', target: 'clock' }]);
  assert.deepEqual(machine.handle(refused(503, 5)), [{ type: 'retryAfter', delayMs: 5000 }]);
  assert.equal(machine.state.name, 'reconnecting');
  machine.handle({ type: 'retryDue' });
  machine.handle(refused(404));
  assert.equal(machine.state.name, 'ended');
});

test('a call that the server gave up as dead is made again', () => {
  const { machine } = after(...WATCHING, ended(408, 'consent expired'));
  assert.equal(machine.state.name, 'reconnecting');
});

test('a call that the server ended with a reason stays ended, and says the reason', () => {
  const { machine, actions } = after(...WATCHING, ended(480, 'the film has ended'));
  assert.deepEqual(machine.state, { name: 'ended', target: 'clock', words: 'The film has ended.' });
  assert.equal(actions.length, 1);
});

test('what a call says after it was given up changes nothing', () => {
  for (const event of [{ type: 'answered' }, { type: 'shown' }, { type: 'lost' }, refused(404), ended(480)] as const) {
    const { machine } = after(...WATCHING, { type: 'lost' });
    assert.deepEqual(machine.handle(event), [], event.type);
    assert.equal(machine.state.name, 'reconnecting', event.type);
  }
});
