import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** One labelled value. */
export interface Sample<Label extends string> {
  readonly labels: Readonly<Record<Label, string>>;
  readonly value: number;
}

/** What the parts count, since the start where not said otherwise. Read once for each scrape. */
export interface Figures {
  readonly calls: { readonly active: number; readonly outcomes: Readonly<Record<string, number>> };
  readonly transcodersActive: number;
  /** DVB cards in use: 1 with a lock, 0 without. */
  readonly tunersLocked: readonly Sample<'card'>[];
  /** Registrations with foreign platforms, by state. */
  readonly registrations: Readonly<Record<string, number>>;
  /** Subscribers with a phone that is registered here. */
  readonly phones: number;
  readonly sipMessages: readonly Sample<'direction' | 'transport'>[];
  /** Messages that were not served, by why: `rate`, `ban`, or a `fault` of ours. */
  readonly sipUnserved: Readonly<Record<string, number>>;
  readonly sipBans: number;
  /** Bytes that the trace of calls holds. */
  readonly sipTraceBytes: number;
  /** By channel that is on air, how many steps below its best its pictures are encoded. */
  readonly effortSteps: readonly Sample<'channel'>[];
  /** Null when the engine does not answer. */
  readonly engine: {
    readonly packetsSent: number;
    readonly octetsSent: number;
    readonly packetsDropped: number;
    readonly packetsRetransmitted: number;
    readonly nacksReceived: number;
    readonly keyFrameRequestsReceived: number;
    readonly sockets: number;
    readonly viewers: Readonly<Record<string, number>>;
    readonly feeds: readonly { readonly channel: string; readonly codec: string; readonly passedThrough: boolean }[];
    readonly frames: readonly { readonly channel: string; readonly codec: string; readonly frames: number }[];
    readonly encoders: readonly { readonly channel: string; readonly video: number; readonly audio: number }[];
  } | null;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly labels: readonly string[];
  samples(figures: Figures): readonly Sample<string>[];
}

const FAMILIES: readonly Family[] = [
  {
    name: 'dialcast_calls_active',
    help: 'Calls that are being answered or are running.',
    kind: 'gauge',
    labels: [],
    samples: ({ calls }) => single(calls.active),
  },
  {
    name: 'dialcast_calls_total',
    help: 'Calls that came to an end, by how.',
    kind: 'counter',
    labels: ['outcome'],
    samples: ({ calls }) => each('outcome', calls.outcomes),
  },
  {
    name: 'dialcast_viewers',
    help: 'Viewers in the media engine, by media transport.',
    kind: 'gauge',
    labels: ['transport'],
    samples: ({ engine }) => (engine === null ? [] : each('transport', engine.viewers)),
  },
  {
    name: 'dialcast_transcoders_active',
    help: 'Running transcoder processes.',
    kind: 'gauge',
    labels: [],
    samples: ({ transcodersActive }) => single(transcodersActive),
  },
  {
    name: 'dialcast_tuner_locked',
    help: 'DVB cards in use: 1 for one that receives its multiplex, 0 for one that does not.',
    kind: 'gauge',
    labels: ['card'],
    samples: ({ tunersLocked }) => tunersLocked,
  },
  {
    name: 'dialcast_renditions_active',
    help: 'Renditions that somebody watches, or did just now.',
    kind: 'gauge',
    labels: ['channel', 'codec'],
    samples: ({ engine }) =>
      total((engine?.feeds ?? []).map(({ channel, codec }) => ({ labels: { channel, codec }, value: 1 }))),
  },
  {
    name: 'dialcast_renditions_passed_through',
    help: 'Renditions that are what comes in, without an encoder.',
    kind: 'gauge',
    labels: ['channel', 'codec'],
    samples: ({ engine }) =>
      total(
        (engine?.feeds ?? []).map(({ channel, codec, passedThrough }) => ({
          labels: { channel, codec },
          value: Number(passedThrough),
        })),
      ),
  },
  {
    name: 'dialcast_encoders_active',
    help: 'Encoders that transcoders have, by what they say themselves.',
    kind: 'gauge',
    labels: ['channel', 'medium'],
    samples: ({ engine }) =>
      (engine?.encoders ?? []).flatMap(({ channel, video, audio }) => [
        { labels: { channel, medium: 'video' }, value: video },
        { labels: { channel, medium: 'audio' }, value: audio },
      ]),
  },
  {
    name: 'dialcast_encoder_effort_steps',
    help: 'How much less than its best a channel does for its pictures to keep up: 0 nothing, 1 a faster preset, 2 half of the pictures too.',
    kind: 'gauge',
    labels: ['channel'],
    samples: ({ effortSteps }) => effortSteps,
  },
  {
    name: 'dialcast_encode_frames_total',
    help: 'Frames that came from transcoders.',
    kind: 'counter',
    labels: ['channel', 'codec'],
    samples: ({ engine }) =>
      total(
        (engine?.frames ?? []).map(({ channel, codec, frames }) => ({ labels: { channel, codec }, value: frames })),
      ),
  },
  engineCounter('dialcast_packets_sent_total', 'RTP packets sent.', 'packetsSent'),
  engineCounter('dialcast_octets_sent_total', 'Octets sent in RTP packets.', 'octetsSent'),
  engineCounter('dialcast_packets_dropped_total', 'RTP packets that the kernel did not take.', 'packetsDropped'),
  engineCounter('dialcast_packets_retransmitted_total', 'RTP packets sent again after a NACK.', 'packetsRetransmitted'),
  engineCounter('dialcast_nacks_received_total', 'RTP packets that viewers reported as missing.', 'nacksReceived'),
  engineCounter('dialcast_plis_received_total', 'Key frame requests (PLI and FIR).', 'keyFrameRequestsReceived'),
  {
    name: 'dialcast_media_sockets',
    help: 'Sockets that the media engine holds open.',
    kind: 'gauge',
    labels: [],
    samples: ({ engine }) => (engine === null ? [] : single(engine.sockets)),
  },
  {
    name: 'dialcast_platform_registrations',
    help: 'Registrations with foreign platforms, by state.',
    kind: 'gauge',
    labels: ['state'],
    samples: ({ registrations }) => each('state', registrations),
  },
  {
    name: 'dialcast_sip_registrations',
    help: 'Subscribers with a phone that is registered here.',
    kind: 'gauge',
    labels: [],
    samples: ({ phones }) => single(phones),
  },
  {
    name: 'dialcast_sip_messages_total',
    help: 'SIP messages, by direction and transport.',
    kind: 'counter',
    labels: ['direction', 'transport'],
    samples: ({ sipMessages }) => sipMessages,
  },
  {
    name: 'dialcast_sip_unserved_total',
    help: 'SIP messages that were not served: their source asks too often or is banned, or the server failed.',
    kind: 'counter',
    labels: ['reason'],
    samples: ({ sipUnserved }) => each('reason', sipUnserved),
  },
  {
    name: 'dialcast_sip_bans_total',
    help: 'Times that a source of SIP requests was banned.',
    kind: 'counter',
    labels: [],
    samples: ({ sipBans }) => single(sipBans),
  },
  {
    name: 'dialcast_sip_trace_bytes',
    help: 'What the kept messages of calls take of the memory.',
    kind: 'gauge',
    labels: [],
    samples: ({ sipTraceBytes }) => single(sipTraceBytes),
  },
];

/** The Prometheus page: what the parts count, and the process itself. Knows none of the parts: they are read through `figures`. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #figures: () => Promise<Figures>;
  /** Read for the scrape that is under way. */
  #current: Figures | null = null;
  #rendering: Promise<string> | null = null;

  constructor(figures: () => Promise<Figures>) {
    this.#figures = figures;
    for (const family of FAMILIES) this.#register(family);
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The page in the text format of Prometheus. Scrapes that overlap share one reading of the figures. */
  render(): Promise<string> {
    this.#rendering ??= this.#render().finally(() => {
      this.#rendering = null;
    });
    return this.#rendering;
  }

  async #render(): Promise<string> {
    this.#current = await this.#figures();
    return this.#registry.metrics();
  }

  #register({ name, help, kind, labels, samples }: Family): void {
    const read = () => (this.#current === null ? [] : samples(this.#current));
    const options = { name, help, labelNames: [...labels], registers: [this.#registry] };
    if (kind === 'gauge') {
      new Gauge({
        ...options,
        collect() {
          this.reset();
          for (const sample of read()) this.set(sample.labels, sample.value);
        },
      });
    } else {
      new Counter({
        ...options,
        // The parts hold the running totals; the counter only carries them.
        collect() {
          this.reset();
          for (const sample of read()) this.inc(sample.labels, sample.value);
        },
      });
    }
  }
}

type EngineTotal =
  | 'packetsSent'
  | 'octetsSent'
  | 'packetsDropped'
  | 'packetsRetransmitted'
  | 'nacksReceived'
  | 'keyFrameRequestsReceived';

function engineCounter(name: string, help: string, key: EngineTotal): Family {
  return {
    name,
    help,
    kind: 'counter',
    labels: [],
    samples: ({ engine }) => (engine === null ? [] : single(engine[key])),
  };
}

function single(value: number): Sample<never>[] {
  return [{ labels: {}, value }];
}

function each<Label extends string>(label: Label, values: Readonly<Record<string, number>>): Sample<string>[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

/** Adds up the samples that have the same labels. */
function total(samples: readonly Sample<string>[]): Sample<string>[] {
  const totals = new Map<string, Sample<string>>();
  for (const { labels, value } of samples) {
    const key = JSON.stringify(labels);
    totals.set(key, { labels, value: value + (totals.get(key)?.value ?? 0) });
  }
  return [...totals.values()];
}
