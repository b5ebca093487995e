/**
 * Owns what an expression contains, without going into its sub-selects: aggregates that carry rows out, calls of
 * somebody's code, the sub-selects themselves. Must never judge a whole query by it.
 */

import { functionFlags } from './functions.ts';
import { qualified } from './relations.ts';
import { type Body, bodyOf, type Fields, isFields, items, named, words } from './tree.ts';

/** Fold many rows into one value that is as large as they are. */
const EXPORTING = /^(?:array_agg|string_agg|jsonb?_(?:object_)?agg\w*|xmlagg|range_agg)$/;
const OTHER_AGGREGATES =
  /^(?:count|sum|avg|min|max|bool_and|bool_or|every|any_value|bit_\w+|stddev\w*|var\w*|corr|covar_\w+|regr_\w+|mode|percentile_\w+)$/;
const COUNTS: ReadonlySet<string> = new Set(
  'count sum avg stddev variance bool_and bool_or every'.split(' '),
);

export function isExporting(aggregate: string): boolean {
  return EXPORTING.test(aggregate);
}

export interface Calls {
  readonly exporting: boolean;
  readonly aggregate: boolean;
  /** Of code that the text does not show. */
  readonly foreign: boolean;
}

export function callsIn(expression: unknown): Calls {
  let exporting = false;
  let aggregate = false;
  let foreign = false;
  each(expression, (kind, body) => {
    if (kind === 'JsonArrayAgg' || kind === 'JsonObjectAgg') exporting = true;
    if (kind !== 'FuncCall') return;
    const call = body as Body<'FuncCall'>;
    const name = qualified(call.funcname);
    if (!name) return;
    if (isExporting(name.name)) exporting = true;
    if (OTHER_AGGREGATES.test(name.name) && !call.over) aggregate = true;
    if (functionFlags(name).includes('hidden_sql')) foreign = true;
  });
  return { exporting, aggregate: aggregate || exporting, foreign };
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
