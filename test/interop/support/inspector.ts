import { once } from 'node:events';
import type { DialcastServer } from './server.ts';

/** Node option with which a server can be asked through {@link collectGarbage}. */
export const INSPECTED = '--inspect=127.0.0.1:0';

/** Has the server's main thread free what nobody refers to, so that what is left in its heap is really held. */
export async function collectGarbage(server: DialcastServer): Promise<void> {
  const { msg } = await server.logged(line => line.msg.startsWith('Debugger listening on '));
  const socket = new WebSocket(msg.slice('Debugger listening on '.length));
  await once(socket, 'open');
  socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }));
  await once(socket, 'message');
  socket.close();
  await once(socket, 'close');
}
