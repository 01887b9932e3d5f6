import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { DialcastError } from '../../errors.ts';
import { createSource } from './index.ts';

/** A peer that takes what it is sent and never answers. */
async function mute(t: TestContext): Promise<number> {
  const server = createServer(socket => {
    socket.on('error', () => undefined).resume();
    t.after(() => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('a source that does not open', { timeout: 20_000 }, () => {
  for (const [name, urlOf] of [
    ['a command that writes nothing', () => 'exec:sleep 60'],
    ['a server that says nothing', (port: number) => `http://127.0.0.1:${port}/`],
    ['a camera that says nothing', (port: number) => `rtsp://127.0.0.1:${port}/1`],
    ['datagrams that do not come', (port: number) => `udp://127.0.0.1:${port}`],
  ] as const) {
    it(`because it is ${name} is given up after ten seconds`, async t => {
      const url = urlOf(await mute(t));
      const source = await createSource({
        url,
        loop: false,
        passThrough: true,
        nowUs: () => 0,
        changed: () => undefined,
      });
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const opening = source.open();
      opening.catch(() => undefined);
      // It looks at what it is to open first.
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      t.mock.timers.tick(10_000);
      t.mock.timers.reset();
      await assert.rejects(
        opening,
        ({ code, detail }: DialcastError) =>
          code === 'SOURCE_OPEN_FAILED' && detail === 'the source did not open within 10 seconds',
      );
      await source.close();
    });
  }
});
