/** Owns the row limit of one query: LIMIT, FETCH FIRST, OFFSET. Must never judge what the limit is good for. */

import { type Body, bodyOf } from './tree.ts';
import { constantText, ingredients } from './values.ts';

/** From this many rows on, a limit does not limit much. */
export const HUGE_LIMIT = 10_000;

export interface RowLimit {
  /** `none` also for LIMIT ALL and LIMIT NULL, which limit nothing. */
  readonly kind: 'none' | 'constant' | 'computed';
  /** Rows, where constant. */
  readonly rows: number | null;
  /** $n, where the limit is exactly that. */
  readonly parameter: number | null;
  readonly usesParameters: boolean;
  readonly withTies: boolean;
  readonly offset: boolean;
}

export function rowLimit(query: Body<'SelectStmt'>): RowLimit {
  const withTies = query.limitOption === 'LIMIT_OPTION_WITH_TIES';
  const offset = query.limitOffset !== undefined;
  const none = {
    kind: 'none',
    rows: null,
    parameter: null,
    usesParameters: false,
    withTies,
    offset,
  } as const;
  const count = query.limitCount;
  if (count === undefined || isNull(count)) return none;
  const text = constantText(count);
  const rows = Number(text);
  if (text !== null && Number.isFinite(rows)) return { ...none, kind: 'constant', rows };
  const cast = bodyOf(count, 'TypeCast');
  const parameter = bodyOf(cast ? cast.arg : count, 'ParamRef')?.number ?? null;
  return { ...none, kind: 'computed', parameter, usesParameters: ingredients(count).parameters };
}

/** True where at most a known, modest number of rows can come out. */
export function isModest(limit: RowLimit): boolean {
  return limit.kind === 'constant' && (limit.rows ?? 0) < HUGE_LIMIT && !limit.withTies;
}

function isNull(node: unknown): boolean {
  const cast = bodyOf(node, 'TypeCast');
  return cast ? isNull(cast.arg) : bodyOf(node, 'A_Const')?.isnull === true;
}
