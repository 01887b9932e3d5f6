/**
 * A SIP server without media, in a process of its own so that its cost can be told from its callers'. It answers every
 * call at once; over its IPC channel it registers users, and says what it has used.
 */

import { HttpServer } from '../../src/http/index.ts';
import { createLogger, Metrics, redactText } from '../../src/observe/index.ts';
import { SignallingEndpoint, systemClock, Trace } from '../../src/signalling/index.ts';

export type ToSipServer = { readonly register: number } | 'usage';

export interface Usage {
  readonly cpuMs: number;
  /** JavaScript's heap and the buffers outside of it, after a collection. */
  readonly heapBytes: number;
  /** Resident memory after a collection. */
  readonly residentBytes: number;
}

export type FromSipServer =
  | { readonly ready: { readonly udp: number; readonly http: number } }
  | { readonly registered: number }
  | { readonly usage: Usage };

const ADDRESS = '127.0.0.1';

const ANSWER = [
  'v=0',
  `o=- 1 1 IN IP4 ${ADDRESS}`,
  's=-',
  `c=IN IP4 ${ADDRESS}`,
  't=0 0',
  'm=audio 9 RTP/AVP 8',
  'a=sendonly',
  '',
].join('\r\n');

const log = createLogger({ level: 'silent' });
const endpoint = new SignallingEndpoint({
  clock: systemClock,
  log,
  guests: true,
  // All the clients of a bench come from one address.
  connections: { total: 10_000, perSource: 10_000 },
  trace: new Trace({ clock: systemClock, nowUnixMs: Date.now, redact: redactText }),
  handlers: {
    invite: call => {
      call.handlers = {
        cancelled: () => undefined,
        answered: () => undefined,
        acknowledged: () => undefined,
        reinvite: ({ reject }) => reject({ status: 488 }),
        ended: () => undefined,
      };
      call.accept(ANSWER);
    },
  },
});
const http = new HttpServer({
  addresses: [ADDRESS],
  port: 0,
  tls: null,
  domain: 'localhost',
  webRoot: '/nonexistent',
  log,
  health: () => ({ status: 'ok', uptimeSeconds: 0, callsActive: 0 }),
  channels: () => [],
  guide: () => [],
  hasForeignLogos: () => false,
  thumbnail: () => null,
  platforms: () => [],
  encoders: () => ({ hardware: null, refused: [] }),
  calls: () => [],
  moveFilm: () => null,
  sipTrace: () => null,
  metrics: new Metrics(() => Promise.reject(new Error('nothing is counted here'))),
  admitConnection: address => endpoint.admitConnection(address),
  acceptWebSocket: (socket, peer) => endpoint.acceptWebSocket(socket, peer),
});

const { udp } = await endpoint.listen({ addresses: [ADDRESS], udp: 0, tcp: null, tls: null });
send({ ready: { udp: udp!, http: await http.listen() } });

process.on('message', async (message: ToSipServer) => {
  if (message === 'usage') return send({ usage: await usage() });
  for (let user = 0; user < message.register; user++) register(user);
  send({ registered: message.register });
});
process.on('disconnect', () => process.exit());

function send(message: FromSipServer): void {
  process.send!(message);
}

async function usage(): Promise<Usage> {
  // What ended in this turn can be collected in the next one.
  await new Promise(setImmediate);
  globalThis.gc!();
  const { heapUsed, external, rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, heapBytes: heapUsed + external, residentBytes: rss };
}

/** A phone's REGISTER on a connection that is reliable, so that nothing but the binding stays. */
function register(user: number): void {
  const text = [
    `REGISTER sip:localhost SIP/2.0`,
    `Via: SIP/2.0/TCP ${ADDRESS}:5062;branch=z9hG4bK-${user};rport`,
    'Max-Forwards: 70',
    `From: <sip:user${user}@localhost>;tag=${user}`,
    `To: <sip:user${user}@localhost>`,
    `Call-ID: ${user}-1f09bd2a@${ADDRESS}`,
    'CSeq: 1 REGISTER',
    `Contact: <sip:user${user}@${ADDRESS}:5062;transport=tcp>;expires=3600`,
    'User-Agent: a phone',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
  const flow = {
    transport: 'tcp',
    reliable: true,
    remoteAddress: ADDRESS,
    remotePort: 5062,
    localAddress: ADDRESS,
    localPort: 5060,
    closed: false,
    send: () => true,
    close: () => undefined,
  } as const;
  endpoint.receive(flow, Buffer.from(text));
}
