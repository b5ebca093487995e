/**
 * Owns the judgement which of a query's sources a condition narrows, and how far that reaches through joins. What it
 * says is narrowed is so whatever the unqualified names turn out to mean. Must never know what a source is.
 */

import { isPlainColumn, mayBorrowFrom } from './compared.ts';
import { type Selectivity, selectivity } from './predicate.ts';
import { type Body, bodyOf, items, words } from './tree.ts';
import { ingredients } from './values.ts';

export interface Source {
  readonly name: string;
  /** Its columns' names, where the text says them. */
  readonly columns: ReadonlySet<string> | null;
  /** The relation's own name, where it is one. */
  readonly relation: string | null;
}

/** Stands for all sources of the queries around a LATERAL one. */
export const OUTER: Source = { name: '', columns: null, relation: null };

/** One of these sources is narrowed; which one, the text may not tell. */
type Claim = ReadonlySet<Source>;
/** Where `from` is narrowed, so is `to`. */
export interface Edge {
  readonly from: Source;
  readonly to: Source;
}

/** Conditions that are taken to narrow: besides the narrow ones, the wide where the statement carries a flag for them. */
export type Counts = (judged: Selectivity) => boolean;

/** All that a condition claims. */
export function claims(condition: unknown, sources: readonly Source[], counts: Counts): Claim[] {
  const bool = bodyOf(condition, 'BoolExpr');
  if (bool?.boolop === 'AND_EXPR') return items(bool.args).flatMap((arg) => claims(arg, sources, counts));
  const judged = selectivity(condition);
  if (judged === 'neutral') return givenByOuter(condition, sources);
  if (!counts(judged)) return [];
  if (bool?.boolop === 'OR_EXPR') {
    // Of each arm one claim: a row is in one of the arms' sources.
    const arms = items(bool.args).map((arg) => claims(arg, sources, counts)[0]);
    return arms.every((arm) => arm !== undefined) ? [new Set(arms.flatMap((arm) => [...arm]))] : [];
  }
  const lender = mayBorrowFrom(condition);
  if (lender && !sources.some(({ relation }) => relation !== null && lender.has(relation))) return [];
  const { columns } = ingredients(condition);
  // No row at all, or the one under a cursor.
  if (columns.size === 0) return sources.map((source) => new Set([source]));
  return [...columns].flatMap((column) => {
    const meant = resolve(column, sources);
    return meant.length > 0 ? [new Set(meant)] : [];
  });
}

/** `c.id = o.customer_id` within a LATERAL query, where o is a source of the query around it: one value at a time. */
function givenByOuter(condition: unknown, sources: readonly Source[]): Claim[] {
  const compare = sources.includes(OUTER) ? equality(condition) : null;
  if (!compare) return [];
  const sides = [compare.lexpr, compare.rexpr];
  const owners = sides.map((side) => ownerOf(side, sources));
  const own = owners.find((owner) => owner !== null && owner !== OUTER);
  return own && owners.includes(OUTER) ? [new Set([own])] : [];
}

/** Joins by equality of two columns: what narrows one side narrows the other. */
export function joinsIn(condition: unknown, sources: readonly Source[]): Edge[] {
  const bool = bodyOf(condition, 'BoolExpr');
  if (bool?.boolop === 'AND_EXPR') return items(bool.args).flatMap((arg) => joinsIn(arg, sources));
  const compare = equality(condition);
  if (!compare) return [];
  const left = ownerOf(compare.lexpr, sources);
  const right = ownerOf(compare.rexpr, sources);
  return left && right && left !== right ? both(left, right) : [];
}

function equality(condition: unknown): Body<'A_Expr'> | null {
  const compare = bodyOf(condition, 'A_Expr');
  return compare?.kind === 'AEXPR_OP' && words(compare.name).at(-1) === '=' ? compare : null;
}

export const both = (one: Source, other: Source): Edge[] => [
  { from: one, to: other },
  { from: other, to: one },
];

function ownerOf(expression: unknown, sources: readonly Source[]): Source | null {
  const [column, ...more] = ingredients(expression).columns;
  if (column === undefined || more.length > 0 || !isPlainColumn(expression)) return null;
  const meant = resolve(column, sources);
  return meant.length === 1 ? (meant[0] ?? null) : null;
}

/** The sources that a column's name may mean, `column` being its words with NUL between them. */
function resolve(column: string, sources: readonly Source[]): readonly Source[] {
  const parts = column.split('\0');
  const qualifier = parts.at(-2);
  if (qualifier !== undefined) {
    const own = sources.filter(({ name }) => name === qualifier);
    return own.length > 0 ? own : sources.filter((source) => source === OUTER);
  }
  const name = parts[0] ?? '';
  const declared = sources.filter(({ columns }) => columns?.has(name));
  // Were it another's column too, the name would be ambiguous and the server would refuse it.
  return declared.length > 0 ? declared : sources.filter(({ columns }) => columns === null);
}

/** What is narrowed if every claim holds, however it is to be understood. */
export function reached(claimed: readonly Claim[], edges: readonly Edge[]): Set<Source> {
  const all = new Set<Source>();
  for (const claim of claimed) {
    const [first, ...others] = [...claim].map((source) => spread([source], edges));
    for (const source of first ?? []) if (others.every((other) => other.has(source))) all.add(source);
  }
  return all;
}

export function spread(start: Iterable<Source>, edges: readonly Edge[]): Set<Source> {
  const found = new Set(start);
  for (const source of found) for (const { from, to } of edges) if (from === source) found.add(to);
  return found;
}

/** The names of a query's output columns, in order; null where the text does not say them all. */
export function outputColumns(query: Body<'SelectStmt'>): readonly string[] | null {
  if (query.larg) return outputColumns(query.larg);
  const values = items(query.valuesLists)[0];
  if (values) return items(values).map((_value, index) => `column${index + 1}`);
  const names: string[] = [];
  for (const target of items(query.targetList)) {
    const { name, val } = bodyOf(target, 'ResTarget') ?? {};
    const fields = items(bodyOf(val, 'ColumnRef')?.fields);
    if (fields.some((field) => bodyOf(field, 'A_Star'))) return null;
    const own = name ?? words(fields).at(-1);
    if (own === undefined) return null;
    names.push(own);
  }
  return names;
}
