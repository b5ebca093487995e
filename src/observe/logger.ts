/**
 * Owns the operational log: JSON lines on standard error, by pino. Evidence is not here but in audit/.
 * Must never be given a payload or a secret; what slips in under a telling name is redacted.
 */

import { type DestinationStream, destination, pino } from 'pino';
import type { Logger } from '../core/ports.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const SECRET_KEYS = ['password', 'token', 'secret', 'authorization', 'cookie', 'bot_token', 'app_token'];

export function createLogger(level: LogLevel, stream: DestinationStream = standardError()): Logger {
  const redact = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact }, stream);
}

// Synchronous: the last line before an exit is the one that matters.
function standardError(): DestinationStream {
  return destination({ dest: 2, sync: true });
}
