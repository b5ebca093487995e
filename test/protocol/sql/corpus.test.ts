/** The visible corpus: kinds, reads, writes and structural flags exact; judgement flags never missed. */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSqlAnalyser } from '../../../src/protocol/sql/analyser.ts';
import type { SqlAnalyser } from '../../../src/protocol/sql/analysis.ts';
import { type CorpusCase, kindsOf, names, structural } from './corpus.ts';

const corpus: CorpusCase[] = readFileSync(new URL('../../corpus/sql.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

describe('the SQL corpus', () => {
  let analyser: SqlAnalyser;
  beforeAll(() => {
    analyser = createSqlAnalyser();
  });
  afterAll(() => analyser.close());

  const parsed = corpus.filter((entry) => entry.parse_ok === true);
  it.each(parsed.map((entry) => [entry.id, entry] as const))(
    '%s',
    async (_id, { sql, expect_facts: expected }) => {
      const analysis = await analyser.analyse(sql);
      expect(analysis.error).toBeNull();
      const facts = analysis.statements.map((statement) => statement.facts);
      expect(facts.flatMap(kindsOf)).toEqual(expected.kinds);
      expect(names(facts.flatMap((one) => one.reads))).toEqual([...expected.reads].sort());
      expect(names(facts.flatMap((one) => one.writes))).toEqual([...expected.writes].sort());
      expect(structural(analysis.flags)).toEqual(structural(expected.flags));
      expect(analysis.flags).toEqual(
        expect.arrayContaining(expected.flags.filter((flag) => flag !== 'portal_limit')),
      );
    },
  );

  it('has the cases that it is meant to have', () => {
    expect(parsed.length).toBe(120);
  });

  it('refuses text with a NUL before it is parsed', async () => {
    const entry = corpus.find(({ id }) => id === 'enc-006');
    const analysis = await analyser.analyse(entry?.sql ?? '');
    expect(analysis.error?.code).toBe('sql_encoding');
    expect(analysis.flags).toContain('nul_byte');
  });
});
