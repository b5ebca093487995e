/** Everyday statements through the real parser and the real policy. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyInput, policyInput } from '../../src/core/facts.ts';
import { createPolicyEngine, type RunningPolicy } from '../../src/policy/engine.ts';
import { createSqlAnalyser } from '../../src/protocol/sql/analyser.ts';
import type { SqlAnalyser } from '../../src/protocol/sql/analysis.ts';
import { EVERYDAY } from './everyday.ts';
import { AGENT, sqlFacts } from './inputs.ts';

describe('the default policy', () => {
  let analyser: SqlAnalyser;
  let policy: RunningPolicy;
  beforeAll(async () => {
    analyser = createSqlAnalyser();
    policy = await createPolicyEngine({ bundle: 'builtin', data: null });
  });
  afterAll(async () => {
    await policy.close();
    await analyser.close();
  });

  async function inputOf(text: string): Promise<PolicyInput> {
    const { statements, flags, error } = await analyser.analyse(text);
    const seen = statements.map(({ facts, effects }) => {
      const settings = effects.flatMap((effect) => (effect.kind === 'set' ? [effect.name] : []));
      return settings.length > 0 ? { ...facts, settings } : facts;
    });
    const more = { text, flags: [...flags], parsed: error === null, error: error?.message ?? null };
    return policyInput({ kind: 'postgres', sql: sqlFacts(seen, more) }, AGENT, 0);
  }

  it.each(EVERYDAY)('lets through %s', async (text) => {
    const input = await inputOf(text);
    const { decision } = await policy.decide(input);
    expect(decision, JSON.stringify(input.kind === 'postgres' && input.sql)).toMatchObject({
      effect: 'allow',
    });
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
    const input = await inputOf(text);
    const { decision } = await policy.decide(input);
    expect(decision, JSON.stringify(input.kind === 'postgres' && input.sql)).toMatchObject({ effect });
  });
});
