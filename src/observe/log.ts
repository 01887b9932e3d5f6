import { pino, type Logger as PinoLogger } from 'pino';

/** Structured log. The first argument holds the fields, the second the sentence. */
export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error'> & {
  child(bindings: Record<string, unknown>): Logger;
};

/** A logger that writes to standard error as JSON lines, or for people when standard error is a terminal. */
export function createLogger(options: { level: string; destination?: NodeJS.WritableStream }): Logger {
  return pino({ level: options.level, base: null }, options.destination ?? process.stderr);
}
