/** What the default policy makes of SQL texts, from the text to the decision. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Judge, startJudge, statementsOf } from './everyday.ts';

describe('the default policy', () => {
  let everyday: Judge;
  let unlisted: Judge;
  beforeAll(async () => {
    everyday = await startJudge(null);
    unlisted = await startJudge('nothing-sensitive.yaml');
  });
  afterAll(async () => {
    await everyday?.close();
    await unlisted?.close();
  });

  it.each(statementsOf('everyday.txt'))('lets through %s', async (text) => {
    const { effect, input } = await everyday.judge(text);
    expect(effect, JSON.stringify(input)).toBe('allow');
  });

  it.each(statementsOf('never-unasked.txt'))('never lets through unasked %s', async (text) => {
    const { effect, input } = await unlisted.judge(text);
    expect(['hold', 'deny'], JSON.stringify(input)).toContain(effect);
  });

  it.each([
    ['SELECT * FROM customers', 'hold'],
    ['COPY customers TO STDOUT', 'hold'],
    ['SELECT * FROM orders', 'hold'],
    ['SELECT 1; SELECT * FROM orders', 'hold'],
    ['SELECT email FROM customers WHERE id = 1', 'hold'],
    ['SELECT * FROM orders LIMIT 100000', 'hold'],
    ['DELETE FROM orders', 'hold'],
    ['UPDATE orders SET total = 0 WHERE true', 'hold'],
    ['CREATE INDEX ON orders (id)', 'hold'],
    ['GRANT ALL ON orders TO public', 'hold'],
    ['DO $$ BEGIN PERFORM 1; END $$', 'hold'],
    ['SET search_path = evil', 'hold'],
    ['SET row_security = off', 'hold'],
    ['RESET ALL', 'hold'],
    ['SET ROLE postgres', 'hold'],
    ['DROP TABLE orders', 'deny'],
    ['TRUNCATE orders', 'deny'],
    ['DROP DATABASE app', 'deny'],
    ["COPY orders TO PROGRAM 'sh'", 'deny'],
    ["SELECT pg_read_file('/etc/passwd')", 'deny'],
    ['SELECT rolpassword FROM pg_authid WHERE rolname = $1', 'deny'],
    ["UPDATE pg_settings SET setting = 'off' WHERE name = 'row_security'", 'deny'],
    ['SET standard_conforming_strings = off', 'deny'],
    ['SET SESSION AUTHORIZATION postgres', 'deny'],
    ['ALTER SYSTEM SET archive_mode = on', 'deny'],
    ['SELEC 1', 'deny'],
  ])('asks or refuses: %s (%s)', async (text, effect) => {
    expect(await everyday.judge(text)).toMatchObject({ effect });
  });
});
