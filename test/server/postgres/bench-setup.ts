/** A real PostgreSQL 18 with a listener of ours before it, for the tests of this folder. */

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineClock } from '../../../src/app/machine.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/embedded/postgres.ts';
import { createSqlAnalyser } from '../../../src/protocol/sql/analyser.ts';
import type { SqlAnalyser } from '../../../src/protocol/sql/analysis.ts';
import type { Upstream } from '../../../src/server/postgres/dial.ts';
import { createPostgresListener, type PostgresListener } from '../../../src/server/postgres/listener.ts';
import { silentLogger } from '../../support/logger.ts';
import { type Script, scriptedPipeline } from './scripted-pipeline.ts';

export interface Bench {
  readonly server: EmbeddedPostgres;
  readonly listener: PostgresListener;
  readonly script: Script;
  readonly analyser: SqlAnalyser;
  /** Straight to the server. */
  readonly direct: string;
  /** The same through the listener. */
  readonly through: string;
  readonly port: number;
  stop(): Promise<void>;
}

export interface TestListener {
  readonly listener: PostgresListener;
  readonly port: number;
  stop(): Promise<void>;
}

/** A listener of ours before any server. */
export async function startListener(
  script: Script,
  upstream: Upstream,
  analyser: SqlAnalyser,
): Promise<TestListener> {
  const { host, port: behind } = upstream;
  const listener = createPostgresListener({
    name: 'test',
    listen: { host: '127.0.0.1', port: 0 },
    upstream: { host, port: behind },
    pipeline: script,
    analyser,
    clock: machineClock,
    random: randomBytes,
    logger: silentLogger,
    waits: { outside: 60_000, inTransaction: 20_000 },
  });
  const { port } = await listener.listen();
  return { listener, port, stop: () => listener.drain() };
}

export async function startBench(): Promise<Bench> {
  const home = await mkdtemp(join(tmpdir(), 'holdpoint-pgwire-'));
  const server = await startEmbeddedPostgres({
    dataDir: join(home, 'postgres'),
    port: 0,
    logger: silentLogger,
  });
  const script = scriptedPipeline();
  const analyser = createSqlAnalyser();
  const { listener, port, stop } = await startListener(script, server, analyser);
  const through = new URL(server.superuserUrl);
  through.port = String(port);
  return {
    server,
    listener,
    script,
    analyser,
    direct: server.superuserUrl,
    through: through.href,
    port,
    async stop() {
      await stop();
      await analyser.close();
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}
