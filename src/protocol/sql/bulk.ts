/**
 * Owns the judgement whether a query may give most of a relation to whoever asked: unfiltered and unlimited, or folded
 * into few rows. From the text alone, erring towards yes; how many rows there are, only the server knows.
 */

import { derivesPlainly } from './aggregates.ts';
import { isDescription } from './catalogues.ts';
import { callsIn, isCounting, relationsIn, subqueriesIn } from './contents.ts';
import { isModest, rowLimit } from './limit.ts';
import { isPlainStep } from './recursion.ts';
import { type Around, type Ctes, fromClause, narrowsTarget, type Yield } from './sources.ts';
import { type Body, bodyOf, items, named } from './tree.ts';

/** Where a query stands, as far as the judgement goes. */
interface Place {
  readonly ctes: Ctes;
  /** Its own WHERE carries a flag if it is not narrow: true of a statement's query and the arms of it. */
  readonly flagged: boolean;
  readonly lateral: boolean;
  /** Columns may be computed by sub-queries. */
  readonly derived: boolean;
}

const TOP: Place = { ctes: new Map(), flagged: true, lateral: false, derived: false };

/** `limited`: whether to take its own LIMIT for a modest one. */
export function bulkQuery(query: Body<'SelectStmt'>, limited = isModest(rowLimit(query))): boolean {
  return isBulk(yieldOf(query, { ...TOP, derived: !derivesPlainly(query) }, limited));
}

/** True where one row comes out that has no relation folded into it. */
export function isOneRow(query: Body<'SelectStmt'>): boolean {
  return aggregates(query, TOP) && !bulkQuery(query);
}

const isBulk = (given: Yield): boolean => given === 'many' || given === 'folded';

interface Write {
  readonly relation?: Body<'RangeVar'>;
  readonly fromClause?: readonly unknown[];
  readonly usingClause?: readonly unknown[];
  readonly returningClause?: unknown;
  readonly withClause?: Body<'WithClause'>;
  readonly whereClause?: unknown;
  readonly selectStmt?: unknown;
}

/** RETURNING of a write that touches every row, or inserts what a bulk query gives. */
export function bulkReturning(kind: string, body: object): boolean {
  return isBulk(yieldOfWrite(kind, body as Write, TOP));
}

/** INSERT of what a bulk query gives. */
export function bulkInsert(body: object): boolean {
  return isBulk(yieldOfSource(body as Write, { ...TOP, flagged: false }));
}

/** Whether UPDATE and DELETE have a condition that narrows the rows they change. */
export function narrowsWrite(body: object): boolean {
  return narrowsRows(body as Write, TOP);
}

function narrowsRows(body: Write, place: Place): boolean {
  const others = [...items(body.fromClause), ...items(body.usingClause)];
  const rows = { fromClause: [{ RangeVar: body.relation ?? {} }, ...others], whereClause: body.whereClause };
  const around = aroundOf({ ...place, ctes: withClause(body.withClause, place) });
  // The target is a relation even where a common table expression has its name.
  const target = body.relation?.relname ?? '';
  const ctes = new Map([...around.ctes].filter(([name]) => name !== target));
  return narrowsTarget(rows as Body<'SelectStmt'>, { ...around, ctes });
}

function yieldOfWrite(kind: string, body: Write, place: Place): Yield {
  if (!body.returningClause) return 'few';
  if (kind === 'MergeStmt') return 'many';
  if (kind === 'InsertStmt') return yieldOfSource(body, place);
  // Wherever it stands, its WHERE carries a flag if it is not narrow.
  return narrowsRows(body, { ...place, flagged: true }) ? 'few' : 'many';
}

function yieldOfSource(body: Write, place: Place): Yield {
  const source = bodyOf(body.selectStmt, 'SelectStmt');
  return source
    ? yieldOf(source, { ...place, flagged: false, ctes: withClause(body.withClause, place) })
    : 'few';
}

function withClause(clause: Body<'WithClause'> | undefined, place: Place): Ctes {
  if (!clause) return place.ctes;
  const ctes = new Map(place.ctes);
  for (const item of items(clause.ctes)) {
    const cte = bodyOf(item, 'CommonTableExpr');
    if (!cte) continue;
    const name = cte.ctename ?? '';
    const inside = { ...place, ctes, flagged: false };
    // Within itself, a recursive one adds nothing that its other arm does not give.
    if (clause.recursive) ctes.set(name, 'few');
    const gives = yieldOfAny(cte.ctequery, inside);
    ctes.set(name, clause.recursive ? worst([gives, ofSteps(name, cte.ctequery, inside)]) : gives);
  }
  return ctes;
}

/** What the steps of a recursive query add: they may walk all of a relation, and gather it in one value. */
function ofSteps(name: string, query: unknown, place: Place): Yield {
  const step = bodyOf(query, 'SelectStmt')?.rarg;
  if (!step || !relationsIn(step).some((one) => one.schema === null && one.name === name)) return 'few';
  if (!touchesData(step, place)) return 'free';
  return isPlainStep(step) ? 'many' : 'folded';
}

function yieldOfAny(query: unknown, place: Place): Yield {
  const node = named(query);
  if (!node) return 'few';
  if (node.kind === 'SelectStmt') return yieldOf(node.body as Body<'SelectStmt'>, place);
  return yieldOfWrite(node.kind, node.body as Write, place);
}

const aroundOf = (place: Place): Around => ({
  ctes: place.ctes,
  flagged: place.flagged,
  lateral: place.lateral,
  subquery: (query, lateral) =>
    yieldOfAny(query, { ...place, flagged: false, lateral: place.lateral || lateral }),
});

function yieldOf(query: Body<'SelectStmt'>, outer: Place, limited = isModest(rowLimit(query))): Yield {
  const place = { ...outer, ctes: withClause(query.withClause, outer) };
  if (query.larg && query.rarg) {
    return limit(worst([yieldOf(query.larg, place), yieldOf(query.rarg, place)]), limited);
  }
  const from = fromClause(query, aroundOf(place));
  const output = [query.targetList, query.valuesLists];
  const shown = subqueriesIn(output);
  const values = [...shown, ...subqueriesIn(from.functions)];
  // A sub-select that runs for each of any number of rows gives any number of values.
  const repeated = [...shown.map(({ subselect }) => subselect), ...from.lateral];
  const walks = from.yield === 'free' && repeated.some((one) => touchesData(one, place));
  const rows = walks ? 'many' : from.yield;
  if (values.some((sub) => yieldOfValue(sub, place) === 'folded')) return 'folded';
  if (rows === 'folded') return 'folded';
  if (isBulk(rows) && callsIn(output, place.derived).collecting) return 'folded';
  if (aggregates(query, place)) return 'few';
  return limit(rows, limited);
}

/** Whether it gives one row of aggregates. Within LATERAL and sub-selects, an aggregate may be the outer query's. */
function aggregates(query: Body<'SelectStmt'>, place: Pick<Place, 'lateral'>): boolean {
  if (query.groupClause || query.larg) return false;
  if (isCounting(query)) return true;
  const calls = callsIn([query.targetList, query.havingClause]);
  if (calls.jsonAggregate) return true;
  return calls.aggregates.some((call) => !place.lateral || call.agg_star === true);
}

/** Whether a query names a relation with anybody's data. */
function touchesData(query: unknown, place: Pick<Place, 'ctes'>): boolean {
  return relationsIn(query).some((relation) => {
    const cte = relation.schema === null ? place.ctes.get(relation.name) : undefined;
    return cte === undefined ? !isDescription(relation) : isBulk(cte);
  });
}

/** A limit counts rows; one row that has a relation folded into it passes under any. */
function limit(given: Yield, limited: boolean): Yield {
  return limited && given !== 'folded' ? 'few' : given;
}

const WORST_FIRST: readonly Yield[] = ['folded', 'many', 'free', 'few'];

function worst(all: readonly Yield[]): Yield {
  return WORST_FIRST.find((one) => all.includes(one)) ?? 'few';
}

/** A sub-select in the output: an array of its rows, or its one value, which an aggregate can make as large. */
function yieldOfValue(sub: Body<'SubLink'>, outer: Place): Yield {
  const query = bodyOf(sub.subselect, 'SelectStmt');
  if (!query) return 'few';
  const place = { ...outer, flagged: false, lateral: true };
  if (sub.subLinkType === 'ARRAY_SUBLINK') return isBulk(yieldOf(query, place)) ? 'folded' : 'few';
  return sub.subLinkType === 'EXPR_SUBLINK' ? yieldOf(query, place, true) : 'few';
}
