import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Calls } from './calls/index.ts';
import { keyPair, renewed, trusted } from './certificates.ts';
import { Channels } from './channels/index.ts';
import { type Config, isWithin, type PlatformConfig, sourceRefusal, withChannels } from './config/index.ts';
import { Engine, type EngineEvent } from './engine/index.ts';
import type { DialcastError } from './errors.ts';
import { FilmCache, Films } from './films/index.ts';
import { Guide, ProgrammeWatch } from './guide/index.ts';
import { HttpServer } from './http/index.ts';
import {
  describeCall,
  describeChannel,
  describeGuide,
  describePosition,
  describeRegistration,
  figures,
  hostPort,
  programmesNow,
} from './listings.ts';
import { type Logger, Metrics, redactText } from './observe/index.ts';
import {
  HepExport,
  HepSocket,
  SignallingEndpoint,
  type SignallingOptions,
  systemClock,
  Trace,
  type WireMessage,
} from './signalling/index.ts';
import {
  Confinement,
  EFFORTS,
  findHardware,
  type HardwareReport,
  lookAt,
  SEGMENT_US,
  SOURCE_KINDS,
  startPreparation,
  PROCESS as TRANSCODER,
  TranscoderSupervisor,
  Tuners,
  writeWhole,
} from './transcoder/index.ts';

export interface ServerPorts {
  readonly http: number;
  readonly udp: number | null;
  readonly tcp: number | null;
  readonly tls: number | null;
  /** The UDP port that WebRTC viewers share. */
  readonly media: number;
}

const WEB_ROOT = fileURLToPath(new URL('../web/watch/dist', import.meta.url));

/** Viewers that are being told goodbye get this long; then everything is closed regardless. */
const HANG_UP_TIMEOUT_MS = 2_000;

/** The composition root: makes the parts from the configuration, ties them together, and closes them in order. */
export class Server {
  readonly ports: ServerPorts;
  /** Resolves when a part without which nothing works has failed: the server can only be closed. */
  readonly failed: Promise<DialcastError>;
  readonly #parts: Parts;

  /**
   * Resolves once calls can come in. Rejects with LISTEN_FAILED or NATIVE_MISSING, with nothing left open. `accounts`
   * are asked for where guests are not let in.
   */
  static async start(config: Config, log: Logger, accounts?: SignallingOptions['authentication']): Promise<Server> {
    const opened: (() => Promise<void>)[] = [];
    try {
      return await start(config, log, accounts, opened);
    } catch (error) {
      for (const close of opened.reverse()) await close();
      throw error;
    }
  }

  /** Made by {@link Server.start}. */
  constructor(parts: Parts, ports: ServerPorts, failed: Promise<DialcastError>) {
    this.#parts = parts;
    this.ports = ports;
    this.failed = failed;
  }

  /** Refuses new calls with 503, says BYE to the running ones, and closes everything within five seconds. */
  async close(): Promise<void> {
    const { calls, channels, engine, films, guide, hep, http, signalling, state, transcoders, tuners, watches } =
      this.#parts;
    state.draining = true;
    guide.close();
    for (const stop of watches) stop();
    signalling.drain();
    const gone = calls.hangUpAll({ protocol: 'SIP', cause: 503, text: 'The server is shutting down' });
    await Promise.race([gone, new Promise(resolve => setTimeout(resolve, HANG_UP_TIMEOUT_MS))]);
    await signalling.settle(HANG_UP_TIMEOUT_MS);
    channels.close();
    await Promise.all([http.close(), transcoders.close(), films.shutDown(), tuners.close()]);
    signalling.close();
    hep?.close();
    await engine.close();
  }
}

interface Parts {
  readonly state: { draining: boolean };
  readonly engine: Engine;
  readonly transcoders: TranscoderSupervisor;
  readonly tuners: Tuners;
  readonly films: Films;
  readonly channels: Channels;
  readonly guide: Guide;
  readonly calls: Calls;
  readonly signalling: SignallingEndpoint;
  readonly http: HttpServer;
  readonly hep: ReturnType<typeof homer> | null;
  /** Each stops to look at a certificate's files. */
  readonly watches: readonly (() => void)[];
}

async function start(
  config: Config,
  log: Logger,
  accounts: SignallingOptions['authentication'],
  opened: (() => Promise<void>)[],
): Promise<Server> {
  const state = { draining: false };
  const isTrusted = isWithin(config.trusted);
  const failed = Promise.withResolvers<DialcastError>();
  const confinement = confine(config, log);
  const { engine, port: media } = await Engine.start({
    media: config.media,
    transcoderUid: confinement.user?.uid,
    log: log.child({ part: 'engine' }),
    onEvent: event => handle(event, { channels, calls, tuners }, log),
    onFailed: failed.resolve,
  });
  opened.push(() => engine.close());
  const encoders = await findHardware(config.encoders);
  tellEncoders(encoders, log);
  const transcoders = new TranscoderSupervisor({
    hardware: encoders.hardware,
    log: log.child({ part: 'transcoder' }),
    engine: engine.transcoders,
    confinement,
    knownInfo: channel => channels.find(channel)?.info ?? null,
    onFailed: (channel, reason) => channels.transcoderFailed(channel, reason),
    nowMs: () => performance.now(),
  });
  opened.push(() => transcoders.close());
  const tuners = await Tuners.open({
    log: log.child({ part: 'tuner' }),
    sources: config.channels.map(({ source }) => source),
    // Whoever watches already waits for it to come back.
    onFault: (channel, reason) => {
      if (!channels.find(channel)?.onAir) channels.sourceFailed(channel, reason);
    },
    randomBytes,
    nowMs: () => performance.now(),
  });
  opened.push(() => tuners.close());
  const cache = new FilmCache({ ...config.cache, lookAt, writeWhole, nowMs: Date.now });
  const films = new Films({
    cache,
    log: log.child({ part: 'films' }),
    segmentUs: SEGMENT_US,
    start: startPreparation,
    onOpened: (channel, { info }) => channels.sourceOpened(channel, info),
    onFailed: (channel, reason) => channels.sourceFailed(channel, reason),
  });
  opened.push(() => films.shutDown());
  const channels = new Channels(config.channels, {
    startTranscoder: channel => {
      if (channel.film) return films.open(channel);
      const tuned = tuners.tune(channel.name, channel.source);
      if ('fault' in tuned) return channels.sourceFailed(channel.name, tuned.fault);
      transcoders.start({ ...channel, source: tuned.source });
    },
    stopTranscoder: ({ name }) => {
      films.close(name);
      transcoders.stop(name);
      tuners.release(name);
    },
    openFeed: (channel, rendition) => engine.openFeed(channel, rendition),
    closeFeed: feed => engine.closeFeed(feed),
    films: {
      openFeed: ({ name }, rendition, reel) =>
        engine.openFeed(name, rendition, { reel, folder: films.use(name, rendition) }),
      moveReel: move => engine.moveReel(move),
      progress: ({ name }) => films.progress(name),
      nowMs: () => performance.now(),
    },
    availabilityChanged: ({ name }) => signalling.watchedChanged(name),
    slateChanged: ({ name }, isShown) => calls.slateChanged(name, isShown),
    timers: {
      setTimeout: (callback, ms) => setTimeout(callback, ms),
      clearTimeout: handle => clearTimeout(handle as NodeJS.Timeout),
    },
  });
  const guide = new Guide({
    config: config.guide,
    sourceKinds: SOURCE_KINDS,
    sourceRefusal: source => sourceRefusal(source, config.sources)?.fault ?? null,
    log: log.child({ part: 'guide' }),
    timers: systemClock,
    nowUnixMs: Date.now,
    random: Math.random,
    onChannels: playlists => {
      const all = playlists.reduce(
        (before, { channels: added, firstNumber }) => withChannels(before, added, firstNumber),
        config.channels,
      );
      channels.replace(all);
      return new Set(all.flatMap(({ guideId }) => guideId ?? []));
    },
  });
  opened.push(async () => guide.close());
  const calls = new Calls({
    channels,
    engine,
    log: log.child({ part: 'calls' }),
    limits: config.limits,
    addresses: config.media.addresses,
    isTrusted,
    nowUnixMs: Date.now,
    place: request => signalling.call(request),
    watchedChanged: name => signalling.watchedChanged(name),
    programmeOf: ({ config: { guideId } }) => guide.nowAndNext(guideId).now?.title ?? null,
    mayPlace: (to, identity) => !state.draining && signalling.mayCall(to, identity),
  });
  const hep = config.trace.hep === null ? null : homer(config.trace.hep);
  opened.push(async () => hep?.close());
  const trace = new Trace({
    clock: systemClock,
    nowUnixMs: Date.now,
    redact: redactText,
    onMessage: hep?.onMessage,
  });
  const signalling = new SignallingEndpoint({
    clock: systemClock,
    log: log.child({ part: 'signalling' }),
    guests: config.guests,
    authentication: accounts,
    connections: { total: config.limits.connections, perSource: config.limits.connectionsPerAddress },
    isTrusted,
    handlers: calls,
    trace,
  });
  opened.push(async () => signalling.close());
  const programmes = new ProgrammeWatch({
    now: () => programmesNow(channels, guide),
    changed: name => signalling.watchedChanged(name),
    timers: systemClock,
  });
  programmes.start();
  opened.push(async () => programmes.close());
  const metrics = new Metrics(() => figures({ engine, transcoders, tuners, channels, calls, signalling, trace }));
  const webPair = config.http.tls === null ? null : keyPair(config.http.tls);
  const http = new HttpServer({
    ...config.http,
    tls: webPair,
    domain: config.domain,
    log: log.child({ part: 'http' }),
    webRoot: WEB_ROOT,
    health: () => ({
      status: state.draining ? 'draining' : 'ok',
      uptimeSeconds: process.uptime(),
      callsActive: calls.size,
    }),
    channels: () => channels.list().map(channel => describeChannel(channel, tuners, films)),
    guide: window => channels.list().map(channel => describeGuide(channel, guide, window)),
    hasForeignLogos: () => channels.list().some(({ config: { logo } }) => logo?.startsWith('http')),
    thumbnail: target => channels.find(target)?.thumbnail ?? null,
    calls: () => calls.list().map(describeCall),
    moveFilm: (id, { positionSeconds, paused }) => {
      const positionUs = positionSeconds === undefined ? undefined : positionSeconds * 1_000_000;
      return calls.moveFilm(id, { positionUs, paused })?.then(describePosition) ?? null;
    },
    sipTrace: callId => trace.find(callId),
    platforms: () => signalling.registrations.map(describeRegistration),
    encoders: () => encoders,
    metrics,
    admitConnection: address => signalling.admitConnection(address),
    acceptWebSocket: (socket, peer) => signalling.acceptWebSocket(socket, peer),
  });
  const { tls: sipTls } = config.sip;
  const tls = sipTls === null ? null : { port: sipTls.port, pair: keyPair(sipTls) };
  await Promise.all([guide.start(), config.channels.some(({ film }) => film) && cache.open()]);
  const sip = await signalling.listen({ ...config.sip, tls });
  const port = await http.listen();
  for (const account of config.platforms) register(account, signalling, log);
  const watches = [
    () => programmes.close(),
    ...(tls === null ? [] : [renewed(sipTls!, tls.pair, log, pair => signalling.renewCertificate(pair))]),
    ...(webPair === null ? [] : [renewed(config.http.tls!, webPair, log, pair => http.renewCertificate(pair))]),
  ];
  const parts = { state, engine, transcoders, tuners, films, channels, guide, calls, signalling, http, hep, watches };
  channels.keepOn();
  return new Server(parts, { http: port, ...sip, media }, failed.promise);
}

/** What transcoders may do at most; says what this machine does not let us take from them. */
function confine({ limits, transcoders, sources }: Config, log: Logger): Confinement {
  const memoryBytes = limits.transcoderMemory * 2 ** 20;
  const confinement = Confinement.choose({ memoryBytes, user: transcoders.user, roots: sources.roots }, TRANSCODER);
  const { lacks } = confinement;
  if (lacks.length > 0) log.warn({ lacks }, 'transcoders cannot be confined as closely as they should');
  return confinement;
}

/** Copies SIP messages to a Homer server. */
function homer(collector: NonNullable<Config['trace']['hep']>) {
  const socket = new HepSocket(collector);
  const hep = new HepExport({
    captureId: collector.captureId,
    redact: redactText,
    send: packet => socket.send(packet),
  });
  return { onMessage: (message: WireMessage) => hep.export(message), close: () => socket.close() };
}

function register(account: PlatformConfig, signalling: SignallingEndpoint, log: Logger): void {
  const { user, channel, ca, ...rest } = account;
  const authorities = ca === null ? null : trusted(ca);
  const fields = { registrar: hostPort(account.registrar), user, channel };
  signalling.register({ user, channel, authorities, ...rest }, ({ state, reason }) => {
    if (state === 'registered') log.info(fields, 'registered with a platform');
    else log.warn({ ...fields, reason }, 'not registered with a platform');
  });
}

function tellEncoders({ hardware, refused }: HardwareReport, log: Logger): void {
  for (const { kind, reason } of refused) log.info({ kind, reason }, 'hardware that does not encode here');
  if (hardware !== null) log.info({ hardware }, 'hardware encodes H.264');
}

type EncodingEvent = Extract<EngineEvent, { type: 'encoding' }>;

/** Says what viewers may see of it: less is done for the pictures than before, or more again. */
function encodingChanged({ channel, encoding }: EncodingEvent, channels: Channels, log: Logger): void {
  const before = channels.find(channel)?.encoding?.effort ?? 'full';
  const { effort, fault } = encoding;
  const steps = EFFORTS.indexOf(effort) - EFFORTS.indexOf(before);
  if (steps > 0) log.warn({ channel, effort }, 'encoders do not keep up: less is done for each picture');
  else if (steps < 0) log.info({ channel, effort }, 'encoders keep up: more is done for each picture again');
  else if (fault !== undefined) log.warn({ channel, fault }, 'hardware encodes no more for a channel, software does');
  channels.encodingChanged(channel, encoding);
}

function handle(
  event: EngineEvent,
  { channels, calls, tuners }: Pick<Parts, 'channels' | 'calls' | 'tuners'>,
  log: Logger,
): void {
  switch (event.type) {
    case 'sourceOpen': {
      const known = channels.find(event.channel)?.info?.skipped ?? [];
      for (const { item, reason } of event.info.skipped ?? []) {
        if (known.some(each => each.item === item)) continue;
        log.warn({ channel: event.channel, item, reason }, 'a file is skipped');
      }
      log.info({ channel: event.channel, languages: event.info.languages }, 'a source is open');
      return channels.sourceOpened(event.channel, event.info);
    }
    case 'sourceOut':
      log.warn({ channel: event.channel, reason: event.reason }, 'a source is out');
      return channels.sourceOut(event.channel, event.reason);
    case 'encoding':
      return encodingChanged(event, channels, log);
    case 'sourceFailed':
      // A tuner knows better why nothing comes than who waits for it.
      return channels.sourceFailed(event.channel, tuners.explain(event.channel) ?? event.reason);
    case 'sourceEnded':
      return channels.sourceEnded(event.channel);
    case 'thumbnail':
      return channels.thumbnailMade(event.channel, { jpeg: Buffer.from(event.jpeg, 'base64'), takenAtMs: Date.now() });
    case 'reelMoved':
      return channels.reelMoved(event.reel, event.state);
    case 'reelEnded':
      return channels.reelEnded(event.reel, event.fault);
    case 'viewerLost':
      return calls.viewerLost(event.id, event.reason);
    case 'viewerConnected':
  }
}
