/** The built program as a child process: what it says, and how it ends. Waits for neither. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What `bin.holdpoint` in package.json names. */
export const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface Program {
  readonly pid: number;
  /** Both streams, so far. */
  output(): string;
  readonly stderr: () => string;
  /** Its exit code, or null where a signal ended it. */
  readonly exited: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
}

export interface ProgramOptions {
  /** Beside what this process has. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs the program, which is appended to it: `['nice']`. */
  readonly under?: readonly string[];
}

/** Runs `holdpoint` with arguments. */
export function startProgram(args: readonly string[], options: ProgramOptions = {}): Program {
  const [command = '', ...before] = [...(options.under ?? []), process.execPath];
  const child = spawn(command, [...before, PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  let all = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    all += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    all += chunk;
    errors += chunk;
  });
  return {
    pid: child.pid ?? 0,
    output: () => all,
    stderr: () => errors,
    // Once its streams are closed too: what it said last has arrived.
    exited: once(child, 'close').then(([code]) => code as number | null),
    signal: (name) => void child.kill(name),
  };
}
