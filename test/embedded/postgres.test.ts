/** The embedded PostgreSQL, started for real: what it lets in, what it keeps, and that nothing of it is left behind. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from '../../src/embedded/postgres.ts';
import { awaitPredecessor } from '../../src/embedded/predecessor.ts';
import { silentLogger } from '../support/logger.ts';

const asRoot = process.getuid?.() === 0;
let home: string;
let servers: EmbeddedPostgres[];

async function newHome(): Promise<void> {
  // Mode 0700, as a home directory is: nobody else can walk through it.
  home = await mkdtemp(join(tmpdir(), 'holdpoint-embedded-'));
  servers = [];
}

async function leave(): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(home, { recursive: true, force: true });
}

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({
    dataDir: join(home, 'postgres'),
    port: 0,
    logger: silentLogger,
    ...options,
  });
  servers.push(server);
  return server;
}

async function rows(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

async function sqlFile(name: string, sql: string): Promise<string> {
  const file = join(home, name);
  await writeFile(file, sql);
  return file;
}

/** A process that has ended but that nobody has collected yet has no command line any more. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
}

describe('a running server', () => {
  let server: EmbeddedPostgres;
  beforeAll(async () => {
    await newHome();
    process.env.HOLDPOINT_TEST_SECRET = 'secret';
    server = await start({ settings: { log_statement: 'all' } });
    delete process.env.HOLDPOINT_TEST_SECRET;
  });
  afterAll(leave);

  it('answers with UTF-8, C collation and checksums, on loopback and nowhere else', async () => {
    const sql = `SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'),
      datcollate, current_setting('data_checksums'), current_setting('listen_addresses'),
      current_setting('unix_socket_directories'), current_setting('password_encryption')
      FROM pg_database WHERE datname = 'app'`;
    expect(await rows(server.superuserUrl, sql)).toEqual([
      18,
      'UTF8',
      'C',
      'on',
      '127.0.0.1',
      '',
      'scram-sha-256',
    ]);
  });

  it('refuses a wrong password, and no password', async () => {
    const url = new URL(server.superuserUrl);
    url.password = 'guess';
    await expect(rows(url.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    url.password = '';
    await expect(rows(url.href, 'SELECT 1')).rejects.toThrow(/password/);
  });

  it.runIf(asRoot && process.platform === 'linux')(
    'runs as nobody when started by root, with nothing of our environment',
    () => {
      expect(readFileSync(`/proc/${server.pid}/status`, 'utf8')).toMatch(
        /^Uid:\t65534\t65534\t65534\t65534$/m,
      );
      expect(readFileSync(`/proc/${server.pid}/environ`, 'utf8')).not.toContain('HOLDPOINT_TEST_SECRET');
    },
  );

  it('takes settings of the caller', async () => {
    expect(await rows(server.superuserUrl, 'SHOW log_statement')).toEqual(['all']);
  });

  it('says how it ended', async () => {
    await server.stop();
    expect(await server.exited).toBe('exit code 0');
    expect(alive(server.pid)).toBe(false);
  });
});

describe('the sample data', () => {
  beforeEach(newHome);
  afterEach(leave);

  it('is loaded once, and kept over a restart', async () => {
    const initSql = await sqlFile('sample.sql', 'CREATE TABLE t AS SELECT 1 AS n;\n\n-- the end\n');
    const first = await start({ initSql, database: 'shop' });
    await rows(first.superuserUrl, 'INSERT INTO t VALUES (2)');
    await first.stop();
    const second = await start({ initSql, database: 'shop' });
    expect(await rows(second.superuserUrl, 'SELECT n FROM t ORDER BY n')).toEqual([1, 2]);
  });

  it('leaves no half-made cluster when it fails, and says why', async () => {
    const bad = await sqlFile('bad.sql', 'CREATE TABLE t (n int);\n\nSELECT nonsense;\n');
    await expect(start({ initSql: bad })).rejects.toMatchObject({
      code: 'init_failed',
      message: expect.stringContaining('column "nonsense" does not exist'),
    });
    expect(readdirSync(join(home, 'postgres'))).toEqual([]);
    const good = await sqlFile('good.sql', 'CREATE TABLE t (n int);');
    const server = await start({ initSql: [good] });
    expect(await rows(server.superuserUrl, 'SELECT count(*)::int FROM t')).toEqual([0]);
  });

  it('says which file is missing before it makes anything', async () => {
    await expect(start({ initSql: join(home, 'absent.sql') })).rejects.toMatchObject({
      code: 'init_failed',
      message: expect.stringContaining('absent.sql'),
    });
    expect(existsSync(join(home, 'postgres'))).toBe(false);
  });
});

describe('what is in the way', () => {
  beforeEach(newHome);
  afterEach(leave);

  it('names the port that is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(start({ port })).rejects.toMatchObject({
      code: 'port_in_use',
      message: `127.0.0.1:${port} is in use by another process`,
    });
    other.close();
  });

  it('refuses an address off the loopback interface', async () => {
    await expect(start({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'not_loopback' });
  });

  it('says that the data directory cannot be created', async () => {
    await writeFile(join(home, 'file'), '');
    await expect(start({ dataDir: join(home, 'file', 'postgres') })).rejects.toMatchObject({
      code: 'init_failed',
      message: expect.stringContaining('ENOTDIR'),
    });
  });

  it('passes on what the server says of a setting that it does not take', async () => {
    await expect(start({ settings: { nonsense: 'on' } })).rejects.toMatchObject({
      code: 'start_failed',
      message: expect.stringContaining('unrecognized configuration parameter "nonsense"'),
    });
  });

  it('starts over a stale pid file whose number is another process’s by now', async () => {
    const first = await start();
    await first.stop();
    await writeFile(join(home, 'postgres', 'cluster', 'postmaster.pid'), `${process.pid}\n`);
    const second = await start();
    expect(await rows(second.superuserUrl, 'SELECT 1')).toEqual([1]);
  });

  it('leaves a server alone that another owner still runs, and says so', async () => {
    const server = await start();
    const cluster = join(home, 'postgres', 'cluster');
    const [marker] = await rows(server.superuserUrl, 'SHOW cluster_name');
    await expect(awaitPredecessor(cluster, String(marker), 0)).rejects.toMatchObject({
      code: 'data_dir_in_use',
      message: expect.stringContaining(`process ${server.pid}`),
    });
    expect(alive(server.pid)).toBe(true);
  });
});

describe('its owner', () => {
  beforeEach(newHome);
  afterEach(leave);

  it.runIf(asRoot && process.platform === 'linux')(
    'is whoever made the cluster, when root starts it',
    async () => {
      const first = await start();
      await first.stop();
      execFileSync('chown', ['-R', '12345:12345', join(home, 'postgres', 'cluster')]);
      const second = await start();
      expect(readFileSync(`/proc/${second.pid}/status`, 'utf8')).toMatch(/^Uid:\t12345\t/m);
      expect(await rows(second.superuserUrl, 'SELECT 1')).toEqual([1]);
    },
  );

  it('takes it along when killed, and the next start finds the data whole', async () => {
    const initSql = await sqlFile('sample.sql', 'CREATE TABLE t (n int);');
    const dataDir = join(home, 'postgres');
    const owner = spawn(process.execPath, ['--import', 'tsx', ownerScript, dataDir, initSql], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { pid, superuserUrl } = JSON.parse(await firstLine(owner)) as EmbeddedPostgres;
    await rows(superuserUrl, 'INSERT INTO t VALUES (7)');
    expect(alive(pid)).toBe(true);
    owner.kill('SIGKILL');
    await once(owner, 'exit');

    const next = await start({ dataDir });
    expect(alive(pid)).toBe(false);
    expect(await rows(next.superuserUrl, 'SELECT n FROM t')).toEqual([7]);
  });
});

const ownerScript = fileURLToPath(new URL('owner.ts', import.meta.url));

async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
  }
  throw new Error('the owner ended without a word');
}
