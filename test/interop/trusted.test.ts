import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { HOST, OUTSIDE } from './support/network.ts';
import { DialcastServer } from './support/server.ts';
import { SipClient } from './support/sip-client.ts';
import { until } from './support/until.ts';

/** More than one source may ask in the seconds that they take on a busy machine. */
const MANY = 5_000;

const WAYS = [
  { name: 'a caller of its own', trusted: [], isBound: true },
  { name: 'a proxy in a trusted network', trusted: ['198.51.100.0/28'], isBound: false },
] as const;

describe('the limits of one address', { skip: OUTSIDE }, () => {
  for (const { name, trusted, isBound } of WAYS) {
    test(`${isBound ? 'bind' : 'do not bind'} ${name}`, { timeout: 30_000 }, async t => {
      const server = await DialcastServer.start({ trusted, limits: { connectionsPerAddress: 1 } });
      t.after(() => server.stop());
      const client = await SipClient.open('tcp', server.ports.tcp, HOST);
      t.after(() => client.close());
      client.tell(Array.from({ length: MANY }, () => client.request({ method: 'OPTIONS' })).join(''));
      const answers = await until(
        'an answer to each',
        () => {
          const all: string[] = client.received.match(/^SIP\/2\.0 \d+/gm) ?? [];
          return all.length === MANY && all;
        },
        20_000,
      );
      assert.equal(answers.includes('SIP/2.0 503'), isBound);

      const second = connect({ port: server.ports.tcp, host: HOST, localAddress: HOST });
      t.after(() => second.destroy());
      second.on('error', () => undefined).write(client.request({ method: 'OPTIONS' }));
      const isAnswered = await new Promise<boolean>(resolve => {
        second.once('data', () => resolve(true)).once('close', () => resolve(false));
      });
      assert.equal(isAnswered, !isBound);
    });
  }
});
