import assert from 'node:assert/strict';
import { Dialog } from '../dialog/index.ts';
import { type Header, type Request, type Response, respond } from '../message/index.ts';
import { FakeClock, FakeFlow, makeRequest, type RequestParts } from '../testing.ts';
import { ServerTransaction } from '../transaction/index.ts';
import { Subscription, type SubscriptionOptions } from './index.ts';

const LIMITS = { defaultSeconds: 3_600, leastSeconds: 60, mostSeconds: 3_600 };

/** A subscription to a state that a test sets, whose NOTIFYs the test answers. */
export class SubscriptionBench {
  readonly clock = new FakeClock();
  readonly flow: FakeFlow;
  readonly subscription: Subscription;
  /** `0 active;expires=600 off`: when, how long still, and the state. */
  readonly told: string[] = [];
  readonly notifies: { readonly request: Request; readonly once: boolean }[] = [];
  state: string | null = 'off';
  /** Is every NOTIFY answered with 200 at once. */
  answersItself = false;
  proofs = 0;
  over = 0;
  readonly #answers: ((response: Response | null) => void)[] = [];

  constructor(
    transport: 'udp' | 'tcp' | 'ws' | 'wss' = 'tcp',
    options: Partial<SubscriptionOptions> = {},
    event = { name: 'light', id: null as string | null },
  ) {
    this.flow = new FakeFlow(this.clock, transport);
    this.subscription = new Subscription({
      dialog: Dialog.asServer(makeRequest('SUBSCRIBE', { headers: [['event', 'light']] }), 'ours', this.flow),
      event,
      localUser: 'news',
      seconds: 600,
      limits: LIMITS,
      isProved: true,
      state: version =>
        this.state === null ? null : { type: 'text/light', body: Buffer.from(`${this.state} ${version}`) },
      proved: () => this.proofs++,
      ended: () => this.over++,
      ports: {
        clock: this.clock,
        contact: (flow, user) => `<sip:${user}@${flow.localAddress}>`,
        request: (dialog, method, parts, answered) => {
          const request = dialog.request(method, 'SIP/2.0/UDP us', parts);
          assert.equal(method, 'NOTIFY');
          this.notifies.push({ request, once: parts.once ?? false });
          this.told.push(`${this.clock.nowMs()} ${request.get('subscription-state')} ${request.body}`);
          this.#answers.push(answered);
          if (this.answersItself) this.answer();
        },
      },
      ...options,
    });
  }

  /** A SUBSCRIBE, as it comes to the subscription; gives the answer. */
  subscribe(headers: readonly Header[] = [], parts: RequestParts = {}, first = false): Response {
    const event: Header[] = headers.some(([name]) => name === 'event') ? [] : [['event', 'light']];
    const to = first ? {} : { to: '<sip:news@192.0.2.1>;tag=ours' };
    return this.receive(makeRequest('SUBSCRIBE', { ...to, ...parts, headers: [...event, ...headers] }), first);
  }

  receive(request: Request, first = false): Response {
    const transaction = new ServerTransaction({
      request,
      flow: this.flow,
      clock: this.clock,
      user: { report: () => undefined, timeOut: () => undefined },
      onTerminated: () => undefined,
      onRetransmission: () => undefined,
    });
    if (first) this.subscription.begin(transaction);
    else this.subscription.receive(transaction);
    return this.flow.takeResponse();
  }

  /** Timers that run, those aside that end a transaction over a connection (J), which fire at once. */
  get timers(): number {
    this.clock.advance(0);
    return this.clock.pending;
  }

  /** The answer to the oldest NOTIFY that has none; null when none came in time. */
  answer(status: number | null = 200, headers: readonly Header[] = []): void {
    const at = this.notifies.length - this.#answers.length;
    const answered = this.#answers.shift();
    assert.ok(answered !== undefined, 'a NOTIFY waits for an answer');
    answered(status === null ? null : respond(this.notifies[at]!.request, status, { headers }));
  }

  /** Subscribed, and the first NOTIFY answered. */
  running(): this {
    this.subscribe([], {}, true);
    this.answer();
    this.told.length = 0;
    return this;
  }
}

/** An element: its name, its attributes, and what is in it. Text is unescaped. */
export type Tree = readonly [name: string, attributes: Readonly<Record<string, string>>, ...content: (Tree | string)[]];

const TOKEN =
  /<(?<closed>\/)?(?<name>[a-z][a-z0-9-]*)(?<attributes>(?: [a-z][a-z0-9-]*="[^"<]*")*)(?<empty>\/)?>|[^<>]+/gy;
const CHARACTERS: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Reads a whole document in UTF-8; throws when it is not well-formed. */
export function readXml(bytes: Buffer): Tree {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
  assert.ok(text.startsWith(declaration) && text.endsWith('\n'), text);
  const source = text.slice(declaration.length, -1);
  const root: (Tree | string)[] = [];
  const open: { readonly name: string; readonly content: (Tree | string)[] }[] = [{ name: '', content: root }];
  let read = 0;
  for (const { 0: token, groups = {} } of source.matchAll(TOKEN)) {
    read += token.length;
    const { content } = open.at(-1)!;
    if (groups.name === undefined) content.push(unescaped(token));
    else if (groups.closed !== undefined) assert.equal(open.pop()?.name, groups.name);
    else {
      const pairs = [...groups.attributes!.matchAll(/ ([^=]+)="([^"]*)"/g)].map(
        ([, name, value]) => [name!, unescaped(value!)] as const,
      );
      assert.equal(new Set(pairs.map(([name]) => name)).size, pairs.length, 'no attribute twice');
      const tree: [string, Record<string, string>, ...(Tree | string)[]] = [groups.name, Object.fromEntries(pairs)];
      content.push(tree);
      if (groups.empty === undefined) open.push({ name: groups.name, content: tree as unknown as (Tree | string)[] });
    }
  }
  assert.deepEqual([read, open.length, root.length], [source.length, 1, 1], text);
  return root[0] as Tree;
}

function unescaped(text: string): string {
  assert.match(text, /^(?:[^&]|&(?:amp|lt|gt|quot|apos|#\d+);)*$/);
  return text.replace(/&(#?\w+);/g, (_, name: string) =>
    name.startsWith('#') ? String.fromCodePoint(Number(name.slice(1))) : CHARACTERS[name]!,
  );
}
