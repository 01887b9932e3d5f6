import { type DestinationStream, type Logger as PinoLogger, pino, stdSerializers, stdTimeFunctions } from 'pino';
import { forPeople } from './people.ts';
import { redactFields, redactText } from './redact.ts';

/** Structured log. The first argument holds the fields, the second the sentence. */
export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error'> & {
  child(bindings: Record<string, unknown>): Logger;
};

/**
 * A logger that writes to standard error as JSON lines, or for people when standard error is a terminal. Credentials in
 * fields, sentences and errors are redacted.
 */
export function createLogger(options: { level: string; destination?: DestinationStream }): Logger {
  const people = options.destination === undefined && process.stderr.isTTY;
  const destination = options.destination ?? (people ? forPeople(process.stderr, colours()) : process.stderr);
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }), log: redactFields },
      serializers: { err: (error: Error) => redactFields({ ...stdSerializers.err(error) }) },
      hooks: {
        logMethod(args, method) {
          const [first, sentence]: unknown[] = args;
          // pino takes the sentence from an error that stands alone.
          const whole = first instanceof Error && sentence === undefined ? [first, first.message] : args;
          const redacted = whole.map(argument => (typeof argument === 'string' ? redactText(argument) : argument));
          method.apply(this, redacted as typeof args);
        },
      },
    },
    destination,
  );
  return redactingBindings(logger);
}

/** pino forgets the formatter of bindings with each child, so children redact theirs here. */
function redactingBindings(logger: PinoLogger): Logger {
  const child = logger.child.bind(logger);
  return Object.assign(logger, {
    child: (bindings: Record<string, unknown>) => redactingBindings(child(redactFields(bindings))),
  });
}

/** https://no-color.org */
function colours(): boolean {
  return !process.env.NO_COLOR;
}
