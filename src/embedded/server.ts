/**
 * Owns the running server process: started, ready by its own word, stopped fast, and never left behind when we are
 * killed. Must never know how its data directory came to be.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { addressText } from '../core/address.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/ports.ts';
import { EmbeddedProblem } from './problem.ts';
import { clusterArgument, complaint, type Place, programOptions } from './program.ts';

export interface ServerOptions {
  readonly postgres: string;
  readonly place: Place;
  readonly host: string;
  readonly port: number;
  /** On the command line and nowhere else: how a later start knows the process for ours. */
  readonly marker: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

export interface ServerProcess {
  readonly pid: number;
  /** Resolves once the process is gone, with how it ended. */
  readonly exited: Promise<string>;
  /** Ends sessions, writes a checkpoint, exits. Resolves once it is gone. */
  stop(): Promise<void>;
}

const READY = 'database system is ready to accept connections';

/** @throws EmbeddedProblem `port_in_use`, `start_failed` */
export async function runServer(options: ServerOptions): Promise<ServerProcess> {
  const { place, logger } = options;
  const child = spawn(options.postgres, serverArguments(options), {
    ...programOptions(place),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise<string>((settle) => {
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) => settle(signal ? `signal ${signal}` : `exit code ${code}`));
  });
  const guardian = child.pid === undefined ? null : guard(child.pid, place);
  void exited.then(() => guardian?.kill('SIGKILL'));

  const stop = async (): Promise<void> => {
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
      child.kill(signal);
      if (await within(LIMITS.embeddedStop, exited)) return;
    }
  };
  const log = readLog(child, logger);
  const outcome = await within(LIMITS.embeddedReady, Promise.race([log.ready, exited]));
  if (outcome === READY && child.pid !== undefined) return { pid: child.pid, exited, stop };
  await stop();
  throw whyNot(options, outcome ?? 'not ready in time', await log.ended);
}

function serverArguments({ place, host, port, marker, settings }: ServerOptions): string[] {
  const all: Record<string, string> = {
    listen_addresses: host,
    port: String(port),
    unix_socket_directories: '',
    cluster_name: marker,
    log_line_prefix: '',
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', clusterArgument(place), ...flags];
}

/**
 * A shell that waits for the end of our pipe to it. The kernel closes that pipe however we end, and the shell then stops
 * the server. While the server lives its process id cannot be another's; once it is gone, so is the shell.
 */
function guard(pid: number, place: Place): ChildProcess {
  const script = 'while read -r _; do :; done; kill -INT "$1"';
  const guardian = spawn('/bin/sh', ['-c', script, 'holdpoint-postgres-guardian', String(pid)], {
    ...programOptions(place),
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guardian.on('error', () => {});
  guardian.stdin?.on('error', () => {});
  guardian.unref();
  (guardian.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return guardian;
}

interface ServerLog {
  readonly ready: Promise<typeof READY>;
  /** The last lines, once the log is closed. */
  readonly ended: Promise<string>;
}

function readLog(child: ChildProcess, logger: Logger): ServerLog {
  const last: string[] = [];
  if (!child.stderr) throw new EmbeddedProblem('start_failed', 'the server has no log');
  const lines = createInterface({ input: child.stderr });
  const ready = new Promise<typeof READY>((settle) => {
    lines.on('line', (line) => {
      logger.debug({ line }, 'embedded PostgreSQL');
      last.push(line);
      if (last.length > 20) last.shift();
      if (line.includes(READY)) settle(READY);
    });
  });
  const ended = new Promise<string>((settle) => lines.once('close', () => settle(last.join('\n'))));
  return { ready, ended };
}

function whyNot({ host, port }: ServerOptions, outcome: string, log: string): EmbeddedProblem {
  if (/could not bind .*Address already in use/.test(log))
    return new EmbeddedProblem('port_in_use', `${addressText({ host, port })} is in use by another process`);
  return new EmbeddedProblem(
    'start_failed',
    `the embedded PostgreSQL did not start (${outcome}): ${complaint(log)}`,
  );
}

/** What the promise resolves to, or null when that takes longer. */
function within<T>(ms: number, promise: Promise<T>): Promise<T | null> {
  return new Promise((settle, reject) => {
    const timer = setTimeout(() => settle(null), ms);
    promise.then(settle, reject).finally(() => clearTimeout(timer));
  });
}
