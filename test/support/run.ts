/** Runs a program to its end and tells all that it said. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  /** The whole environment, PATH aside. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...options.env };
  const child = spawn(program, args, { env, stdio: 'pipe' });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (chunk: string) => {
      said[stream] += chunk;
    });
  // A program that ends before it has read everything tells so by its exit code.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}
