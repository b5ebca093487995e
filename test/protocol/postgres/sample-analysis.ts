/** Analyses for transcripts: no parser, only what a session looks at. */

import type { AnalysedStatement, SessionEffect, SqlAnalysis } from '../../../src/protocol/sql/analysis.ts';

/** Enough of an analysis for a transcript; texts that start with `new` have to be asked for. */
export function analysis(text: string): SqlAnalysis | null {
  if (text.startsWith('new')) return null;
  const statements = text.replace('now: ', '').split('; ').map(statementOf);
  const error = text.startsWith('selec ')
    ? ({ code: 'sql_unparseable', message: 'syntax error at or near "selec"' } as const)
    : null;
  const flags = statements.flatMap(({ facts }) => facts.flags);
  return { text, fingerprint: 'f'.repeat(16), statements: error ? [] : statements, flags, error };
}

function statementOf(text: string): AnalysedStatement {
  const flags = text.includes('copy') ? ['copy_stdin'] : [];
  const effects: SessionEffect[] = [];
  if (text === 'begin' || text === 'commit' || text === 'rollback')
    effects.push({ kind: 'transaction', what: text });
  if (text.startsWith('set ')) effects.push({ kind: 'set', name: 'role', value: ['bob'], local: false });
  const facts = {
    node: 'N',
    nested: [],
    command: 'C',
    reads: [],
    writes: [],
    functions: [],
    limit: null,
    flags,
  };
  return { facts, effects, parameters: 0, limitParameter: null, bulkForWantOfLimit: false, ctes: [] };
}
