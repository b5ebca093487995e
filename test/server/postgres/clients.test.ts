/** Real clients through the listener to a real server: each sees what it would see directly. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './bench-setup.ts';

const run = promisify(execFile);
let bench: Bench;

beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());
beforeEach(() => bench.script.reset());

describe('psql', () => {
  it('sees the same through the listener', async () => {
    const script = [
      '-X',
      '-c',
      'select 1 as one, $$two$$ as two',
      '-c',
      '\\d pg_class',
      '-c',
      'selec 1',
      '-c',
      'table nope',
    ];
    const direct = await run('psql', [bench.direct, ...script]).catch((error) => error);
    const through = await run('psql', [bench.through, ...script]).catch((error) => error);
    expect(through.stdout).toBe(direct.stdout);
    expect(through.stdout).toContain('two');
  });
});

describe('pg', () => {
  it('runs simple and extended queries', async () => {
    const client = new pg.Client(bench.through);
    await client.connect();
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect((await client.query('select $1::int + 1 as two', [1])).rows).toEqual([{ two: 2 }]);
    await client.end();
  });
});

describe('postgres', () => {
  it('runs queries with parameters', async () => {
    const sql = postgres(bench.through, { max: 1 });
    expect([...(await sql`select ${1}::int + 1 as two`)]).toEqual([{ two: 2 }]);
    await sql.end();
  });
});
