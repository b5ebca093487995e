/**
 * Owns the judgement of a FROM clause: which of its relations are filtered, by the conditions or by being joined to
 * one that is. Must never look at what a query puts out.
 */

import { isDescription } from './catalogues.ts';
import { callsIn } from './contents.ts';
import {
  both,
  claims,
  type Edge,
  joinsIn,
  OUTER,
  outputColumns,
  reached,
  type Source,
  spread,
} from './narrowing.ts';
import { type Selectivity, selectivity } from './predicate.ts';
import { rowName } from './relations.ts';
import { type Body, bodyOf, items, named, words } from './tree.ts';

/**
 * `few`: known rows. `free`: any number, of nobody's data: catalogues, generate_series. `many`: maybe most of a
 * relation. `folded`: few rows that may carry most of a relation; filters and limits do not help against that.
 */
export type Yield = 'few' | 'free' | 'many' | 'folded';
/** Common table expressions by name, with what they give. */
export type Ctes = ReadonlyMap<string, Yield>;

interface Range extends Source {
  readonly gives: Yield;
}

interface FromClause {
  readonly yield: Yield;
  /** The function calls in it: their arguments may hold sub-selects. */
  readonly functions: readonly unknown[];
  /** Sub-selects and calls that run once for each row of what stands before them. */
  readonly lateral: readonly unknown[];
}

/** What the judgement needs to know of the query around. */
export interface Around {
  readonly ctes: Ctes;
  /** True where the statement has a flag of its own for a condition that is not narrow: then that is no concern here. */
  readonly flagged: boolean;
  /** Within LATERAL: a name may be a column of the query around. */
  readonly lateral: boolean;
  subquery(query: unknown, lateral: boolean): Yield;
}

type Rows = Pick<Body<'SelectStmt'>, 'fromClause' | 'whereClause'>;

export function fromClause(query: Rows, around: Around): FromClause {
  const collected = collect(query, around);
  const { sources, functions, lateral } = collected;
  if (sources.some(({ gives }) => gives === 'folded')) return { yield: 'folded', functions, lateral };
  const narrowed = narrow(collected, query.whereClause, around);
  const open = new Set(sources.filter((source) => !narrowed.has(source)).map(({ gives }) => gives));
  return { yield: open.has('many') ? 'many' : open.has('free') ? 'free' : 'few', functions, lateral };
}

/** True where the first source, the target of a write, is narrowed. */
export function narrowsTarget(query: Rows, around: Around): boolean {
  const collected = collect(query, around);
  const target = collected.sources[0];
  return target !== undefined && narrow(collected, query.whereClause, around).has(target);
}

interface Collected {
  readonly sources: readonly Range[];
  readonly functions: readonly unknown[];
  readonly lateral: readonly unknown[];
  /** Conditions of inner joins, each with the sources that it is about. */
  readonly filters: readonly { readonly condition: unknown; readonly about: readonly Source[] }[];
  /** In these directions a side that is narrowed before the join narrows the other. */
  readonly before: readonly Edge[];
  /** In these, one that is narrowed by WHERE, after all joins, does. */
  readonly after: readonly Edge[];
}

function collect(query: Rows, around: Around): Collected {
  const sources: Range[] = [];
  const functions: unknown[] = [];
  const lateral: unknown[] = [];
  const filters: Collected['filters'][number][] = [];
  const before: Edge[] = [];
  const after: Edge[] = [];

  function add(item: unknown): void {
    const node = named(item);
    if (node?.kind === 'JoinExpr') addJoin(node.body as Body<'JoinExpr'>);
    else if (node) addRange(node.kind, node.body);
  }

  function addRange(kind: string, body: object): void {
    if (kind === 'RangeVar') {
      sources.push(ofTable(body as Body<'RangeVar'>, around.ctes));
    } else if (kind === 'RangeTableSample') {
      add((body as Body<'RangeTableSample'>).relation);
    } else if (kind === 'RangeSubselect') {
      const { subquery, alias, lateral: each } = body as Body<'RangeSubselect'>;
      if (each) lateral.push(subquery);
      sources.push({
        name: alias?.aliasname ?? '',
        gives: around.subquery(subquery, each === true),
        columns: columnsOf(subquery, alias),
        relation: null,
      });
    } else {
      const { alias } = body as Body<'RangeFunction'>;
      functions.push(body);
      if (sources.length > 0) lateral.push(body);
      // Rows of somebody's function may be a relation's.
      sources.push({
        name: alias?.aliasname ?? '',
        gives: callsIn(body).foreign ? 'many' : 'free',
        columns: null,
        relation: null,
      });
    }
  }

  function addJoin(join: Body<'JoinExpr'>): void {
    const first = sources.length;
    add(join.larg);
    const middle = sources.length;
    add(join.rarg);
    const about = sources.slice(first);
    const edges = joinsIn(join.quals, about);
    // NATURAL joins nothing where no names are the same.
    if (join.usingClause)
      edges.push(...crossings(sources.slice(first, middle), sources.slice(middle), after));
    after.push(...edges);
    const left = new Set<Source>(sources.slice(first, middle));
    // An outer join keeps the rows of its outer side whatever the other side has.
    if (join.jointype === 'JOIN_INNER') {
      before.push(...edges);
      if (join.quals) filters.push({ condition: join.quals, about });
    } else if (join.jointype === 'JOIN_LEFT') {
      before.push(...edges.filter(({ from }) => left.has(from)));
    } else if (join.jointype === 'JOIN_RIGHT') {
      before.push(...edges.filter(({ from }) => !left.has(from)));
    }
  }

  for (const item of items(query.fromClause)) add(item);
  return { sources, functions, lateral, filters, before, after };
}

/**
 * USING: which of several sources on one side has the column, the text does not tell; where each of them narrows the
 * others it does not matter.
 */
function crossings(left: readonly Source[], right: readonly Source[], edges: readonly Edge[]): Edge[] {
  const together = (side: readonly Source[]): boolean =>
    side.every((source) => {
      const found = spread([source], edges);
      return side.every((other) => found.has(other));
    });
  const [one] = left;
  const [other] = right;
  return one && other && together(left) && together(right) ? both(one, other) : [];
}

function ofTable(table: Body<'RangeVar'>, ctes: Ctes): Range {
  const cte = table.schemaname === undefined ? ctes.get(table.relname ?? '') : undefined;
  const relation = { schema: table.schemaname ?? null, name: table.relname ?? '' };
  const gives = cte ?? (isDescription(relation) ? 'free' : 'many');
  return { name: rowName(table), gives, columns: null, relation: relation.name };
}

/** The aliases of columns come first; the rest keep their names. */
function columnsOf(subquery: unknown, alias: Body<'Alias'> | undefined): ReadonlySet<string> | null {
  const select = bodyOf(subquery, 'SelectStmt');
  const own = select ? outputColumns(select) : null;
  const given = words(alias?.colnames);
  return own && new Set([...given, ...own.slice(given.length)]);
}

function narrow(
  { sources, filters, before, after }: Collected,
  where: unknown,
  { flagged, lateral }: Around,
): ReadonlySet<Source> {
  const isNarrow = (judged: Selectivity): boolean => judged === 'narrow';
  const visible = lateral ? [OUTER] : [];
  const known = [...sources, ...visible];
  const early = sources.filter(({ gives }) => gives === 'few');
  const joined = joinsIn(where, sources);
  const narrowed = spread(early, [...before, ...joined]);
  for (const { condition, about } of filters) {
    const claimed = claims(condition, [...about, ...visible], isNarrow);
    for (const source of reached(claimed, [...before, ...joined])) narrowed.add(source);
  }
  const judged = where === undefined ? 'always' : selectivity(where);
  const wide = flagged && (judged === 'wide' || judged === 'bind');
  const counts = wide ? (one: Selectivity) => one === 'wide' || one === 'bind' || isNarrow(one) : isNarrow;
  for (const source of reached(claims(where, known, counts), [...after, ...joined])) narrowed.add(source);
  return narrowed;
}
