/** postgres (porsager's) through Holdpoint: pipelines by default, cursors, COPY streams, cancel. */

import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, startHoldpoint } from '../support/running.ts';

let holdpoint: Running;
beforeAll(async () => {
  holdpoint = await startHoldpoint({ config: { policy: { mode: 'shadow' } } });
});
afterAll(() => holdpoint?.stop());

type Scenario = (sql: postgres.Sql) => Promise<unknown>;

async function play(url: string, scenario: Scenario, options: object = {}): Promise<unknown> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, ...options });
  try {
    return await scenario(sql);
  } finally {
    await sql.end();
  }
}

async function failure(query: PromiseLike<unknown>): Promise<unknown> {
  try {
    await query;
    return null;
  } catch (error) {
    const { code, message, severity, detail, hint } = error as Record<string, unknown>;
    return { code, message, severity, detail, hint };
  }
}

const SCENARIOS: Record<string, Scenario> = {
  'parameters of many types': (sql) =>
    sql`SELECT ${7}::int AS n, ${'żółw'}::text AS t, ${new Date(0)}::timestamptz AS at, ${sql.json({ a: 1 })}::jsonb AS j,
        ${Buffer.of(0, 255)}::bytea AS b, ${null}::text AS nothing`,
  'a hundred queries in flight on one connection': (sql) =>
    Promise.all(
      Array.from({ length: 100 }, (_, n) => sql`SELECT ${n}::int AS n, total FROM orders WHERE id = ${n}`),
    ),
  'an error in the middle of a pipeline': (sql) =>
    Promise.all([sql`SELECT 1 AS n`, failure(sql`SELECT 1 / ${0}::int`), sql`SELECT 3 AS n`]),
  'several statements in one': (sql) => sql`SELECT 1 AS a; SELECT 2 AS b`.simple(),
  'a cursor': async (sql) => {
    const sizes: number[] = [];
    for await (const rows of sql`SELECT id FROM orders WHERE id <= 250 ORDER BY id`.cursor(100))
      sizes.push(rows.length);
    return sizes;
  },
  'a cursor left early': async (sql) => {
    let first: unknown;
    for await (const rows of sql`SELECT id FROM orders ORDER BY id`.cursor(10)) {
      first = rows;
      break;
    }
    return [first, await sql`SELECT 1 AS n`];
  },
  'a transaction with a savepoint': (sql) =>
    sql.begin(async (inner) => [
      await failure(inner.savepoint((nested) => nested`SELECT 1/0`)),
      await inner`SELECT count(*)::int AS n FROM orders`,
    ]),
  'a transaction that fails': async (sql) => [
    await failure(sql.begin((inner) => [inner`SELECT 1`, inner`SELECT 1/0`, inner`SELECT 3`])),
    await sql`SELECT 4 AS n`,
  ],
  'COPY both ways': async (sql) => {
    const session = await sql.reserve();
    try {
      await session`CREATE TEMP TABLE copied (n int, t text)`;
      const rows = Array.from({ length: 2000 }, (_, n) => `${n}\trow ${n}\n`);
      await pipeline(Readable.from(rows), await session`COPY copied FROM STDIN`.writable());
      return await text(await session`COPY (SELECT * FROM copied ORDER BY n) TO STDOUT`.readable());
    } finally {
      session.release();
    }
  },
  'a notification': async (sql) => {
    const heard = new Promise(
      (settle) => void sql.listen('doorbell', settle).then(() => sql.notify('doorbell', 'ding')),
    );
    return heard;
  },
};

describe('postgres', () => {
  describe.each([{ prepare: true }, { prepare: false }])('prepare: $prepare', (options) => {
    it.each(Object.entries(SCENARIOS))('%s', async (_, scenario) => {
      const direct = await play(holdpoint.directUrl, scenario, options);
      expect(direct).toBeTruthy();
      expect(await play(holdpoint.agentUrl, scenario, options)).toEqual(direct);
    });
  });

  it('cancels a query', async () => {
    const outcome = await play(
      holdpoint.agentUrl,
      async (sql) => {
        const query = sql`SELECT pg_sleep(30)`;
        const failed = failure(query);
        // The other connection sees it running: only then is there something to cancel.
        for (;;) {
          const [row] =
            await sql`SELECT count(*)::int AS n FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'`;
          if (row?.n === 1) break;
        }
        query.cancel();
        return failed;
      },
      { max: 2 },
    );
    expect(outcome).toMatchObject({ code: '57014' });
  });
});
