/**
 * Owns the judgement whether a query may give most of a relation to whoever asked: unfiltered and unlimited, or folded
 * into few rows. From the text alone, erring towards yes; how many rows there are, only the server knows.
 */

import { functionFlags } from './functions.ts';
import { isModest, rowLimit } from './limit.ts';
import { ingredients, selectivity } from './predicate.ts';
import { qualified, rowName } from './relations.ts';
import { type Body, bodyOf, type Fields, isFields, items, named, words } from './tree.ts';

/** Common table expressions by name: true for one that may give most of a relation. */
type Ctes = ReadonlyMap<string, boolean>;
const NO_CTES: Ctes = new Map();

/** `limited`: whether to take its own LIMIT for a modest one. */
export function bulkQuery(query: Body<'SelectStmt'>, limited = isModest(rowLimit(query))): boolean {
  return givesMany(query, NO_CTES, limited);
}

interface Write {
  readonly returningClause?: unknown;
  readonly withClause?: Body<'WithClause'>;
  readonly whereClause?: unknown;
  readonly selectStmt?: unknown;
}

/** RETURNING of a write that touches every row, or inserts what a bulk query gives. */
export function bulkReturning(kind: string, body: object): boolean {
  return returnsMany(kind, body as Write, NO_CTES);
}

function returnsMany(kind: string, body: Write, outer: Ctes): boolean {
  if (!body.returningClause) return false;
  if (kind === 'MergeStmt') return true;
  if (kind !== 'InsertStmt') return passesAll(body.whereClause);
  const source = bodyOf(body.selectStmt, 'SelectStmt');
  return source !== null && givesMany(source, withClause(body.withClause, outer));
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
    if (clause.recursive) ctes.set(cte.ctename ?? '', false);
    ctes.set(cte.ctename ?? '', bodyGivesMany(cte.ctequery, ctes));
  }
  return ctes;
}

function bodyGivesMany(query: unknown, ctes: Ctes): boolean {
  const node = named(query);
  if (node?.kind === 'SelectStmt') return givesMany(node.body as Body<'SelectStmt'>, ctes);
  return node !== null && returnsMany(node.kind, node.body as Write, ctes);
}

function givesMany(query: Body<'SelectStmt'>, outer: Ctes, limited = isModest(rowLimit(query))): boolean {
  const ctes = withClause(query.withClause, outer);
  if (query.larg && query.rarg) {
    return !limited && (givesMany(query.larg, ctes) || givesMany(query.rarg, ctes));
  }
  const many = readsMany(query, ctes);
  const output = [query.targetList, query.valuesLists];
  // A limit counts rows, and one row of an aggregate, an array or a row list can carry a whole relation.
  const folded = calls(output);
  if (many && folded.exporting) return true;
  if (subqueries([output, functionsOf(query.fromClause)]).some((sub) => subGivesMany(sub, ctes))) return true;
  if (limited) return false;
  if (folded.aggregate && !query.groupClause) return false;
  return many;
}

/** A sub-select in the output: an array of its rows, or its one value, which an aggregate can make as large. */
function subGivesMany(sub: Body<'SubLink'>, ctes: Ctes): boolean {
  const query = bodyOf(sub.subselect, 'SelectStmt');
  if (!query) return false;
  if (sub.subLinkType === 'ARRAY_SUBLINK') return givesMany(query, ctes);
  return sub.subLinkType === 'EXPR_SUBLINK' && givesMany(query, ctes, true);
}

interface Source {
  readonly name: string;
  many: boolean;
  readonly linked: Set<Source>;
}

/**
 * True where some relation in FROM is neither filtered, nor joined by an equality to one that is. A condition with
 * unqualified columns is taken to be about all of them: whose it is, only the catalogue knows.
 */
function readsMany(query: Body<'SelectStmt'>, ctes: Ctes): boolean {
  const sources: Source[] = [];
  const conditions: unknown[] = query.whereClause === undefined ? [] : [query.whereClause];
  const links: unknown[] = [];
  for (const item of items(query.fromClause)) addSource(item, ctes, sources, conditions, links);
  const byName = new Map(sources.map((source) => [source.name, source]));
  const filtered = new Set<Source>();
  for (const condition of conditions.flatMap(conjuncts)) {
    const judged = selectivity(condition);
    if (judged === 'always' || judged === 'switch') continue;
    const about = mentioned(condition, byName);
    if (about === 'any') return false;
    if (judged === 'neutral') links.push(condition);
    else for (const source of about) filtered.add(source);
  }
  for (const condition of links.flatMap(conjuncts)) {
    const about = mentioned(condition, byName);
    link(about === 'any' ? sources : about);
  }
  const reached = spread(filtered);
  return sources.some((source) => source.many && !reached.has(source));
}

function addSource(
  item: unknown,
  ctes: Ctes,
  sources: Source[],
  conditions: unknown[],
  links: unknown[],
): void {
  const node = named(item);
  if (!node) return;
  if (node.kind === 'RangeVar') {
    const table = node.body as Body<'RangeVar'>;
    const cte = table.schemaname === undefined ? ctes.get(table.relname ?? '') : undefined;
    sources.push({ name: rowName(table), many: cte ?? true, linked: new Set() });
  } else if (node.kind === 'RangeTableSample') {
    addSource((node.body as Body<'RangeTableSample'>).relation, ctes, sources, conditions, links);
  } else if (node.kind === 'RangeSubselect') {
    const { subquery, alias } = node.body as Body<'RangeSubselect'>;
    sources.push({ name: alias?.aliasname ?? '', many: bodyGivesMany(subquery, ctes), linked: new Set() });
  } else if (node.kind === 'RangeFunction') {
    // Rows of somebody's function may be a relation's.
    const { functions, alias } = node.body as Body<'RangeFunction'>;
    sources.push({ name: alias?.aliasname ?? '', many: calls(functions).foreign, linked: new Set() });
  } else if (node.kind === 'JoinExpr') {
    const join = node.body as Body<'JoinExpr'>;
    const before = sources.length;
    addSource(join.larg, ctes, sources, conditions, links);
    addSource(join.rarg, ctes, sources, conditions, links);
    // The condition of an outer join drops no row of its outer side: it links, and does not filter.
    if (join.quals) (join.jointype === 'JOIN_INNER' ? conditions : links).push(join.quals);
    if (join.usingClause || join.isNatural) link(sources.slice(before));
  }
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
  for (const source of together.slice(1)) {
    together[0]?.linked.add(source);
    if (together[0]) source.linked.add(together[0]);
  }
}

function spread(start: ReadonlySet<Source>): ReadonlySet<Source> {
  const reached = new Set(start);
  for (const source of reached) for (const next of source.linked) reached.add(next);
  return reached;
}

/** True for a query that only counts or sums. */
export function isCounting(query: Body<'SelectStmt'>): boolean {
  const targets = items(query.targetList);
  return (
    targets.length > 0 &&
    !query.groupClause &&
    targets.every((target) => {
      const call = bodyOf(bodyOf(target, 'ResTarget')?.val, 'FuncCall');
      return call !== null && !call.over && COUNTS.has(words(call.funcname).at(-1) ?? '');
    })
  );
}

const COUNTS: ReadonlySet<string> = new Set(
  'count sum avg stddev variance bool_and bool_or every'.split(' '),
);

/** Give one value of many rows: of the first kind, a value as large as they are. */
const EXPORTING = /^(?:array_agg|string_agg|jsonb?_(?:object_)?agg\w*|xmlagg|range_agg)$/;
const AGGREGATE =
  /^(?:count|sum|avg|min|max|bool_and|bool_or|every|any_value|bit_\w+|stddev\w*|var\w*|corr|covar_\w+|regr_\w+|mode|percentile_\w+)$/;

interface Calls {
  readonly exporting: boolean;
  readonly aggregate: boolean;
  readonly foreign: boolean;
}

function calls(expression: unknown): Calls {
  let exporting = false;
  let aggregate = false;
  let foreign = false;
  each(expression, (kind, body) => {
    if (kind === 'JsonArrayAgg' || kind === 'JsonObjectAgg') exporting = true;
    if (kind !== 'FuncCall') return;
    const call = body as Body<'FuncCall'>;
    const name = qualified(call.funcname);
    if (!name) return;
    if (EXPORTING.test(name.name)) exporting = true;
    if (AGGREGATE.test(name.name) && !call.over) aggregate = true;
    if (functionFlags(name).includes('hidden_sql')) foreign = true;
  });
  return { exporting, aggregate: aggregate || exporting, foreign };
}

function subqueries(expression: unknown): Body<'SubLink'>[] {
  const found: Body<'SubLink'>[] = [];
  each(expression, (kind, body) => {
    if (kind === 'SubLink') found.push(body as Body<'SubLink'>);
    if (kind === 'JsonArrayQueryConstructor') {
      const { query } = body as Body<'JsonArrayQueryConstructor'>;
      found.push({ subLinkType: 'ARRAY_SUBLINK', ...(query ? { subselect: query } : {}) });
    }
  });
  return found;
}

function functionsOf(from: unknown): unknown[] {
  return items(from).flatMap((item) => {
    const join = bodyOf(item, 'JoinExpr');
    if (join) return functionsOf([join.larg, join.rarg]);
    const node = named(item);
    return node && /^(?:RangeFunction|RangeTableFunc|JsonTable)$/.test(node.kind) ? [node.body] : [];
  });
}

/** Every node of an expression, without going into sub-selects. */
function each(expression: unknown, see: (kind: string, body: Fields) => void): void {
  const open: unknown[] = [expression];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) {
      for (const item of value) open.push(item);
    } else if (isFields(value)) {
      const node = named(value);
      if (node) see(node.kind, node.body);
      if (node?.kind === 'SubLink' || node?.kind === 'JsonArrayQueryConstructor') continue;
      open.push(...Object.values(node ? node.body : value));
    }
  }
}
