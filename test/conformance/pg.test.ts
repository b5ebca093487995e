/** node-postgres through Holdpoint: what it sees is what it sees straight at the server. */

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, startHoldpoint } from '../support/running.ts';

let holdpoint: Running;
beforeAll(async () => {
  holdpoint = await startHoldpoint({ config: { policy: { mode: 'shadow' } } });
});
afterAll(() => holdpoint?.stop());

type Scenario = (client: pg.Client) => Promise<unknown>;

async function play(url: string, scenario: Scenario): Promise<unknown> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await scenario(client);
  } finally {
    await client.end();
  }
}

/**
 * What a client can tell of an error; its stack aside. A text that does not parse, and one in a failed transaction, never
 * reach the server: Holdpoint answers them with PostgreSQL's code and words, but has no place in its source to name.
 */
async function failure(query: Promise<unknown>): Promise<unknown> {
  const error = await query.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof pg.DatabaseError)) return error;
  const { code, severity, message } = error;
  return code === '42601' || code === '25P02' ? { code, severity, message } : { ...error, message };
}

const SCENARIOS: Record<string, Scenario> = {
  'a simple query': (client) => client.query('SELECT id, total FROM orders WHERE id < 5 ORDER BY id'),
  'several statements in one': (client) => client.query('SELECT 1 AS a; SELECT 2 AS b; SELECT 3 AS c'),
  'parameters of many types': (client) =>
    client.query({
      text: 'SELECT $1::int, $2::text, $3::numeric, $4::timestamptz, $5::jsonb, $6::bytea, $7::int[], $8::text',
      values: [7, 'żółw', '1.50', new Date(0), { a: [1] }, Buffer.of(0, 255), [1, 2], null],
      rowMode: 'array',
    }),
  'a named statement, used again': async (client) => {
    const query = { name: 'by-id', text: 'SELECT total FROM orders WHERE id = $1' };
    return [await client.query({ ...query, values: [1] }), await client.query({ ...query, values: [2] })];
  },
  'many in the queue, one of them wrong': (client) =>
    Promise.all([
      client.query('SELECT $1::int AS n', [1]),
      failure(client.query('SELECT $1::int / 0', [1])),
      client.query('SELECT $1::int AS n', [3]),
    ]),
  'a portal read in pieces': (client) =>
    client.query({
      text: 'SELECT id FROM orders WHERE id <= $1 ORDER BY id',
      values: [1000],
      rows: 64,
    } as pg.QueryConfig),
  'a large result': async (client) => {
    const { rows, fields } = await client.query('SELECT * FROM orders ORDER BY id');
    return { rows, fields };
  },
  'errors with every field': async (client) => [
    await failure(client.query('SELEC 1')),
    await failure(client.query('SELECT nonsense FROM orders')),
    await failure(client.query('INSERT INTO orders VALUES ($1, 1, now(), $2, 1)', [1, 'open'])),
  ],
  'a failed transaction': async (client) => [
    await client.query('BEGIN'),
    await failure(client.query('SELECT 1/0')),
    await failure(client.query('SELECT 1')),
    await client.query('ROLLBACK'),
    await client.query('SELECT 1'),
  ],
  'notices and notifications': async (client) => {
    const heard: unknown[] = [];
    client.on('notice', ({ severity, message }) => heard.push({ severity, message }));
    const notified = new Promise((settle) => client.once('notification', settle));
    await client.query(`DO $$ BEGIN RAISE NOTICE 'noted'; END $$`);
    await client.query('LISTEN doorbell');
    await client.query(`NOTIFY doorbell, 'ding'`);
    const { channel, payload } = (await notified) as { channel: string; payload: string };
    return { heard, channel, payload };
  },
};

/** As plain data: node-postgres keeps its parsers and its stack in there too. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('pg', () => {
  it.each(Object.entries(SCENARIOS))('%s', async (_, scenario) => {
    const direct = plain(await play(holdpoint.directUrl, scenario));
    expect(JSON.stringify(direct).length).toBeGreaterThan(20);
    expect(plain(await play(holdpoint.agentUrl, scenario))).toEqual(direct);
  });
});
