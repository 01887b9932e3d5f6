/**
 * What SIP costs without media: parsing an INVITE, a whole call, an idle registration, an idle browser. Beside them, in
 * the same run, what they are held against: cutting the same bytes into lines, and SIPp's own server in C++.
 */

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { scan } from '../src/signalling/message/index.ts';
import { find, missing } from '../test/interop/support/programs.ts';
import { until } from '../test/interop/support/until.ts';
import { median } from './support/distribution.ts';
import { processCpuMs } from './support/process-cpu.ts';
import type { FromSipServer, ToSipServer, Usage } from './support/sip-server.ts';

const ROUNDS = 5;
const PARSES = 20_000;
/** Before a server is measured: by then its JavaScript is compiled, as it is in a server that has run for seconds. */
const WARMING_CALLS = 3_000;
const CALLS = 10_000;
const CALLS_PER_SECOND = 2_000;
/** Of calls at once: a machine that is busy then has fewer calls a second, and no queue of them. */
const MOST_OPEN = 200;
const REGISTRATIONS = 20_000;
const WEB_SOCKETS = 5_000;
/** Connections that are being opened at a time. */
const OPENING = 200;
const PEER_PORT = 15_060;

async function main(): Promise<number> {
  const absent = missing('sipp');
  if (absent) {
    console.error(`this bench ${absent}`);
    return 2;
  }
  const parse = parsing();
  const callCpuMs = await withServer(server => callCost(server.ports.udp, async () => (await server.usage()).cpuMs));
  const peerCpuMs = await peerCost();
  const bytesPerRegistration = await withServer(registrationCost);
  const bytesPerWebSocketClient = await withServer(webSocketCost);
  report(parse, { callCpuMs, peerCpuMs, bytesPerRegistration, bytesPerWebSocketClient });
  return 0;
}

/** A new process for each measurement: what one leaves free another would fill unseen. */
async function withServer<T>(measure: (server: SipServer) => Promise<T>): Promise<T> {
  const server = await SipServer.start();
  try {
    return await measure(server);
  } finally {
    server.stop();
  }
}

/** Microseconds for a browser's INVITE: read whole, with the headers that every request is asked for; and the limit. */
function parsing(): { parseMicros: number; limitMicros: number } {
  const sdp = readFileSync(fileURLToPath(new URL('../test/vectors/offers/chromium.sdp', import.meta.url)));
  const invite = Buffer.concat([
    Buffer.from(
      [
        'INVITE sip:clock@tv.example.org SIP/2.0',
        'Via: SIP/2.0/WS d3ub1vqsnrm7.invalid;branch=z9hG4bK8034371',
        'Max-Forwards: 69',
        'To: <sip:clock@tv.example.org>',
        'From: "A viewer" <sip:viewer@tv.example.org>;tag=ib7k1v0ea2',
        'Call-ID: s3jh1v9dp3l5u7bqjm2c',
        'CSeq: 7781 INVITE',
        'Contact: <sip:hq2jd6vd@d3ub1vqsnrm7.invalid;transport=ws;ob>',
        'Content-Type: application/sdp',
        'Session-Expires: 90',
        'Allow: INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,REFER,INFO,NOTIFY',
        'Supported: timer,ice,replaces,outbound',
        'User-Agent: a browser',
        `Content-Length: ${sdp.length}`,
        '',
        '',
      ].join('\r\n'),
    ),
    sdp,
  ]);
  const parse = () => {
    const result = scan(invite);
    if (!result.ok) throw new Error(result.error.reason);
    const { via, from, to, cseq, callId } = result.message;
    return via !== null && from !== null && to !== null && cseq !== null && callId !== '';
  };
  const cut = () => invite.toString('utf8').split('\r\n').length > 0;
  const rounds = Array.from({ length: ROUNDS }, () => [microsEach(parse), microsEach(cut)] as const);
  return { parseMicros: median(rounds.map(([whole]) => whole)), limitMicros: median(rounds.map(([, limit]) => limit)) };
}

function microsEach(work: () => boolean): number {
  const startedAtMs = performance.now();
  for (let index = 0; index < PARSES; index++) if (!work()) throw new Error('the INVITE was not understood');
  return ((performance.now() - startedAtMs) * 1000) / PARSES;
}

/** Milliseconds of a server's CPU for each call of INVITE, ACK and BYE over UDP. */
async function callCost(port: number, cpuMs: () => Promise<number>): Promise<number> {
  await makeCalls(port, WARMING_CALLS);
  const before = await cpuMs();
  await makeCalls(port, CALLS);
  return ((await cpuMs()) - before) / CALLS;
}

async function makeCalls(port: number, calls: number): Promise<void> {
  const load = ['-m', `${calls}`, '-r', `${CALLS_PER_SECOND}`, '-l', `${MOST_OPEN}`, '-d', '0'];
  const args = ['-sn', 'uac', '-i', '127.0.0.1', ...load, '-nostdin'];
  const sipp = spawn(find('sipp')!, [...args, `127.0.0.1:${port}`], { stdio: 'ignore' });
  const [code] = await once(sipp, 'exit');
  if (code !== 0) throw new Error(`SIPp ended with ${code}: not every call went well`);
}

/** The same for SIPp's own server. */
async function peerCost(): Promise<number> {
  const args = ['-sn', 'uas', '-i', '127.0.0.1', '-p', `${PEER_PORT}`, '-nostdin'];
  const peer = spawn(find('sipp')!, args, { stdio: 'ignore' });
  try {
    await until('the peer to listen', () => /:3AD4 /.test(readFileSync('/proc/net/udp', 'utf8')));
    return await callCost(PEER_PORT, async () => processCpuMs(peer.pid!));
  } finally {
    peer.kill('SIGKILL');
  }
}

async function registrationCost(server: SipServer): Promise<number> {
  const before = await server.usage();
  await server.register(REGISTRATIONS);
  return ((await server.usage()).heapBytes - before.heapBytes) / REGISTRATIONS;
}

/** Resident bytes: what a connection costs lies partly outside of JavaScript. */
async function webSocketCost(server: SipServer): Promise<number> {
  const before = await server.usage();
  const sockets: WebSocket[] = [];
  for (let first = 0; first < WEB_SOCKETS; first += OPENING) {
    const opening = Array.from({ length: OPENING }, (_, index) => connect(server.ports.http, first + index));
    sockets.push(...(await Promise.all(opening)));
  }
  const bytes = ((await server.usage()).residentBytes - before.residentBytes) / WEB_SOCKETS;
  for (const socket of sockets) socket.terminate();
  return bytes;
}

/** A browser that is connected and registered. */
async function connect(port: number, client: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/sip`, 'sip', { perMessageDeflate: false });
  await once(socket, 'open');
  const host = `client${client}.invalid`;
  socket.send(
    [
      'REGISTER sip:localhost SIP/2.0',
      `Via: SIP/2.0/WS ${host};branch=z9hG4bK${client}`,
      'Max-Forwards: 69',
      `To: <sip:browser${client}@localhost>`,
      `From: <sip:browser${client}@localhost>;tag=${client}`,
      `Call-ID: browser-${client}`,
      'CSeq: 1 REGISTER',
      `Contact: <sip:browser${client}@${host};transport=ws>;expires=600`,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
  const [answer] = await once(socket, 'message');
  if (!String(answer).startsWith('SIP/2.0 200')) throw new Error(`a browser was not registered: ${answer}`);
  return socket;
}

/** The server process, seen from here. */
class SipServer {
  readonly ports: { readonly udp: number; readonly http: number };
  readonly #process: ChildProcess;

  static async start(): Promise<SipServer> {
    const file = fileURLToPath(new URL('support/sip-server.ts', import.meta.url));
    const child = fork(file, { execArgv: ['--expose-gc'] });
    const message = await next(child);
    if (!('ready' in message)) throw new Error('the server did not become ready');
    return new SipServer(child, message.ready);
  }

  private constructor(child: ChildProcess, ports: SipServer['ports']) {
    this.#process = child;
    this.ports = ports;
  }

  async usage(): Promise<Usage> {
    const message = await this.#ask('usage');
    if (!('usage' in message)) throw new Error('the server said something else');
    return message.usage;
  }

  async register(users: number): Promise<void> {
    await this.#ask({ register: users });
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }

  #ask(question: ToSipServer): Promise<FromSipServer> {
    this.#process.send(question);
    return next(this.#process);
  }
}

function next(child: ChildProcess): Promise<FromSipServer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the server ended with ${code}`));
    child.once('exit', ended).once('message', message => {
      child.off('exit', ended);
      resolve(message as FromSipServer);
    });
  });
}

function report(
  { parseMicros, limitMicros }: ReturnType<typeof parsing>,
  costs: { callCpuMs: number; peerCpuMs: number; bytesPerRegistration: number; bytesPerWebSocketClient: number },
): void {
  const { callCpuMs, peerCpuMs, bytesPerRegistration, bytesPerWebSocketClient } = costs;
  const round = (value: number, digits: number) => Number(value.toFixed(digits));
  console.log(
    `parse an INVITE of a browser: ${parseMicros.toFixed(1)} µs; cut it into lines: ${limitMicros.toFixed(1)} µs`,
  );
  console.log(`CPU of a call: ${callCpuMs.toFixed(3)} ms; of SIPp's server: ${peerCpuMs.toFixed(3)} ms`);
  console.log(`a registration: ${bytesPerRegistration.toFixed(0)} bytes of heap, ${REGISTRATIONS} held`);
  console.log(`a browser: ${(bytesPerWebSocketClient / 1000).toFixed(1)} kB resident, ${WEB_SOCKETS} held`);
  console.log(
    JSON.stringify({
      parseMicros: round(parseMicros, 1),
      callCpuMs: round(callCpuMs, 3),
      callsPerSecond: Math.round(1000 / callCpuMs),
      bytesPerRegistration: Math.round(bytesPerRegistration),
      bytesPerWebSocketClient: Math.round(bytesPerWebSocketClient),
    }),
  );
}

process.exitCode = await main();
