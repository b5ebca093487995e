/**
 * Owns what was sent to the server and is awaited, and which of it changes what later statements mean. Must never
 * know the answers.
 */

import type { StatementFacts } from '../../core/facts.ts';
import type { Refusal } from '../../core/refusal.ts';
import type { SqlAnalysis } from '../sql/analysis.ts';
import type { Portal, Prepared } from './names.ts';
import type { Run } from './run.ts';

/** Something sent whose answer is awaited. */
export type Awaited =
  | { readonly kind: 'parse'; readonly name: string; readonly prepared: Prepared }
  | { readonly kind: 'bind'; readonly name: string; readonly portal: Portal; readonly run: Run | null }
  | { readonly kind: 'query'; readonly run: Run | null; readonly analysis: SqlAnalysis }
  | {
      readonly kind: 'execute';
      readonly run: Run | null;
      readonly analysis: SqlAnalysis | null;
      /** Of what was prepared or declared in SQL, where there is no analysis of it alone. */
      readonly ran: readonly StatementFacts[];
    }
  | { readonly kind: 'function'; readonly run: Run | null }
  | { readonly kind: 'describe' | 'close'; readonly of: 'statement' | 'portal'; readonly name: string }
  | { readonly kind: 'sync' }
  /** A message that was made to fail: `word` is in the error that belongs to it. */
  | {
      readonly kind: 'refused';
      readonly as: 'query' | 'parse';
      readonly word: string;
      readonly refusal: Refusal;
    }
  /** No answer: where the client ended COPY data that the server may not have asked for yet. */
  | { readonly kind: 'copy end' };

/** Names, settings and transactions that later statements depend on; and code that may do the like unseen. */
export function changesSession(awaited: Awaited): boolean {
  switch (awaited.kind) {
    case 'parse':
      return awaited.name !== '';
    case 'close':
      return awaited.of === 'statement';
    case 'bind':
      return awaited.name !== '';
    case 'function':
      return true;
    case 'execute':
      return awaited.ran.some(isUnsteady) || changes(awaited.analysis);
    case 'query':
      return changes(awaited.analysis);
    default:
      return false;
  }
}

function changes(analysis: SqlAnalysis | null): boolean {
  const statements = analysis?.statements ?? [];
  return statements.some(({ effects, facts }) => effects.length > 0 || isUnsteady(facts));
}

const isUnsteady = ({ flags }: StatementFacts): boolean => flags.some((flag) => UNSTEADY.has(flag));

const UNSTEADY = new Set([
  'opaque',
  'needs_prepared_lookup',
  'needs_cursor_lookup',
  'do',
  'call',
  'dynamic_sql',
  'fn_sql_exec',
  'fn_set_config',
  'fn_user',
  'copy_stdin',
]);
