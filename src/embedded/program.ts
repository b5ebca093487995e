/**
 * Owns running PostgreSQL's programs as the right account, inside the data directory, with an environment of their own.
 * Must never pass on our environment (it may hold secrets) nor our terminal's signals.
 */

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { ServerAccount } from './account.ts';

export interface Place {
  /** The cluster's data directory; the programs' working directory. */
  readonly cluster: string;
  readonly account: ServerAccount | null;
}

/**
 * What to call the data directory on the command line. The account may not be able to walk down to it, under a home of
 * mode 0700 say, and PostgreSQL changes into it by name; the kernel has already put the program there.
 */
export function clusterArgument({ cluster, account }: Place): string {
  return account !== null && process.platform === 'linux' ? '/proc/self/cwd' : cluster;
}

/** Spawn options for any of the programs. A session of its own: an interrupt typed at a terminal is for us to pass on. */
export function programOptions({ cluster, account }: Place): SpawnOptions {
  return {
    cwd: cluster,
    detached: true,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    ...(account ?? {}),
  };
}

export interface Finished {
  readonly ok: boolean;
  /** The last of what it wrote, both streams. */
  readonly output: string;
}

/** Octets kept of a program's output, to tell why it failed. */
const OUTPUT_KEPT = 4_096;

/** Runs a program to its end. Never rejects: one that cannot be started has not ended well. */
export function runProgram(
  file: string,
  args: readonly string[],
  place: Place,
  input = '',
): Promise<Finished> {
  return new Promise((settle) => {
    const child: ChildProcess = spawn(file, args, { ...programOptions(place), stdio: 'pipe' });
    let output = '';
    const keep = (chunk: string): void => {
      output = (output + chunk).slice(-OUTPUT_KEPT);
    };
    child.stdout?.setEncoding('utf8').on('data', keep);
    child.stderr?.setEncoding('utf8').on('data', keep);
    child.once('error', ({ message }) => settle({ ok: false, output: message }));
    child.once('close', (code) => settle({ ok: code === 0, output }));
    // A program that ends early closes its input: its exit code tells, not the broken pipe.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** The lines of PostgreSQL's own that say what is wrong, for one line to the operator. */
export function complaint(output: string): string {
  const lines = output.split('\n').map((line) => line.replace(/^(?:backend> )+/, '').trim());
  const told = lines.filter((line) => /\b(?:PANIC|FATAL|ERROR|error|HINT):/.test(line));
  return (told.length > 0 ? told : lines.filter((line) => line !== '').slice(-3)).join(' ');
}
