/**
 * Owns the second opinion: relations that node-sql-parser sees and libpg_query does not. It can only tighten, by one
 * flag: it rejects much that is valid and misreads some, so its errors and its silence mean nothing.
 */

import { type SqlAnalysis, unionFlags } from './analysis.ts';

export type SecondOpinion = (analysis: SqlAnalysis) => SqlAnalysis;

/** The part of node-sql-parser that is used. */
interface OtherParser {
  tableList(sql: string, options: { database: string }): string[];
}

/** Octets of text above which it is not asked: it takes some 2 ms for each KiB. */
const LARGEST_TEXT = 64 * 1024;

/** Loads node-sql-parser (some 600 ms, 26 MB): for the worker, and only where it was asked for. */
export async function loadSecondOpinion(): Promise<SecondOpinion> {
  const module = (await import('node-sql-parser/build/postgresql.js')) as unknown as {
    default: { Parser: new () => OtherParser };
  };
  return compareWith(new module.default.Parser());
}

export function compareWith(parser: OtherParser): SecondOpinion {
  return (analysis) => {
    if (analysis.error || analysis.text.length > LARGEST_TEXT) return analysis;
    const unseen = relationsSeenBy(parser, analysis.text).filter((name) => !knows(analysis, name));
    if (unseen.length === 0) return analysis;
    return { ...analysis, flags: unionFlags(analysis.flags, ['parser_disagreement']) };
  };
}

/** Bare lower-case names: it keeps neither quoting nor case. */
function relationsSeenBy(parser: OtherParser, text: string): string[] {
  try {
    // Each entry is `operation::schema::relation`.
    return parser
      .tableList(text, { database: 'Postgresql' })
      .map((entry) => (entry.split('::').at(-1) ?? '').toLowerCase());
  } catch {
    return [];
  }
}

/** What it takes for relations in error: keywords, aliases of functions. */
const PHANTOMS: ReadonlySet<string> = new Set(['', 'only', 'null', 'undefined', 'lateral']);

function knows(analysis: SqlAnalysis, name: string): boolean {
  if (PHANTOMS.has(name)) return true;
  return analysis.statements.some(
    ({ facts, ctes }) =>
      [...facts.reads, ...facts.writes, ...facts.functions].some(
        (known) => known.name.toLowerCase() === name,
      ) || ctes.some((cte) => cte.toLowerCase() === name),
  );
}
