/**
 * Owns the judgement of a FROM clause: which of its relations are filtered, by the conditions or by being joined to one
 * that is. Must never look at what a query puts out.
 */

import { callsIn } from './contents.ts';
import { selectivity } from './predicate.ts';
import { rowName } from './relations.ts';
import { type Body, bodyOf, items, named } from './tree.ts';
import { ingredients } from './values.ts';

/** `folded`: few rows that may carry most of a relation; filters and limits do not help against that. */
export type Yield = 'few' | 'many' | 'folded';
/** Common table expressions by name, with what they give. */
export type Ctes = ReadonlyMap<string, Yield>;

interface Source {
  readonly name: string;
  readonly gives: Yield;
  readonly linked: Set<Source>;
}

interface FromClause {
  readonly yield: Yield;
  /** The function calls in it: their arguments may hold sub-selects. */
  readonly functions: readonly unknown[];
}

/**
 * A condition with an unqualified column is taken to filter all relations: whose column it is, only the catalogue
 * knows. `subquery` judges the queries in FROM.
 */
export function fromClause(
  query: Body<'SelectStmt'>,
  ctes: Ctes,
  subquery: (query: unknown, ctes: Ctes) => Yield,
): FromClause {
  const sources: Source[] = [];
  const conditions: unknown[] = query.whereClause === undefined ? [] : [query.whereClause];
  const links: unknown[] = [];
  const functions: unknown[] = [];

  function add(item: unknown): void {
    const node = named(item);
    if (!node) return;
    if (node.kind === 'RangeVar') {
      const table = node.body as Body<'RangeVar'>;
      const cte = table.schemaname === undefined ? ctes.get(table.relname ?? '') : undefined;
      sources.push({ name: rowName(table), gives: cte ?? 'many', linked: new Set() });
    } else if (node.kind === 'RangeTableSample') {
      add((node.body as Body<'RangeTableSample'>).relation);
    } else if (node.kind === 'RangeSubselect') {
      const { subquery: inner, alias } = node.body as Body<'RangeSubselect'>;
      sources.push({ name: alias?.aliasname ?? '', gives: subquery(inner, ctes), linked: new Set() });
    } else if (node.kind === 'JoinExpr') {
      addJoin(node.body as Body<'JoinExpr'>);
    } else {
      functions.push(node.body);
      const { alias } = node.body as Body<'RangeFunction'>;
      // Rows of somebody's function may be a relation's.
      const gives = callsIn(node.body).foreign ? 'many' : 'few';
      sources.push({ name: alias?.aliasname ?? '', gives, linked: new Set() });
    }
  }

  function addJoin(join: Body<'JoinExpr'>): void {
    const before = sources.length;
    add(join.larg);
    add(join.rarg);
    // The condition of an outer join drops no row of its outer side: it links, and does not filter.
    if (join.quals) (join.jointype === 'JOIN_INNER' ? conditions : links).push(join.quals);
    if (join.usingClause || join.isNatural) link(sources.slice(before));
  }

  for (const item of items(query.fromClause)) add(item);
  if (sources.some(({ gives }) => gives === 'folded')) return { yield: 'folded', functions };
  return { yield: unfiltered(sources, conditions, links) ? 'many' : 'few', functions };
}

function unfiltered(
  sources: readonly Source[],
  conditions: readonly unknown[],
  joins: readonly unknown[],
): boolean {
  const byName = new Map(sources.map((source) => [source.name, source]));
  const filtered = new Set<Source>();
  const links = joins.flatMap(conjuncts);
  for (const condition of conditions.flatMap(conjuncts)) {
    const judged = selectivity(condition);
    if (judged === 'always' || judged === 'switch') continue;
    if (judged === 'neutral') {
      links.push(condition);
      continue;
    }
    const about = mentioned(condition, byName);
    // Without columns it is false, or a sub-select that may be about any of them.
    if (about === 'any' || about.length === 0) return false;
    for (const source of about) filtered.add(source);
  }
  for (const condition of links) {
    const about = mentioned(condition, byName);
    link(about === 'any' ? sources : about);
  }
  const reached = spread(filtered);
  return sources.some((source) => source.gives === 'many' && !reached.has(source));
}

function conjuncts(condition: unknown): readonly unknown[] {
  const both = bodyOf(condition, 'BoolExpr');
  return both?.boolop === 'AND_EXPR' ? items(both.args).flatMap(conjuncts) : [condition];
}

/** The sources that a condition names, or `any` where a column of it has no qualifier. */
function mentioned(condition: unknown, byName: ReadonlyMap<string, Source>): readonly Source[] | 'any' {
  const about: Source[] = [];
  for (const column of ingredients(condition).columns) {
    const qualifier = column.split('\0').at(-2);
    if (qualifier === undefined) return 'any';
    const source = byName.get(qualifier);
    if (source) about.push(source);
  }
  return about;
}

function link(together: readonly Source[]): void {
  const first = together[0];
  for (const source of together.slice(1)) {
    first?.linked.add(source);
    if (first) source.linked.add(first);
  }
}

function spread(start: ReadonlySet<Source>): ReadonlySet<Source> {
  const reached = new Set(start);
  for (const source of reached) for (const next of source.linked) reached.add(next);
  return reached;
}
