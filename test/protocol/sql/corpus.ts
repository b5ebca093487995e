/** Owns how a corpus line is compared with an analysis. The vocabulary is that of the corpus' README. */

import type { RelationName, StatementFacts } from '../../../src/core/facts.ts';

export interface CorpusCase {
  readonly id: string;
  readonly sql: string;
  readonly parse_ok: boolean | null;
  readonly expect_facts: {
    readonly kinds: readonly string[];
    readonly reads: readonly string[];
    readonly writes: readonly string[];
    readonly flags: readonly string[];
  };
}

/** May be set where the corpus does not, never missed where it does. */
const JUDGEMENT: ReadonlySet<string> = new Set([
  'secret_literal',
  'tautology',
  'no_limit',
  'limit_huge',
  'paging',
  'bulk_export',
  'agg_export',
  'aggregate_only',
  'hidden_sql',
  'bulk_import',
]);

/** Set by the wire protocol, which is not asked here. */
const OF_THE_PROTOCOL: ReadonlySet<string> = new Set(['portal_limit', 'named_statement', 'fastpath']);

export function structural(flags: readonly string[]): string[] {
  return flags.filter((flag) => !JUDGEMENT.has(flag) && !OF_THE_PROTOCOL.has(flag)).sort();
}

export function kindsOf(facts: StatementFacts): string[] {
  return [facts.node, ...facts.nested];
}

/** `schema.name` or `name`, sorted, once each. */
export function names(relations: readonly RelationName[]): string[] {
  const written = relations.map(({ schema, name }) => (schema === null ? name : `${schema}.${name}`));
  return [...new Set(written)].sort();
}
