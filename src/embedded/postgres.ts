/**
 * Owns the embedded PostgreSQL: a real server from the npm registry with sample data, for trying Holdpoint and for its
 * tests. Loopback only, passwords always, no OS user added. Must never serve anything that somebody would miss.
 */

import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { addressText } from '../core/address.ts';
import type { Logger } from '../core/ports.ts';
import { serverAccount } from './account.ts';
import { locateBinaries } from './binaries.ts';
import { clusterDirectory, createCluster, existingPassword } from './initdb.ts';
import { awaitPredecessor } from './predecessor.ts';
import { EmbeddedProblem } from './problem.ts';
import { runServer, type ServerOptions, type ServerProcess } from './server.ts';

export interface EmbeddedPostgresOptions {
  /** Created with what it needs when it is not there; removing it starts anew. */
  readonly dataDir: string;
  /** On the loopback interface; 127.0.0.1 unless told. */
  readonly host?: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Created with the cluster; `app` unless told. */
  readonly database?: string;
  /**
   * Files of SQL to run in the new database, in one transaction, when the cluster is created. In them a semicolon
   * followed by an empty line ends a command, inside a function body too.
   */
  readonly initSql?: string | readonly string[];
  /** More server settings: `{ log_statement: 'all' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

export interface EmbeddedPostgres {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Holds the superuser's password: never log it. */
  readonly superuserUrl: string;
  readonly pid: number;
  /** Resolves once the server is gone, asked or not, with how it ended. */
  readonly exited: Promise<string>;
  /** Ends its sessions and stops it. Resolves once it is gone. */
  stop(): Promise<void>;
}

/** A picked port may be taken by another before the server binds it. */
const PICK_ATTEMPTS = 5;

/** Starts the server, making its cluster first where there is none. @throws EmbeddedProblem */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { logger, host = '127.0.0.1', database = 'app', settings = {}, initSql = [] } = options;
  if (!isLoopback(host))
    throw new EmbeddedProblem(
      'not_loopback',
      `${host} is not a loopback address: the embedded PostgreSQL has no other`,
    );
  const dataDir = resolve(options.dataDir);
  let password = await existingPassword(dataDir);
  const account = serverAccount(clusterDirectory(dataDir));
  const binaries = await locateBinaries(account);
  if (password === null) {
    logger.info({ dataDir, version: binaries.version }, 'creating the embedded PostgreSQL cluster');
    const files = typeof initSql === 'string' ? [initSql] : initSql;
    password = await createCluster({ dataDir, account, binaries, database, initSql: files });
  }

  const cluster = await realpath(clusterDirectory(dataDir));
  const marker = `holdpoint-${createHash('sha256').update(cluster).digest('hex').slice(0, 16)}`;
  await awaitPredecessor(cluster, marker);
  const { server, port } = await runOn(options.port, {
    postgres: binaries.postgres,
    place: { cluster, account },
    host,
    marker,
    settings,
    logger,
  });
  const superuserUrl = `postgres://postgres:${password}@${addressText({ host, port })}/${encodeURIComponent(database)}`;
  logger.info({ host, port, pid: server.pid }, 'embedded PostgreSQL ready');
  return { host, port, database, superuserUrl, ...server };
}

async function runOn(
  port: number,
  options: Omit<ServerOptions, 'port'>,
): Promise<{ server: ServerProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const chosen = port === 0 ? await freePort(options.host) : port;
    try {
      return { server: await runServer({ ...options, port: chosen }), port: chosen };
    } catch (error) {
      const taken = error instanceof EmbeddedProblem && error.code === 'port_in_use';
      if (!taken || port !== 0 || attempt === PICK_ATTEMPTS) throw error;
    }
  }
}

function freePort(host: string): Promise<number> {
  return new Promise((settle, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => settle(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function isLoopback(host: string): boolean {
  return host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
