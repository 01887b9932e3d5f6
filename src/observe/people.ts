import type { DestinationStream } from 'pino';

const LEVELS: Record<string, { readonly label: string; readonly colour: number }> = {
  trace: { label: 'TRACE', colour: 90 },
  debug: { label: 'DEBUG', colour: 90 },
  info: { label: 'INFO ', colour: 32 },
  warn: { label: 'WARN ', colour: 33 },
  error: { label: 'ERROR', colour: 31 },
};

const DIM = 2;

/** A destination that rewrites each JSON line as one line that reads well in a terminal. */
export function forPeople(output: { write(text: string): unknown }, colours: boolean): DestinationStream {
  return { write: line => void output.write(formatForPeople(line, colours)) };
}

/** `14:03:27.512 INFO  a call was answered  channel=clock codec=h264`, with an error's stack on the lines below. */
export function formatForPeople(line: string, colours: boolean): string {
  const paint = (colour: number, text: string) => (colours ? `\x1b[${colour}m${text}\x1b[0m` : text);
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const { label, colour } = LEVELS[String(level)] ?? { label: String(level).toUpperCase(), colour: 0 };
  const parts = [paint(DIM, timeOfDay(String(time))), paint(colour, label), String(msg ?? '')];
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${readable(value)}`);
  const head = parts.join(' ') + (pairs.length > 0 ? `  ${paint(DIM, pairs.join(' '))}` : '');
  const stack = stackOf(err);
  return stack === null ? `${head}\n` : `${head}\n${paint(DIM, stack.replaceAll(/^/gm, '    '))}\n`;
}

function timeOfDay(isoTime: string): string {
  const time = new Date(isoTime);
  if (Number.isNaN(time.getTime())) return isoTime;
  const two = (value: number) => String(value).padStart(2, '0');
  const milliseconds = String(time.getMilliseconds()).padStart(3, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${milliseconds}`;
}

function readable(value: unknown): string {
  if (typeof value === 'string') return /[\s"=]/.test(value) || value === '' ? JSON.stringify(value) : value;
  return JSON.stringify(value);
}

function stackOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  return String(stack ?? message ?? JSON.stringify(error));
}
