import { type TProperties, Type } from 'typebox';

const TEXT = Type.String({ minLength: 1 });
const PORT = { minimum: 0, maximum: 65_535 };
const port = (description: string) => Type.Integer({ ...PORT, description });
const portOrNull = (description: string) => Type.Union([Type.Integer(PORT), Type.Null()], { description });
const addresses = (description: string) => Type.Union([TEXT, Type.Array(TEXT, { minItems: 1 })], { description });
const count = (maximum: number) =>
  Type.Integer({ minimum: 1, maximum, description: `a whole number, 1 to ${maximum}` });
const file = (description: string) => Type.String({ minLength: 1, description });

/** Unknown keys are faults: a misspelt key must not be ignored. Each description says what to write instead. */
const options = { additionalProperties: false };

/** A section that may also be null. */
const sectionOrNull = <T extends TProperties>(properties: T, description: string) =>
  Type.Union([Type.Object(properties, options), Type.Null()], { description });

const side = Type.Integer({ minimum: 16, maximum: 8192, description: 'pixels, 16 to 8192' });

const LANGUAGE = Type.String({
  pattern: '^[A-Za-z]{2,3}$',
  description: 'the code of a language of two or three letters, e.g. de or deu',
});

const KEY_PAIR = {
  certificate: file('the path of a certificate in PEM'),
  key: file("the path of the certificate's private key in PEM"),
};

const RUNG_SCHEMA = Type.Object(
  {
    width: side,
    height: side,
    frameRate: Type.Optional(Type.Number({ minimum: 1, maximum: 120, description: 'pictures a second, 1 to 120' })),
    bitrateKbps: Type.Integer({
      minimum: 10,
      maximum: 100_000,
      description: 'thousands of bits a second, 10 to 100000',
    }),
  },
  options,
);

export const CHANNEL_SCHEMA = Type.Object(
  {
    number: Type.Integer({ minimum: 1, maximum: 999_999, description: 'a whole number to dial, 1 to 999999' }),
    name: Type.String({
      pattern: '^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$',
      description: 'a SIP user name of small letters, digits, dots, dashes and underscores, e.g. news',
    }),
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'a title of 1 to 100 characters' })),
    source: Type.String({ minLength: 1, description: 'a source URL such as testcard: or file:media/film.mp4' }),
    loop: Type.Optional(Type.Boolean({ description: 'true or false' })),
    alwaysOn: Type.Optional(Type.Boolean({ description: 'true or false' })),
    film: Type.Optional(Type.Boolean({ description: 'true or false' })),
    passThrough: Type.Optional(Type.Enum(['auto', 'never'], { description: 'auto or never' })),
    audioLanguage: Type.Optional(LANGUAGE),
    subtitles: Type.Optional(LANGUAGE),
    ladder: Type.Optional(Type.Array(RUNG_SCHEMA, { maxItems: 16, description: 'a list of up to 16 picture sizes' })),
    group: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'a group of 1 to 100 characters' })),
    logo: Type.Optional(
      Type.String({
        pattern: '^(https?://|data:image/).',
        description: 'the URL of a picture that begins with https://, http:// or data:image/',
      }),
    ),
    guideId: Type.Optional(Type.String({ minLength: 1, description: 'the id of the channel in XMLTV' })),
  },
  options,
);

export const SOURCES_SCHEMA = Type.Object(
  {
    kinds: Type.Optional(
      Type.Union(
        [
          Type.Literal('all'),
          Type.Array(Type.String({ minLength: 1, description: 'a kind, e.g. file' }), { minItems: 1 }),
        ],
        {
          description: 'all, or a list of source kinds, e.g. [file, srt, udp]',
        },
      ),
    ),
    roots: Type.Optional(Type.Array(file('the path of a folder'), { description: 'a list of folders' })),
  },
  options,
);

export const GUIDE_SCHEMA = Type.Object(
  {
    xmltv: Type.Optional(
      Type.Array(file('the path or the http(s) URL of an XMLTV document'), {
        description: 'a list of paths and http(s) URLs of XMLTV documents',
      }),
    ),
    playlists: Type.Optional(
      Type.Array(
        Type.Object(
          {
            source: file('the path or the http(s) URL of a list of channels in M3U'),
            firstNumber: Type.Optional(
              Type.Integer({ minimum: 1, maximum: 900_000, description: 'a whole number, 1 to 900000' }),
            ),
          },
          options,
        ),
        { description: 'a list of M3U lists, each with its source' },
      ),
    ),
    refreshHours: Type.Optional(
      Type.Number({ minimum: 0.1, maximum: 168, description: 'hours between two readings, 0.1 to 168' }),
    ),
  },
  options,
);

export const PLATFORM_SCHEMA = Type.Object(
  {
    registrar: Type.String({
      pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?$',
      description: 'a host name or address, with a port if it is not found in DNS, e.g. sip.example.org',
    }),
    transport: Type.Optional(
      Type.Enum(['udp', 'tcp', 'tls'], { description: 'udp, tcp or tls; left out, DNS tells, or it is udp' }),
    ),
    ca: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'a PEM file with the authorities that sign certificates of the platform',
      }),
    ),
    user: Type.String({ minLength: 1, description: "the subscriber's SIP user name" }),
    password: Type.String({ minLength: 1, description: "the subscriber's password" }),
    channel: Type.String({ minLength: 1, description: 'the name of a channel' }),
    expires: Type.Optional(
      Type.Integer({ minimum: 60, maximum: 86_400, description: 'seconds between registrations, 60 to 86400' }),
    ),
  },
  options,
);

/** The configuration file. What each key means is in dialcast.example.yaml. */
export const CONFIG_SCHEMA = Type.Object(
  {
    domain: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9.:-]+$', description: 'a host name or address, e.g. tv.example.org' }),
    ),
    http: Type.Optional(
      Type.Object(
        {
          address: Type.Optional(addresses('an address to listen at, e.g. 0.0.0.0, or a list of addresses')),
          port: Type.Optional(port('a port, 0 to 65535 (0 picks a free one)')),
          tls: Type.Optional(sectionOrNull(KEY_PAIR, 'certificate and key, or null to do without TLS')),
        },
        options,
      ),
    ),
    sip: Type.Optional(
      Type.Object(
        {
          address: Type.Optional(addresses('an address to listen at, e.g. 0.0.0.0, or a list of addresses')),
          udp: Type.Optional(portOrNull('a port, 0 to 65535 (0 picks a free one), or null to turn UDP off')),
          tcp: Type.Optional(portOrNull('a port, 0 to 65535 (0 picks a free one), or null to turn TCP off')),
          tls: Type.Optional(
            sectionOrNull(
              { port: Type.Optional(port('a port, 0 to 65535 (0 picks a free one)')), ...KEY_PAIR },
              'port, certificate and key, or null to turn TLS off',
            ),
          ),
        },
        options,
      ),
    ),
    media: Type.Optional(
      Type.Object(
        {
          address: Type.Optional(addresses('auto, an IP address, or a list of IP addresses')),
          port: Type.Optional(port('a UDP port, 0 to 65535 (0 picks a free one)')),
          rtpPorts: Type.Optional(
            Type.String({
              pattern: '^\\s*\\d{1,5}\\s*-\\s*\\d{1,5}\\s*$',
              description: 'a range of ports, e.g. 40002-40999',
            }),
          ),
        },
        options,
      ),
    ),
    guests: Type.Optional(Type.Boolean({ description: 'true or false' })),
    trusted: Type.Optional(
      Type.Array(Type.String({ description: 'an IP address or a network' }), {
        description: 'a list of addresses and networks, e.g. [192.0.2.10, 198.51.100.0/24]',
      }),
    ),
    limits: Type.Optional(
      Type.Object(
        {
          viewers: Type.Optional(count(100_000)),
          connections: Type.Optional(count(1_000_000)),
          connectionsPerAddress: Type.Optional(count(1_000_000)),
          transcoderMemory: Type.Optional(
            Type.Integer({ minimum: 256, maximum: 1_048_576, description: 'MiB of memory, 256 to 1048576' }),
          ),
        },
        options,
      ),
    ),
    transcoders: Type.Optional(
      Type.Object(
        {
          user: Type.Optional(Type.Union([TEXT, Type.Null()], { description: 'the name of a user, or null' })),
        },
        options,
      ),
    ),
    sources: Type.Optional(SOURCES_SCHEMA),
    trace: Type.Optional(
      Type.Object(
        {
          hep: Type.Optional(
            sectionOrNull(
              {
                address: Type.String({ minLength: 1, description: "the Homer server's IP address" }),
                port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, description: 'a port, 1 to 65535' })),
                captureId: Type.Optional(
                  Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: 'a whole number, 0 to 4294967295' }),
                ),
              },
              'address, port and captureId, or null to send nothing',
            ),
          ),
        },
        options,
      ),
    ),
    encoders: Type.Optional(
      Type.Enum(['software', 'auto', 'nvenc', 'qsv', 'vaapi', 'v4l2'], {
        description: 'software, auto, nvenc, qsv, vaapi or v4l2',
      }),
    ),
    guide: Type.Optional(GUIDE_SCHEMA),
    cache: Type.Optional(
      Type.Object(
        {
          folder: Type.Optional(file('the path of a folder')),
          sizeGB: Type.Optional(
            Type.Number({ minimum: 0.1, maximum: 1_000_000, description: 'thousands of megabytes, 0.1 to 1000000' }),
          ),
        },
        options,
      ),
    ),
    channels: Type.Optional(Type.Array(CHANNEL_SCHEMA, { description: 'a list of channels' })),
    platforms: Type.Optional(
      Type.Array(PLATFORM_SCHEMA, { description: 'a list of subscribers of foreign platforms' }),
    ),
  },
  options,
);
