/** The sample data of deploy/local: what the README promises, loaded by the real server. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { silentLogger } from '../support/logger.ts';

let home: string;
let server: EmbeddedPostgres;
let agent: pg.Client;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdpoint-sample-'));
  server = await startEmbeddedPostgres({
    dataDir: join(home, 'postgres'),
    port: 0,
    initSql: fileURLToPath(new URL('../../deploy/local/sample.sql', import.meta.url)),
    logger: silentLogger,
  });
  agent = new pg.Client(`postgres://agent:agent@127.0.0.1:${server.port}/app`);
  await agent.connect();
});

afterAll(async () => {
  await agent?.end();
  await server?.stop();
  await rm(home, { recursive: true, force: true });
});

describe('the sample data', () => {
  it.each([
    ['customers', 3000],
    ['orders', 8000],
    ['payments', 5000],
    ['customer_directory', 3000],
  ])('has %s, %i rows', async (relation, count) => {
    expect((await agent.query(`SELECT count(*)::int AS n FROM ${relation}`)).rows).toEqual([{ n: count }]);
  });

  it('is the same on every machine', async () => {
    const sql = `SELECT (SELECT md5(string_agg(c::text, ',' ORDER BY id)) FROM customers c) AS customers,
      (SELECT md5(string_agg(o::text, ',' ORDER BY id)) FROM orders o) AS orders,
      (SELECT md5(string_agg(p::text, ',' ORDER BY id)) FROM payments p) AS payments`;
    await agent.query("SET TimeZone TO 'UTC'");
    expect((await agent.query(sql)).rows).toMatchInlineSnapshot(`
      [
        {
          "customers": "e3d68e7a6525f951a299323f0dc1cf18",
          "orders": "08ce500e1c8f41372a95d77908efcbd4",
          "payments": "40e3334ce7fdecfd028bf3456e6e3502",
        },
      ]
    `);
  });

  it('stops the agent from nothing: only Holdpoint does', async () => {
    await agent.query('BEGIN');
    await agent.query('DROP TABLE payments');
    await agent.query('DELETE FROM orders WHERE id = 1');
    await agent.query('ROLLBACK');
  });

  it('gives the agent nothing of the server itself', async () => {
    const { rows } = await agent.query(
      `SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = 'agent'`,
    );
    expect(Object.values(rows[0])).toEqual([false, false, false, false, false]);
  });
});
