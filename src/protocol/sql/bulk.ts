/**
 * Owns the judgement whether a query may give most of a relation to whoever asked: unfiltered and unlimited, or folded
 * into few rows. From the text alone, erring towards yes; how many rows there are, only the server knows.
 */

import { callsIn, isCounting, subqueriesIn } from './contents.ts';
import { isModest, rowLimit } from './limit.ts';
import { selectivity } from './predicate.ts';
import { type Ctes, fromClause, type Yield } from './sources.ts';
import { type Body, bodyOf, items, named } from './tree.ts';

const NO_CTES: Ctes = new Map();

/** `limited`: whether to take its own LIMIT for a modest one. */
export function bulkQuery(query: Body<'SelectStmt'>, limited = isModest(rowLimit(query))): boolean {
  return yieldOf(query, NO_CTES, limited) !== 'few';
}

interface Write {
  readonly returningClause?: unknown;
  readonly withClause?: Body<'WithClause'>;
  readonly whereClause?: unknown;
  readonly selectStmt?: unknown;
}

/** RETURNING of a write that touches every row, or inserts what a bulk query gives. */
export function bulkReturning(kind: string, body: object): boolean {
  return yieldOfWrite(kind, body as Write, NO_CTES) !== 'few';
}

function yieldOfWrite(kind: string, body: Write, outer: Ctes): Yield {
  if (!body.returningClause) return 'few';
  if (kind === 'MergeStmt') return 'many';
  if (kind !== 'InsertStmt') return passesAll(body.whereClause) ? 'many' : 'few';
  const source = bodyOf(body.selectStmt, 'SelectStmt');
  return source ? yieldOf(source, withClause(body.withClause, outer)) : 'few';
}

function passesAll(where: unknown): boolean {
  if (where === undefined) return true;
  const judged = selectivity(where);
  return judged === 'always' || judged === 'switch';
}

function withClause(clause: Body<'WithClause'> | undefined, outer: Ctes): Ctes {
  if (!clause) return outer;
  const ctes = new Map(outer);
  for (const item of items(clause.ctes)) {
    const cte = bodyOf(item, 'CommonTableExpr');
    if (!cte) continue;
    // Within itself, a recursive one adds nothing that its other arm does not give.
    if (clause.recursive) ctes.set(cte.ctename ?? '', 'few');
    ctes.set(cte.ctename ?? '', yieldOfAny(cte.ctequery, ctes));
  }
  return ctes;
}

function yieldOfAny(query: unknown, ctes: Ctes): Yield {
  const node = named(query);
  if (!node) return 'few';
  if (node.kind === 'SelectStmt') return yieldOf(node.body as Body<'SelectStmt'>, ctes);
  return yieldOfWrite(node.kind, node.body as Write, ctes);
}

function yieldOf(query: Body<'SelectStmt'>, outer: Ctes, limited = isModest(rowLimit(query))): Yield {
  const ctes = withClause(query.withClause, outer);
  if (query.larg && query.rarg) {
    return limit(most([yieldOf(query.larg, ctes), yieldOf(query.rarg, ctes)]), limited);
  }
  if (isCounting(query)) return 'few';
  const from = fromClause(query, ctes, yieldOfAny);
  const output = [query.targetList, query.valuesLists];
  const values = subqueriesIn([output, from.functions]).map((sub) => yieldOfValue(sub, ctes));
  const calls = callsIn(output);
  if (values.includes('folded') || (calls.exporting && from.yield !== 'few')) return 'folded';
  if (calls.aggregate && !query.groupClause && from.yield === 'many') return 'few';
  return limit(from.yield, limited);
}

/** A limit counts rows; one row that has a relation folded into it passes under any. */
function limit(given: Yield, limited: boolean): Yield {
  return limited && given === 'many' ? 'few' : given;
}

function most(all: readonly Yield[]): Yield {
  return all.includes('folded') ? 'folded' : all.includes('many') ? 'many' : 'few';
}

/** A sub-select in the output: an array of its rows, or its one value, which an aggregate can make as large. */
function yieldOfValue(sub: Body<'SubLink'>, ctes: Ctes): Yield {
  const query = bodyOf(sub.subselect, 'SelectStmt');
  if (!query) return 'few';
  if (sub.subLinkType === 'ARRAY_SUBLINK') return yieldOf(query, ctes) === 'few' ? 'few' : 'folded';
  return sub.subLinkType === 'EXPR_SUBLINK' ? yieldOf(query, ctes, true) : 'few';
}
