import { Calls } from '../../src/calls/index.ts';
import { Channels } from '../../src/channels/index.ts';
import type { ViewerSpec, ViewerUpdate } from '../../src/engine/index.ts';
import { createLogger } from '../../src/observe/index.ts';
import type { LocalMedia } from '../../src/sdp/index.ts';
import type { WatchedTarget } from '../../src/signalling/index.ts';
import type { SourceInfo } from '../../src/transcoder/index.ts';
import { FakeIncomingCall } from './incoming-call.ts';
import { FakeOutgoingCall } from './outgoing-call.ts';

export const INFO: SourceInfo = {
  video: { width: 1280, height: 720, frameRate: 30 },
  audio: { sampleRateHz: 48_000, channels: 2 },
};
type InviteOptions = Omit<NonNullable<ConstructorParameters<typeof FakeIncomingCall>[0]>, 'offer' | 'events'>;

const LIMITS = { openTimeoutMs: 10_000, transcoderLingerMs: 10_000, renditionLingerMs: 3_000, failureMemoryMs: 60_000 };

/** Calls on real channels in virtual time; the transcoder, the engine and signalling write down what they are told. */
export function setUpCalls({
  viewers = 10,
  addresses = ['192.0.2.1'],
  trusted = [] as readonly string[],
  alwaysOn = false,
} = {}) {
  const events: string[] = [];
  /** What watchers were shown. */
  const seen: (WatchedTarget | null)[] = [];
  const specs: ViewerSpec[] = [];
  const updates: ViewerUpdate[] = [];
  let feeds = 0;
  let placed = 0;
  const outgoings: FakeOutgoingCall[] = [];
  const timers = new Map<number, { dueMs: number; callback: () => void }>();
  let nowMs = 0;
  let handles = 0;
  const configs = ['clock', 'film', 'movie'].map((name, index) => ({
    name,
    number: 101 + index,
    title: name,
    source: 'testcard:',
    loop: false,
    alwaysOn: alwaysOn && name !== 'movie',
    // Each viewer of it has a place of his own.
    film: name === 'movie',
  }));
  const channels = new Channels(
    configs,
    {
      startTranscoder: ({ name }) => events.push(`start ${name}`),
      stopTranscoder: ({ name }) => events.push(`stop ${name}`),
      openFeed: (_channel, { codec }) => {
        events.push(`feed ${++feeds}: ${codec}`);
        return feeds;
      },
      closeFeed: feed => events.push(`close feed ${feed}`),
      slateChanged: ({ name }, isShown) => calls.slateChanged(name, isShown),
      films: {
        openFeed: (_channel, { codec }, reel) => {
          events.push(`feed ${++feeds} of ${reel}: ${codec}`);
          return feeds;
        },
        moveReel: async ({ reel, positionUs, paused }) => void events.push(`move ${reel}: ${positionUs} ${paused}`),
        progress: () => ({ durationUs: 90_000_000, preparedUs: 60_000_000 }),
        nowMs: () => nowMs,
      },
      availabilityChanged: ({ name }) => void seen.push(calls.look(name)),
      timers: {
        setTimeout: (callback, delayMs) => {
          timers.set(++handles, { dueMs: nowMs + delayMs, callback });
          return handles;
        },
        clearTimeout: handle => timers.delete(handle as number),
      },
    },
    LIMITS,
  );
  const advance = (ms: number) => {
    nowMs += ms;
    for (const [handle, { dueMs, callback }] of [...timers]) {
      if (dueMs <= nowMs && timers.delete(handle)) callback();
    }
  };
  /** Titles of programmes that are on, by channel. */
  const programmes = new Map<string, string>();
  const engine = {
    /** What the next request is answered with; a test may put a promise of its own here. */
    adding: null as Promise<void> | null,
    updating: null as Promise<void> | null,
    addViewer: async (spec: ViewerSpec): Promise<LocalMedia> => {
      specs.push(spec);
      events.push(`add ${spec.id}`);
      await engine.adding;
      return localMedia(spec);
    },
    updateViewer: async (update: ViewerUpdate) => {
      const { id, streams } = update;
      updates.push(update);
      events.push(`update ${id}: ${streams.map(({ kind, feed }) => `${kind} ${feed}`).join(', ')}`);
      await engine.updating;
    },
    confirmViewer: async (id: string) => void events.push(`confirm ${id}`),
    removeViewer: async (id: string) => void events.push(`remove ${id}`),
  };
  const calls = new Calls({
    channels,
    engine,
    log: createLogger({ level: 'silent' }),
    limits: { viewers },
    addresses,
    isTrusted: address => trusted.includes(address),
    nowUnixMs: () => 1_700_000_000_000 + nowMs,
    place: request => {
      const outgoing = new FakeOutgoingCall(`placed-${++placed}`, request, events);
      outgoings.push(outgoing);
      return outgoing;
    },
    mayPlace: to => to.includes('bob'),
    programmeOf: ({ config }) => programmes.get(config.name) ?? null,
    watchedChanged: name => void seen.push(calls.look(name)),
  });
  /** Lets everything that waits for nothing else happen. */
  const settle = () => new Promise<void>(resolve => setImmediate(resolve));
  const invite = (offer: string | null, options: InviteOptions = {}) => {
    const incoming = new FakeIncomingCall({ offer, events, ...options });
    calls.invite(incoming);
    return incoming;
  };
  /** An answered call on a channel that opens at once. */
  const answered = async (offer: string | null, options: InviteOptions = {}) => {
    const incoming = invite(offer, options);
    channels.sourceOpened(incoming.target, INFO);
    await settle();
    return incoming;
  };
  const happened = () => events.splice(0);
  return {
    ...{ calls, seen, channels, engine, outgoings, programmes },
    ...{ specs, updates, advance, settle, invite, answered, happened },
  };
}

function localMedia({ transport, streams }: ViewerSpec): LocalMedia {
  const own = streams.map(({ kind }, index) => ({ kind, ssrc: index + 1, cname: 'tv' }));
  if (transport.kind === 'rtp') {
    const ports = own.map((stream, index) => ({ ...stream, port: 40_002 + 2 * index, rtcpPort: 40_003 + 2 * index }));
    return { transport: 'rtp', address: transport.localAddress, streams: ports };
  }
  const candidates = [{ address: '192.0.2.1', port: 40_000 }];
  return { transport: 'webrtc', iceUfrag: 'ours', icePwd: 'pwd', fingerprint: 'AA:BB', candidates, streams: own };
}
