export { createLogger, type Logger } from './log.ts';
export { type Figures, Metrics, type Sample } from './metrics.ts';
export { REDACTED, redactFields, redactText } from './redact.ts';
