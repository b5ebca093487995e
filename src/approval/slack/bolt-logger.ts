/**
 * Owns the way from Bolt's logger to ours. Bolt's debug lines carry whole payloads, cards and connection tickets: they are
 * dropped. Must never let a token through, ours or one that merely looks like Slack's.
 */

import type { Logger as BoltLogger, LogLevel } from '@slack/bolt';
import type { Logger } from '../../core/ports.ts';

/** Bolt's lines at info and above, as text, with secrets struck out. `info` is news of the library: debug to us. */
export function boltLogger(logger: Logger, secrets: readonly string[]): BoltLogger {
  const write =
    (level: 'debug' | 'warn') =>
    (...parts: unknown[]) =>
      logger[level]({ door: 'slack', from: 'bolt' }, scrub(parts.map(textOf).join(' '), secrets));
  return {
    debug: () => {},
    info: write('debug'),
    warn: write('warn'),
    error: write('warn'),
    setLevel: () => {},
    setName: () => {},
    getLevel: () => 'info' as LogLevel,
  };
}

/** `text` without `secrets`, without anything shaped like a Slack token, and without a Socket Mode ticket. */
export function scrub(text: string, secrets: readonly string[]): string {
  const known = secrets.reduce((rest, secret) => (secret ? rest.replaceAll(secret, '[secret]') : rest), text);
  return known
    .replace(/\bx(?:ox[a-z]|app|oxe\.xox[bp])-[\w.-]+/g, '[secret]')
    .replace(/\b(ticket|token|secret)=[^\s&"']+/g, '$1=[secret]');
}

/** An error's message only: the error itself holds requests and responses. */
function textOf(part: unknown): string {
  if (part instanceof Error) return part.message;
  return typeof part === 'string' ? part : typeof part;
}
