/**
 * Owns the exit codes of the command line, and how a failure becomes one clear message and its code. Must never end
 * the process itself.
 */

import { ConfigError } from '../config/load.ts';
import { Fault } from '../core/errors.ts';

export const EXIT = {
  done: 0,
  /** The answer is no: verification failed, policy refuses, the desk refuses. */
  no: 1,
  /** Usage or configuration. */
  usage: 2,
  /** Ours, or the machine's. */
  fault: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Thrown by a command to end with `code` after saying each of `lines` on standard error. */
export class CommandFailed extends Error {
  readonly code: ExitCode;
  readonly lines: readonly string[];
  constructor(code: ExitCode, lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'CommandFailed';
    this.code = code;
    this.lines = lines;
  }
}

/** What a thrown value means to the shell. */
export function failureOf(error: unknown): { code: ExitCode; lines: readonly string[] } {
  if (error instanceof CommandFailed) return { code: error.code, lines: error.lines };
  if (error instanceof ConfigError) return { code: EXIT.usage, lines: error.problems };
  if (error instanceof Fault) return { code: EXIT.fault, lines: [error.message] };
  return {
    code: EXIT.fault,
    lines: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
  };
}
