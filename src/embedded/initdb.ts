/**
 * Owns the making of a cluster: initdb, the superuser's password, who may connect, the database, the sample data. It is
 * made aside and renamed into place, so that a cluster that exists is a whole one. Must never touch an existing one.
 */

import { randomBytes } from 'node:crypto';
import { access, chmod, chown, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerAccount } from './account.ts';
import type { Binaries } from './binaries.ts';
import { EmbeddedProblem } from './problem.ts';
import { clusterArgument, complaint, type Place, runProgram } from './program.ts';

export interface ClusterPlan {
  /** Ours, mode 0700: holds the cluster and the superuser's password. */
  readonly dataDir: string;
  readonly account: ServerAccount | null;
  readonly binaries: Binaries;
  readonly database: string;
  /** Files of SQL, run in this order in one transaction. */
  readonly initSql: readonly string[];
}

/** Loopback only, passwords always: nobody gets in by being on the machine. */
const HBA = ['127.0.0.0/8', '::1/128']
  .flatMap((range) => [
    `host all all ${range} scram-sha-256\n`,
    `host replication all ${range} scram-sha-256\n`,
  ])
  .join('');

export const clusterDirectory = (dataDir: string): string => join(dataDir, 'cluster');
const passwordFile = (dataDir: string): string => join(dataDir, 'superuser-password');

/** The superuser's password of the cluster in `dataDir`, or null when there is no cluster yet. */
export async function existingPassword(dataDir: string): Promise<string | null> {
  try {
    await access(clusterDirectory(dataDir));
    return (await readFile(passwordFile(dataDir), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unusable(dataDir, error);
  }
}

const unusable = (dataDir: string, cause: unknown): EmbeddedProblem =>
  new EmbeddedProblem('init_failed', `${dataDir} cannot be used: ${(cause as Error).message}`, { cause });

/** Makes the cluster. @returns the superuser's password. @throws EmbeddedProblem `init_failed` */
export async function createCluster(plan: ClusterPlan): Promise<string> {
  // Read first: a sample file that is not there should cost nothing.
  const sample = await readAll(plan.initSql);
  const made = await emptyDirectory(plan.dataDir);
  try {
    const password = randomBytes(24).toString('base64url');
    const place: Place = { cluster: made, account: plan.account };
    if (plan.account) await chown(made, plan.account.uid, plan.account.gid);
    await chmod(made, 0o700);
    await initdb(plan.binaries, place);
    await writeFile(join(made, 'pg_hba.conf'), HBA);
    await single(plan.binaries, place, 'postgres', [
      `ALTER ROLE postgres PASSWORD '${password}'`,
      `CREATE DATABASE "${plan.database.replaceAll('"', '""')}"`,
    ]);
    if (sample.length > 0) await single(plan.binaries, place, plan.database, ['BEGIN', ...sample, 'COMMIT']);
    await writeFile(passwordFile(plan.dataDir), `${password}\n`, { mode: 0o600 });
    await rename(made, clusterDirectory(plan.dataDir));
    return password;
  } catch (error) {
    throw error instanceof EmbeddedProblem ? error : unusable(plan.dataDir, error);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

async function emptyDirectory(dataDir: string): Promise<string> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    return await mkdtemp(join(dataDir, 'cluster.new-'));
  } catch (cause) {
    throw unusable(dataDir, cause);
  }
}

async function readAll(files: readonly string[]): Promise<readonly string[]> {
  try {
    return await Promise.all(files.map(async (file) => (await readFile(file, 'utf8')).trimEnd()));
  } catch (cause) {
    throw new EmbeddedProblem('init_failed', `the sample data cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

async function initdb(binaries: Binaries, place: Place): Promise<void> {
  const args = ['--username=postgres', '--auth=reject', '--encoding=UTF8', '--locale=C', '--no-instructions'];
  const done = await runProgram(binaries.initdb, ['-D', clusterArgument(place), ...args], place);
  if (!done.ok) throw new EmbeddedProblem('init_failed', `initdb failed: ${complaint(done.output)}`);
}

/**
 * Runs commands in PostgreSQL's single-user mode, which needs no client and no socket. With `-j` a command ends at a
 * semicolon followed by an empty line; `exit_on_error` makes the first error the last.
 */
async function single(
  binaries: Binaries,
  place: Place,
  database: string,
  commands: readonly string[],
): Promise<void> {
  const settings = ['-c', 'exit_on_error=on', '-c', 'log_checkpoints=off', '-c', 'log_line_prefix='];
  const args = ['--single', '-j', '-D', clusterArgument(place), ...settings, database];
  const input = commands.map((command) => `${command.replace(/;$/, '')};\n\n`).join('');
  const done = await runProgram(binaries.postgres, args, place, input);
  if (!done.ok)
    throw new EmbeddedProblem('init_failed', `setting up the database failed: ${complaint(done.output)}`);
}
