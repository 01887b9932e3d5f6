import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createLogger } from '../observe/index.ts';
import { SignallingEndpoint, type SignallingOptions } from './endpoint.ts';
import { type Header, type Request, type Response, respond, serialise } from './message/index.ts';
import { authorization, FakeClock, FakeFlow, makeRequest, memoryCredentials, type RequestParts } from './testing.ts';
import type { WatchedTarget } from './types.ts';

let clock: FakeClock;
let flow: FakeFlow;
let endpoint: SignallingEndpoint;
let news: WatchedTarget | null;

function create(options: Partial<SignallingOptions> = {}): void {
  clock = new FakeClock();
  flow = new FakeFlow(clock, 'tcp');
  news = { name: 'news', isOpen: true, title: 'News', viewers: 0, calls: [] };
  endpoint = new SignallingEndpoint({
    clock,
    log: createLogger({ level: 'silent' }),
    guests: true,
    handlers: {
      invite: call => call.reject({ status: 480 }),
      look: target => (target === 'news' || target === '101' ? news : null),
    },
    ...options,
  });
}

beforeEach(() => create());

interface Asked extends RequestParts {
  readonly event?: string;
  readonly contact?: string;
}

function subscribe(parts: Asked = {}, over = flow): (Request | Response)[] {
  const {
    contact = 'sip:ann@192.0.2.7:5062',
    event = 'presence',
    headers = [],
    branch = `z9hG4bK-${parts.callId}-${parts.sequence}`,
    ...rest
  } = parts;
  const own: Header[] = [['event', event], ['contact', `<${contact}>`], ...headers];
  endpoint.receive(over, serialise(makeRequest('SUBSCRIBE', { ...rest, branch, headers: own })));
  return over.take();
}

/** The peer's answer to a NOTIFY of ours. */
function answer(notify: Request, status = 200, over = flow): void {
  endpoint.receive(over, serialise(respond(notify, status)));
}

/** A subscription whose first NOTIFY is answered; gives the To of its dialog. */
function watching(parts: Asked = {}, over = flow): string {
  const [ok, notify] = subscribe(parts, over) as [Response, Request];
  assert.deepEqual([ok.status, notify.method], [200, 'NOTIFY']);
  answer(notify, 200, over);
  return ok.get('to')!;
}

describe('SUBSCRIBE', () => {
  for (const [event, type, body] of [
    ['presence', 'application/pidf+xml', /<basic>open<\/basic>/],
    ['dialog', 'application/dialog-info+xml', /version="0" state="full" entity="sip:news@192\.0\.2\.1"/],
  ] as const) {
    test(`to ${event} is answered, and a NOTIFY follows in its dialog`, () => {
      const [ok, notify] = subscribe({ event, headers: [['expires', '600']] }) as [Response, Request];
      assert.deepEqual(
        [ok.status, ok.get('expires'), ok.get('contact')],
        [200, '600', '<sip:news@192.0.2.1:5060;transport=tcp>'],
      );
      assert.deepEqual([notify.method, notify.uri, notify.fromTag], ['NOTIFY', 'sip:ann@192.0.2.7:5062', ok.toTag]);
      assert.deepEqual(
        [notify.get('event'), notify.get('subscription-state'), notify.get('content-type')],
        [event, 'active;expires=600', type],
      );
      assert.match(notify.body.toString(), body);
      assert.deepEqual([endpoint.sizes.subscriptions, endpoint.sizes.dialogs], [1, 1]);
    });
  }

  for (const [name, parts, status, header] of [
    ['to an event that we do not know', { event: 'message-summary' }, 489, ['allow-events', 'presence, dialog']],
    ['without an event', { event: '' }, 489, ['allow-events', 'presence, dialog']],
    ['that takes another document', { headers: [['accept', 'application/xpidf+xml']] }, 406, null],
    ['that asks for too little', { headers: [['expires', '59']] }, 423, ['min-expires', '60']],
    ['to whom there is not', { uri: 'sip:nobody@192.0.2.1' }, 404, null],
    ['in a dialog that there is not', { to: '<sip:news@192.0.2.1>;tag=gone' }, 481, null],
  ] as const) {
    test(`${name} is refused: ${status}`, () => {
      const [refusal, ...more] = subscribe(parts as Asked) as Response[];
      assert.deepEqual([refusal?.status, more.length, endpoint.sizes.subscriptions], [status, 0, 0]);
      if (header !== null) assert.equal(refusal?.get(header[0]), header[1]);
    });
  }

  for (const [expires, granted] of [
    ['7200', '3600'],
    ['60', '60'],
    ['soon', '3600'],
    [null, '3600'],
  ] as const) {
    test(`that asks for ${expires ?? 'no certain time'} gets ${granted} seconds`, () => {
      const [ok] = subscribe({ headers: expires === null ? [] : [['expires', expires]] });
      assert.equal(ok?.get('expires'), granted);
    });
  }

  for (const accept of ['application/pidf+xml, application/xpidf+xml', 'application/*;q=0.5', '*/*']) {
    test(`may accept ${accept}`, () => {
      assert.equal((subscribe({ headers: [['accept', accept]] })[0] as Response).status, 200);
    });
  }

  test('is refused where nothing can be watched', () => {
    create({ handlers: { invite: call => call.reject({ status: 480 }) } });
    assert.equal((subscribe()[0] as Response).status, 404);
  });
});

describe('who watches', () => {
  test('by another of its names hears what changes', () => {
    watching({ uri: 'sip:101@192.0.2.1', to: '<sip:101@192.0.2.1;user=phone>' });
    clock.advance(1_000);
    news = { ...news!, isOpen: false };
    endpoint.watchedChanged('news');
    const notify = flow.takeRequest();
    assert.match(notify.body.toString(), /entity="sip:101@192\.0\.2\.1".*<basic>closed/);
  });

  test('hears that there is no longer anything', () => {
    watching();
    news = null;
    endpoint.watchedChanged('news');
    assert.equal(flow.takeRequest().get('subscription-state'), 'terminated;reason=noresource');
    assert.equal(endpoint.sizes.dialogs, 0);
  });

  test('unsubscribes in the dialog, which is over then', () => {
    const to = watching();
    const [ok, notify] = subscribe({ to, sequence: 2, headers: [['expires', '0']] });
    assert.deepEqual([(ok as Response).status, notify?.get('subscription-state')], [200, 'terminated;reason=timeout']);
    answer(notify as Request);
    clock.advance(0);
    assert.equal((subscribe({ to, sequence: 3 })[0] as Response).status, 481);
    assert.deepEqual(
      [endpoint.sizes.subscriptions, endpoint.sizes.dialogs, endpoint.sizes.clientTransactions],
      [0, 0, 0],
    );
  });

  test('refreshes from another connection, and hears the rest there', () => {
    const to = watching();
    const other = new FakeFlow(clock, 'tcp');
    const contact = 'sip:ann@192.0.2.7:5064';
    const [ok, notify] = subscribe({ to, sequence: 2, contact }, other);
    assert.deepEqual([(ok as Response).status, (notify as Request).uri], [200, contact]);
    assert.deepEqual(flow.take(), []);
  });

  test('does not answer any more: the subscription is over after 64·T1', () => {
    subscribe();
    clock.advance(31_999);
    assert.equal(endpoint.sizes.subscriptions, 1);
    clock.advance(1);
    assert.equal(endpoint.sizes.subscriptions, 0);
  });

  test('in a browser has gone with its WebSocket', () => {
    const browser = new FakeFlow(clock, 'ws');
    watching({}, browser);
    browser.close();
    endpoint.closed(browser);
    clock.advance(40_000);
    assert.deepEqual([endpoint.sizes.subscriptions, endpoint.sizes.dialogs, clock.pending], [0, 0, 0]);
  });

  test('is told to come back later when the server goes, and so is who comes then', () => {
    watching();
    endpoint.drain();
    assert.equal(flow.takeRequest().get('subscription-state'), 'terminated;reason=probation;retry-after=10');
    const [refusal] = subscribe({ callId: 'later' });
    assert.deepEqual([(refusal as Response).status, refusal?.get('retry-after')], [503, '10']);
  });

  test('leaves nothing behind when the server closes', () => {
    watching();
    endpoint.close();
    assert.deepEqual([endpoint.sizes.subscriptions, endpoint.sizes.dialogs], [0, 0]);
  });
});

describe('a flood of SUBSCRIBEs', () => {
  test('with a forged source draws one answer and one NOTIFY each, and fills its own places alone', () => {
    for (let n = 0; n < 1_100; n++) {
      const forged = new FakeFlow(clock, 'udp', `198.51.${n >> 8}.${n & 255}`);
      const sent = subscribe({ callId: `forged-${n}` }, forged);
      assert.equal((sent[0] as Response).status, n < 1_000 ? 200 : 503);
      assert.equal(sent.length, n < 1_000 ? 2 : 1);
      if (n === 0) {
        const asked = serialise(makeRequest('SUBSCRIBE', { headers: [['event', 'presence']] })).length;
        assert.ok(sent.reduce((sum, message) => sum + serialise(message).length, 0) < 4 * asked);
        clock.advance(10_000);
        assert.deepEqual(forged.timeline, ['0 200', '0 NOTIFY']);
      }
    }
    watching({ callId: 'honest' });
    clock.advance(32_000);
    assert.equal(endpoint.sizes.subscriptions, 1);
    // Its places are free again, and who answers in time stays.
    const udp = new FakeFlow(clock, 'udp');
    watching({ callId: 'phone' }, udp);
    clock.advance(600_000);
    assert.equal(endpoint.sizes.subscriptions, 2);
  });

  test('from one source ends at a thousand; a proxy of ours may have more', () => {
    create({ isTrusted: address => address === '192.0.2.3', limits: { requests: { ratePerSecond: 1e6, burst: 1e6 } } });
    const proxy = new FakeFlow(clock, 'tcp', '192.0.2.3');
    for (const [over, last] of [
      [flow, 503],
      [proxy, 200],
    ] as const) {
      let status = 0;
      for (let n = 0; n < 1_001; n++) status = (subscribe({ callId: `${last}-${n}` }, over)[0] as Response).status;
      assert.equal(status, last);
    }
  });
});

test('where only subscribers are let in, SUBSCRIBE takes a password, and refreshes do not', () => {
  create({ guests: false, authentication: { realm: 'tv', credentials: memoryCredentials({ ann: 'secret' }) } });
  const [challenge] = subscribe();
  assert.equal((challenge as Response).status, 401);
  const value = authorization(challenge!.get('www-authenticate')!, { method: 'SUBSCRIBE', password: 'secret' });
  const to = watching({ sequence: 2, headers: [['authorization', value]] });
  assert.equal((subscribe({ to, sequence: 3 })[0] as Response).status, 200);
});
