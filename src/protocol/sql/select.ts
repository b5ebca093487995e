/**
 * Owns what a query's shape says: filters, limits, set operations, common table expressions, and which names are
 * visible where. Must never decide how many rows come out: that judgement is in bulk.ts.
 */

import { bulkQuery, isOneRow } from './bulk.ts';
import { isCounting } from './contents.ts';
import { functionFlags } from './functions.ts';
import { HUGE_LIMIT, isModest, type RowLimit, rowLimit } from './limit.ts';
import { type Selectivity, selectivity } from './predicate.ts';
import { qualified, rowNames } from './relations.ts';
import { type Body, bodyOf, items, named } from './tree.ts';
import { ingredients } from './values.ts';
import type { Handlers, Walk } from './walk.ts';

export const selectHandlers: Handlers = {
  SelectStmt(body, outer) {
    const { place, found } = outer;
    const walk = openWith(body.withClause, outer).at({ place: 'inner' });
    const rows = outer.rows.within(rowNames(body.fromClause));
    const shaped = place === 'statement' || place === 'arm';
    const limit = rowLimit(body);

    if (isSetOperation(body) && place !== 'recursive') found.flag('set_op');
    if (body.valuesLists && place !== 'source') found.flag('values');
    if (body.intoClause) found.flag('select_into', 'ddl');
    if (shaped || place === 'output') noteFilter(body, limit, outer);
    if (place === 'statement') noteStatement(body, limit, outer);

    const inner = walk.at({ rows });
    if (body.intoClause) inner.visitAs('IntoClause', body.intoClause);
    inner.visit(body.fromClause);
    inner.at({ place: shaped ? 'output' : 'inner' }).visit(body.targetList);
    inner.at({ place: shaped ? 'output' : 'inner' }).visit(body.valuesLists);
    for (const field of CLAUSES) inner.visit(body[field]);
    const arms = walk.at({ place: shaped ? 'arm' : place === 'recursive' ? 'recursive' : 'inner' });
    if (body.larg) arms.visitAs('SelectStmt', body.larg);
    if (body.rarg) arms.visitAs('SelectStmt', body.rarg);
  },

  CommonTableExpr(body, walk) {
    walk.visit(body.ctequery);
    walk.descend('CommonTableExpr', body, 'ctequery');
  },
};

const CLAUSES = [
  'whereClause',
  'groupClause',
  'havingClause',
  'windowClause',
  'distinctClause',
  'sortClause',
  'limitCount',
  'limitOffset',
  'lockingClause',
] as const;

export function isSetOperation(body: Body<'SelectStmt'>): boolean {
  return body.op !== undefined && body.op !== 'SETOP_NONE';
}

/**
 * Visits the queries of a WITH clause, each seeing what it may: the ones before it, and under RECURSIVE all of them.
 * Returns the walk for what the clause belongs to.
 */
export function openWith(clause: Body<'WithClause'> | undefined, walk: Walk): Walk {
  if (!clause) return walk;
  const expressions = items(clause.ctes).flatMap((item) => bodyOf(item, 'CommonTableExpr') ?? []);
  const names = expressions.map((expression) => expression.ctename ?? '');
  walk.found.ctes.push(...names);
  if (clause.recursive) walk.found.flag('recursive');
  let ctes = clause.recursive ? walk.ctes.within(names) : walk.ctes;
  expressions.forEach((expression, index) => {
    const dml = named(expression.ctequery)?.kind !== 'SelectStmt';
    walk.found.flag(dml ? 'cte_dml' : 'cte');
    const place = clause.recursive ? 'recursive' : 'inner';
    walk.at({ ctes, place }).visitAs('CommonTableExpr', expression);
    if (!clause.recursive) ctes = ctes.within(names.slice(index, index + 1));
  });
  return walk.at({ ctes });
}

/**
 * `no_where` and `has_where` are about the rows that a statement, an arm of its set operation, or a query in its
 * output gives: there, only one without a LIMIT. Queries in FROM, in WITH and in conditions do not count.
 */
function noteFilter(body: Body<'SelectStmt'>, limit: RowLimit, walk: Walk): void {
  const { found, place } = walk;
  if (body.whereClause === undefined) {
    const free = place !== 'output' || limit.kind === 'none';
    if (free && hasRowSource(body)) found.flag('no_where');
  } else if (place !== 'output') {
    found.flag('has_where');
    noteSelectivity(selectivity(body.whereClause), isModest(limit), walk);
  }
}

export function noteSelectivity(judged: Selectivity, limited: boolean, walk: Walk): void {
  const { found } = walk;
  if (judged === 'always') found.flag('tautology');
  if (limited) return;
  if (judged === 'wide') found.flag('needs_row_estimate');
  if (judged === 'bind' || judged === 'switch') found.flag('needs_bind_value');
}

/**
 * True where FROM has something with rows of its own. A function that only computes counts (`generate_series`); of
 * one with a flag, the flag says what it reaches. XMLTABLE and JSON_TABLE unpack a single document.
 */
function hasRowSource(body: Body<'SelectStmt'>): boolean {
  return items(body.fromClause).some((item) => {
    const node = named(item);
    if (node?.kind === 'RangeTableFunc' || node?.kind === 'JsonTable') return false;
    const range = bodyOf(item, 'RangeFunction');
    if (!range) return true;
    return !items(range.functions).some((list) => {
      const name = qualified(bodyOf(items(list)[0], 'FuncCall')?.funcname);
      return name !== null && functionFlags(name).length > 0;
    });
  });
}

function noteStatement(body: Body<'SelectStmt'>, limit: RowLimit, walk: Walk): void {
  const { found } = walk;
  if (limit.kind !== 'none') {
    found.flag('has_limit');
    if (limit.kind === 'computed') found.flag('limit_not_const');
    if (limit.usesParameters) found.flag('needs_bind_value');
    if ((limit.rows ?? 0) >= HUGE_LIMIT) found.flag('limit_huge');
    if (limit.withTies) found.flag('with_ties');
    found.limit = limit.rows;
    found.limitParameter = limit.parameter;
  } else if (isSetOperation(body) || hasRowSource(body)) {
    found.flag('no_limit');
  }
  if (limit.offset || isKeysetPage(body, limit)) found.flag('paging');
  if (isCounting(body) || isOneRow(body)) found.flag('aggregate_only');
  if (!walk.exports || body.intoClause || !bulkQuery(body)) return;
  found.flag('bulk_export');
  found.bulkForWantOfLimit = !bulkQuery(body, true);
}

/** `WHERE id > … ORDER BY id LIMIT n`: the next page without OFFSET. */
function isKeysetPage(body: Body<'SelectStmt'>, limit: RowLimit): boolean {
  if (limit.kind === 'none' || !body.sortClause || !body.whereClause) return false;
  const judged = selectivity(body.whereClause);
  return judged !== 'narrow' && ingredients(body.whereClause).columns.size > 0;
}
