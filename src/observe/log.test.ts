import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from './index.ts';
import { formatForPeople } from './people.ts';

function collected(): { lines: Record<string, unknown>[]; destination: { write(line: string): void } } {
  const lines: Record<string, unknown>[] = [];
  return { lines, destination: { write: line => void lines.push(JSON.parse(line)) } };
}

test('a line has its time, level by name, fields and sentence', () => {
  const { lines, destination } = collected();
  createLogger({ level: 'info', destination }).child({ room: 'calls' }).info({ channel: 'clock' }, 'answered');
  const [{ time, ...line } = {}] = lines;
  assert.deepEqual(line, { level: 'info', room: 'calls', channel: 'clock', msg: 'answered' });
  assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 10_000);
});

test('levels below the chosen one are not written', () => {
  const { lines, destination } = collected();
  const log = createLogger({ level: 'warn', destination });
  log.info('unseen');
  log.warn('seen');
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['seen'],
  );
});

test('credentials reach the log neither by fields, sentence, bindings nor errors', () => {
  const { lines, destination } = collected();
  const log = createLogger({ level: 'info', destination }).child({ token: '5ca1ab1e' });
  log.info({ icePwd: '5ca1ab1e', sdp: 'a=ice-pwd:5ca1ab1e' }, 'opened rtsp://cam:5ca1ab1e@host/');
  log.error({ err: new Error('cannot open rtsp://cam:5ca1ab1e@host/') }, 'failed');
  log.error(new Error('cannot open rtsp://cam:5ca1ab1e@host/'));
  assert.equal(lines.length, 3);
  assert.ok(!JSON.stringify(lines).includes('5ca1ab1e'), JSON.stringify(lines));
});

test('for people a line is time of day, level, sentence and fields, and a stack stands below', () => {
  const time = new Date(2026, 0, 2, 14, 3, 27, 512).toISOString();
  const line = { time, level: 'warn', msg: 'call refused', status: 404, reason: 'No such channel' };
  assert.equal(
    formatForPeople(JSON.stringify(line), false),
    '14:03:27.512 WARN  call refused  status=404 reason="No such channel"\n',
  );
  const failure = { time, level: 'error', msg: 'failed', err: { message: 'x', stack: 'Error: x\n    at y' } };
  assert.equal(
    formatForPeople(JSON.stringify(failure), false),
    '14:03:27.512 ERROR failed\n    Error: x\n        at y\n',
  );
});
