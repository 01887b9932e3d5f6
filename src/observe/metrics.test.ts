import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Figures, Metrics } from './index.ts';

const FIGURES: Figures = {
  calls: { active: 2, outcomes: { watched: 5, refused: 1 } },
  transcodersActive: 1,
  tunersLocked: [
    { labels: { card: '0' }, value: 1 },
    { labels: { card: '1/1' }, value: 0 },
  ],
  registrations: { registered: 2, failed: 1 },
  phones: 4,
  sipMessages: [{ labels: { direction: 'in', transport: 'ws' }, value: 12 }],
  sipUnserved: { rate: 7, ban: 8 },
  sipBans: 9,
  sipTraceBytes: 10,
  effortSteps: [{ labels: { channel: 'clock' }, value: 2 }],
  engine: {
    packetsSent: 1000,
    octetsSent: 1_200_000,
    packetsDropped: 3,
    packetsRetransmitted: 4,
    nacksReceived: 5,
    keyFrameRequestsReceived: 6,
    sockets: 1,
    viewers: { webrtc: 2, rtp: 0 },
    feeds: [
      { channel: 'clock', codec: 'h264', passedThrough: false },
      { channel: 'clock', codec: 'h264', passedThrough: true },
      { channel: 'clock', codec: 'opus', passedThrough: false },
    ],
    frames: [
      { channel: 'clock', codec: 'h264', frames: 90 },
      { channel: 'clock', codec: 'h264', frames: 10 },
    ],
    encoders: [{ channel: 'clock', video: 1, audio: 2 }],
  },
};

const LINES: readonly string[] = [
  'dialcast_calls_active 2',
  'dialcast_calls_total{outcome="watched"} 5',
  'dialcast_calls_total{outcome="refused"} 1',
  'dialcast_viewers{transport="webrtc"} 2',
  'dialcast_viewers{transport="rtp"} 0',
  'dialcast_transcoders_active 1',
  'dialcast_tuner_locked{card="0"} 1',
  'dialcast_tuner_locked{card="1/1"} 0',
  'dialcast_renditions_active{channel="clock",codec="h264"} 2',
  'dialcast_renditions_active{channel="clock",codec="opus"} 1',
  'dialcast_renditions_passed_through{channel="clock",codec="h264"} 1',
  'dialcast_renditions_passed_through{channel="clock",codec="opus"} 0',
  'dialcast_encoders_active{channel="clock",medium="video"} 1',
  'dialcast_encoders_active{channel="clock",medium="audio"} 2',
  'dialcast_encoder_effort_steps{channel="clock"} 2',
  'dialcast_encode_frames_total{channel="clock",codec="h264"} 100',
  'dialcast_packets_sent_total 1000',
  'dialcast_octets_sent_total 1200000',
  'dialcast_packets_dropped_total 3',
  'dialcast_packets_retransmitted_total 4',
  'dialcast_nacks_received_total 5',
  'dialcast_plis_received_total 6',
  'dialcast_platform_registrations{state="registered"} 2',
  'dialcast_platform_registrations{state="failed"} 1',
  'dialcast_sip_registrations 4',
  'dialcast_sip_messages_total{direction="in",transport="ws"} 12',
  'dialcast_sip_unserved_total{reason="rate"} 7',
  'dialcast_sip_unserved_total{reason="ban"} 8',
  'dialcast_sip_bans_total 9',
  'dialcast_sip_trace_bytes 10',
];

test('each figure stands on the page with its labels', async () => {
  const page = (await new Metrics(async () => FIGURES).render()).split('\n');
  for (const line of LINES) assert.ok(page.includes(line), line);
});

test('the process itself is on the page', async () => {
  const page = await new Metrics(async () => FIGURES).render();
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
    'process_open_fds',
  ]) {
    assert.match(page, new RegExp(`^${name}\\b`, 'm'));
  }
});

test('a second scrape shows the new figures, and nothing of what is gone', async () => {
  let figures = FIGURES;
  const metrics = new Metrics(async () => figures);
  await metrics.render();
  figures = { ...FIGURES, calls: { active: 0, outcomes: { watched: 7 } }, engine: { ...FIGURES.engine!, feeds: [] } };
  const page = await metrics.render();
  assert.match(page, /^dialcast_calls_active 0$/m);
  assert.match(page, /^dialcast_calls_total\{outcome="watched"\} 7$/m);
  assert.doesNotMatch(page, /^dialcast_renditions_active\{/m);
});

test('scrapes that overlap read the figures once', async () => {
  let readings = 0;
  const metrics = new Metrics(async () => {
    readings++;
    return FIGURES;
  });
  const [first, second] = await Promise.all([metrics.render(), metrics.render()]);
  assert.equal(first, second);
  assert.equal(readings, 1);
});

test('without an engine the rest of the page stays', async () => {
  const page = await new Metrics(async () => ({ ...FIGURES, engine: null })).render();
  assert.match(page, /^dialcast_calls_active 2$/m);
  assert.doesNotMatch(page, /^dialcast_viewers\{/m);
});
