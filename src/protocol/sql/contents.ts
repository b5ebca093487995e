/**
 * Owns what an expression contains, without going into its sub-selects: aggregates, calls of somebody's code, the
 * sub-selects themselves; and which relations a tree names anywhere. Must never judge a whole query by it.
 */

import type { RelationName } from '../../core/facts.ts';
import { collects, isAggregate, isCollecting } from './aggregates.ts';
import { functionFlags } from './functions.ts';
import { qualified } from './relations.ts';
import { type Body, bodyOf, type Fields, isFields, items, named, words } from './tree.ts';

const COUNTS: ReadonlySet<string> = new Set(
  'count sum avg stddev variance bool_and bool_or every'.split(' '),
);

export interface Calls {
  /** An aggregate that gives as much as it is given. */
  readonly collecting: boolean;
  /** Aggregates of this expression that are not window functions. */
  readonly aggregates: readonly Body<'FuncCall'>[];
  readonly jsonAggregate: boolean;
  /** Of code that the text does not show. */
  readonly foreign: boolean;
}

/** `derived`: columns may be computed by sub-queries, as for `collects`. */
export function callsIn(expression: unknown, derived = false): Calls {
  const aggregates: Body<'FuncCall'>[] = [];
  let collecting = false;
  let jsonAggregate = false;
  let foreign = false;
  each(expression, (kind, body) => {
    if (kind === 'JsonArrayAgg' || kind === 'JsonObjectAgg') jsonAggregate = true;
    if (kind !== 'FuncCall') return;
    const call = body as Body<'FuncCall'>;
    const name = qualified(call.funcname);
    if (!name) return;
    // Another schema's array_agg is somebody's code that most likely collects too.
    if (collects(call, derived) || isCollecting({ schema: null, name: name.name })) collecting = true;
    if (isAggregate(name) && !call.over) aggregates.push(call);
    if (functionFlags(name).includes('hidden_sql')) foreign = true;
  });
  return { collecting: collecting || jsonAggregate, aggregates, jsonAggregate, foreign };
}

/** JSON_ARRAY(SELECT …) counts as the array sub-select that it is. */
export function subqueriesIn(expression: unknown): Body<'SubLink'>[] {
  const found: Body<'SubLink'>[] = [];
  each(expression, (kind, body) => {
    if (kind === 'SubLink') found.push(body as Body<'SubLink'>);
    if (kind === 'JsonArrayQueryConstructor') {
      const { query } = body as Body<'JsonArrayQueryConstructor'>;
      if (query) found.push({ subLinkType: 'ARRAY_SUBLINK', subselect: query });
    }
  });
  return found;
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

/** Every relation that a tree names, at any depth, common table expressions among them. */
export function relationsIn(tree: unknown): RelationName[] {
  const found: RelationName[] = [];
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) {
      for (const item of value) open.push(item);
    } else if (isFields(value)) {
      const table = bodyOf(value, 'RangeVar');
      if (table) found.push({ schema: table.schemaname ?? null, name: table.relname ?? '' });
      open.push(...Object.values(value));
    }
  }
  return found;
}

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
