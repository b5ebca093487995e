/**
 * Owns the question whether somebody still serves a data directory: a server whose owner was just killed is on its way
 * out and is waited for; a stale pid file, whose number may belong to anybody by now, is removed. Never ends a process.
 */

import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LIMITS } from '../core/limits.ts';
import { EmbeddedProblem } from './problem.ts';

/** Milliseconds between two looks: the end of a process that is not our child announces itself to nobody. */
const LOOK_EVERY = 50;

/** Waits `patience` milliseconds at most. @throws EmbeddedProblem `data_dir_in_use` */
export async function awaitPredecessor(
  cluster: string,
  marker: string,
  patience: number = LIMITS.embeddedPredecessor,
): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid');
  const deadline = Date.now() + patience;
  for (;;) {
    const pid = await pidIn(pidFile);
    if (pid === null) return;
    if (!(await isServer(pid, marker))) {
      // PostgreSQL itself would refuse to start when the number has been given to another process.
      await rm(pidFile, { force: true });
      return;
    }
    if (Date.now() >= deadline)
      throw new EmbeddedProblem(
        'data_dir_in_use',
        `${cluster} is served by process ${pid}: another Holdpoint runs there; stop that one first`,
      );
    await delay(LOOK_EVERY);
  }
}

async function pidIn(pidFile: string): Promise<number | null> {
  try {
    const pid = Number.parseInt(await readFile(pidFile, 'utf8'), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function isServer(pid: number, marker: string): Promise<boolean> {
  return (await commandLine(pid)).includes(marker);
}

/** Readable whoever the process belongs to; empty when there is none. */
async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8');
    return (await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)])).stdout;
  } catch {
    return '';
  }
}
