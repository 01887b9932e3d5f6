import type { Call, Calls } from './calls/index.ts';
import type { Channel, Channels, FilmPosition } from './channels/index.ts';
import type { PlatformConfig } from './config/index.ts';
import type { Engine } from './engine/index.ts';
import type { FilmProgress, Films } from './films/index.ts';
import type { Guide } from './guide/index.ts';
import type {
  CallListing,
  ChannelListing,
  FilmPositionListing,
  GuideListing,
  GuideWindow,
  PlatformListing,
} from './http/index.ts';
import type { Figures } from './observe/index.ts';
import type { Registration, SignallingEndpoint, Trace } from './signalling/index.ts';
import { EFFORTS, type SourceInfo, type TranscoderSupervisor, type Tuners } from './transcoder/index.ts';

/** Who is asked for the server's figures. */
export interface Measured {
  readonly engine: Engine;
  readonly transcoders: TranscoderSupervisor;
  readonly tuners: Tuners;
  readonly channels: Channels;
  readonly calls: Calls;
  readonly signalling: SignallingEndpoint;
  readonly trace: Trace;
}

/** What the metrics tell. */
export async function figures(measured: Measured): Promise<Figures> {
  const { engine, transcoders, tuners, channels, calls, signalling, trace } = measured;
  const { overRate, banned, bans, faults, registrations } = signalling.sizes;
  return {
    calls: { active: calls.size, outcomes: calls.outcomes },
    transcodersActive: transcoders.pids.size,
    tunersLocked: [...tuners.signals].map(([card, { locked }]) => ({ labels: { card }, value: Number(locked) })),
    registrations: countBy(signalling.registrations, ({ status }) => status.state),
    phones: registrations,
    sipMessages: signalling.messages.map(({ count, ...labels }) => ({ labels, value: count })),
    sipUnserved: { rate: overRate, ban: banned, fault: faults },
    sipBans: bans,
    sipTraceBytes: trace.bytes,
    effortSteps: channels
      .list()
      .flatMap(({ config: { name }, encoding }) =>
        encoding === null ? [] : [{ labels: { channel: name }, value: EFFORTS.indexOf(encoding.effort) }],
      ),
    engine: await engine.stats().catch(() => null),
  };
}

export function describeChannel(channel: Channel, tuners: Tuners, films: Films): ChannelListing {
  const { config, onAir, outage, info, encoding, viewers } = channel;
  const { number, name, title, source } = config;
  const [video, audio] = [describeMedium(info?.video), describeMedium(info?.audio)];
  return {
    number,
    name,
    title,
    kind: source.startsWith('file:') ? 'film' : 'live',
    onAir,
    outage: outage && (tuners.explain(name) ?? outage),
    signal: tuners.signal(name),
    skipped: info?.skipped ?? [],
    video,
    audio,
    languages: info?.languages ?? null,
    encoding: encoding && { effort: encoding.effort, hardware: encoding.hardware },
    viewers,
    film: describeProgress(films.progress(name)),
  };
}

function describeProgress(progress: FilmProgress | null): ChannelListing['film'] {
  return (
    progress && {
      durationSeconds: seconds(progress.durationUs),
      preparedSeconds: seconds(progress.preparedUs),
    }
  );
}

function describeMedium(medium: SourceInfo['video' | 'audio'] | undefined): ChannelListing['video'] {
  if (medium == null) return null;
  const { passThrough: make, obstacle = null } = medium;
  if (make === undefined) return { passThrough: null, obstacle: obstacle ?? 'it is made here' };
  const words = make.codec === 'h264' ? [make.codec, make.profile, (make.levelIdc / 10).toFixed(1)] : [make.codec];
  return { passThrough: words.join(' '), obstacle };
}

/** Titles of what is on, by the channel's name. */
export function programmesNow(channels: Channels, guide: Guide): ReadonlyMap<string, string> {
  const titles = channels
    .list()
    .map(({ config: { name, guideId } }) => [name, guide.nowAndNext(guideId).now?.title] as const);
  return new Map(titles.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

export function describeGuide({ config }: Channel, guide: Guide, window: GuideWindow | null): GuideListing {
  const { number, name, title, group = null, logo = null, guideId } = config;
  const programmes = window === null ? [] : guide.between(guideId, window.fromMs, window.toMs);
  return { number, name, title, group, logo, guideId: guideId ?? null, ...guide.nowAndNext(guideId), programmes };
}

export function describeCall({ id, channel, transport, codecs, answeredAtMs, held, slate, film }: Call): CallListing {
  const slateMs = slate.totalMs(Date.now());
  const position = film && describePosition(film.position);
  return { id, channel: channel.config.name, transport, codecs, answeredAtMs, held, slateMs, film: position };
}

export function describePosition(position: FilmPosition): FilmPositionListing {
  const { positionUs, durationUs, preparedUs, isRunning, isPaused } = position;
  return {
    positionSeconds: seconds(positionUs),
    durationSeconds: seconds(durationUs),
    preparedSeconds: seconds(preparedUs),
    running: isRunning,
    paused: isPaused,
  };
}

/** To the millisecond. */
function seconds(us: number): number {
  return Math.round(us / 1000) / 1000;
}

export function describeRegistration({ account, status }: Registration): PlatformListing {
  const { registrar, user, channel } = account;
  return { registrar: hostPort(registrar), user, channel, ...status };
}

export function hostPort({ host, port }: Pick<PlatformConfig['registrar'], 'host' | 'port'>): string {
  const address = host.includes(':') ? `[${host}]` : host;
  return port === null ? address : `${address}:${port}`;
}

function countBy<T>(items: readonly T[], name: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[name(item)] = (counts[name(item)] ?? 0) + 1;
  return counts;
}
