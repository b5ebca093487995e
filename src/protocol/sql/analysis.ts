/**
 * Owns the form of an analysed SQL text: facts for policy, and what it does to the session that runs it.
 * Must never know the wire protocol or the parser's own tree.
 */

import type { ErrorCode } from '../../core/errors.ts';
import type { StatementFacts } from '../../core/facts.ts';

/** What a statement does to the session's names and settings, which later statements depend on. */
export type SessionEffect =
  | {
      readonly kind: 'prepare';
      readonly name: string;
      readonly prepared: readonly StatementFacts[];
    }
  | { readonly kind: 'execute'; readonly name: string }
  /** null: all of them. */
  | { readonly kind: 'deallocate'; readonly name: string | null }
  | {
      readonly kind: 'declare';
      readonly cursor: string;
      readonly hold: boolean;
      readonly query: readonly StatementFacts[];
    }
  | {
      readonly kind: 'fetch';
      readonly cursor: string;
      readonly count: number | null;
    }
  | { readonly kind: 'close'; readonly cursor: string | null }
  | {
      readonly kind: 'discard';
      readonly what: 'all' | 'plans' | 'sequences' | 'temp';
    }
  /**
   * `value` null: to default (RESET, SET … TO DEFAULT); empty: the text does not show it. `name` is lower case; `*` for
   * RESET ALL; `?` for some setting that the text does not show.
   */
  | {
      readonly kind: 'set';
      readonly name: string;
      readonly value: readonly string[] | null;
      readonly local: boolean;
    }
  | {
      readonly kind: 'transaction';
      readonly what: 'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollback_to' | 'prepare';
    };

export interface AnalysedStatement {
  readonly facts: StatementFacts;
  readonly effects: readonly SessionEffect[];
  /** Highest $n that the statement uses; 0 for none. */
  readonly parameters: number;
  /** The $n that is the row limit of the statement's own query, or null. */
  readonly limitParameter: number | null;
  /** True where `bulk_export` is set only because that query has no modest constant limit: see bound-limit.ts. */
  readonly bulkForWantOfLimit: boolean;
  /** Names of its common table expressions. */
  readonly ctes: readonly string[];
}

export interface SqlAnalysis {
  readonly text: string;
  /** 16 hex digits, or empty where the text does not parse or is empty. */
  readonly fingerprint: string;
  readonly statements: readonly AnalysedStatement[];
  /** Union over statements, with the flags of the text as a whole (`multi`, `nul_byte` …). */
  readonly flags: readonly string[];
  /** Set where the text cannot be judged; then `statements` is empty. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
}

export interface SqlAnalyser {
  /** Never rejects: what cannot be read is an analysis with an `error`. */
  analyse(text: string): Promise<SqlAnalysis>;
  /** The same without waiting, where this exact text was analysed before; else null. */
  cached(text: string): SqlAnalysis | null;
  close(): Promise<void>;
}

/** An analysis of a text that cannot be judged. */
export function failed(
  text: string,
  flags: readonly string[],
  code: ErrorCode,
  message: string,
): SqlAnalysis {
  return { text, fingerprint: '', statements: [], flags, error: { code, message } };
}

/** All flags once, in the order met. */
export function unionFlags(...lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())];
}
