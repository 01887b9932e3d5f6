import { Type } from 'typebox';
import type { App } from '../app.ts';
import type { ChannelListing, HttpPorts } from '../ports.ts';
import { Problem } from '../problem.ts';

const Medium = Type.Union(
  [
    Type.Object({
      passThrough: Type.Union([Type.String(), Type.Null()], {
        description: 'What goes as it comes to whoever takes it, e.g. h264 main 3.1; null for nothing',
      }),
      obstacle: Type.Union([Type.String(), Type.Null()], {
        description: 'Why all of it is encoded, for now or ever; null when it need not be',
      }),
    }),
    Type.Null(),
  ],
  { description: 'Null when there is none, and while the channel is not on air' },
);

const language = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

const Languages = Type.Union(
  [
    Type.Object({
      audio: language('Of the sound that is played; null when the track does not say'),
      subtitles: language('Of the subtitles that are shown in the picture; null for none'),
      available: Type.Object({ audio: Type.Array(Type.String()), subtitles: Type.Array(Type.String()) }),
    }),
    Type.Null(),
  ],
  { description: 'In the shortest codes of ISO 639; null while the channel is not on air, or makes its media itself' },
);

const figure = Type.Union([Type.Integer(), Type.Null()], { description: "On the driver's own scale" });

const Signal = Type.Union(
  [Type.Object({ locked: Type.Boolean(), strength: figure, snr: figure, bitErrorRate: figure }), Type.Null()],
  { description: 'How the DVB card receives that it is on; null when it is on none, or nothing is known' },
);

const Encoding = Type.Union(
  [
    Type.Object({
      effort: Type.Enum(['full', 'fasterPreset', 'halfRate'], {
        description: 'What is done for pictures that are encoded, less while the machine has no time for more',
      }),
      hardware: Type.Union([Type.Enum(['nvenc', 'qsv', 'vaapi', 'v4l2']), Type.Null()], {
        description: 'What encodes H.264; null for software',
      }),
    }),
    Type.Null(),
  ],
  { description: 'Null while the channel is not on air' },
);

const Channel = Type.Object(
  {
    number: Type.Integer(),
    name: Type.String({ description: 'SIP user name' }),
    title: Type.String(),
    kind: Type.Union([Type.Literal('live'), Type.Literal('film')]),
    onAir: Type.Boolean({ description: 'Is it being made now, so that a call gets its picture at once' }),
    outage: Type.Union([Type.String(), Type.Null()], {
      description: 'Why nothing comes of its source, so that viewers see a slate; null while all is well',
    }),
    signal: Signal,
    skipped: Type.Array(Type.Object({ item: Type.String(), reason: Type.String() }), {
      description: "Files of its folder or playlist that can't be played, or the latest of them",
    }),
    video: Medium,
    audio: Medium,
    languages: Languages,
    encoding: Encoding,
    viewers: Type.Integer(),
    film: Type.Union([Type.Object({ durationSeconds: Type.Number(), preparedSeconds: Type.Number() }), Type.Null()], {
      description: 'Of a film that is on: how long it is, and how much of it is prepared',
    }),
  },
  { $id: 'Channel' },
);

const Channels = Type.Object({ channels: Type.Array(Channel) });

export function channelRoutes(app: App, { channels }: HttpPorts): void {
  app.get(
    '/api/channels',
    { schema: { summary: 'Every channel', tags: ['channels'], response: { 200: Channels, '5xx': Problem } } },
    async (_request, reply) => reply.header('cache-control', 'no-store').send({ channels: channels().map(writable) }),
  );
}

function writable({ languages, skipped, ...rest }: ChannelListing) {
  const channel = { ...rest, skipped: [...skipped] };
  if (languages === null) return { ...channel, languages };
  const { audio, subtitles } = languages.available;
  return { ...channel, languages: { ...languages, available: { audio: [...audio], subtitles: [...subtitles] } } };
}
