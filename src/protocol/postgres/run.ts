/**
 * Owns one admitted action between its permit and its outcome: what the server has answered to it so far.
 * Must never hold a row.
 */

import type { Outcome } from '../../core/admission.ts';
import type { Json } from '../../core/facts.ts';
import type { Permit } from '../../core/permit.ts';

export interface Run {
  readonly permit: Permit;
  /** True once its Execute (or Query) was answered, in part or whole. */
  executed: boolean;
  settled: boolean;
  /** Statements of it that completed. */
  statements: number;
  tag: string | null;
  rows: number;
  /** Octets of rows and of COPY data, both ways. */
  octets: number;
}

export function newRun(permit: Permit): Run {
  return { permit, executed: false, settled: false, statements: 0, tag: null, rows: 0, octets: 0 };
}

export function outcomeOf(
  { tag, rows, octets }: Run,
  status: Outcome['status'],
  more: { readonly [key: string]: Json },
): Outcome {
  const detail: { [key: string]: Json } = { rows, bytes: octets };
  if (tag !== null) detail.command_tag = tag;
  for (const key in more) detail[key] = more[key] ?? null;
  return { status, detail };
}

/** Rows that a command tag tells of: `SELECT 5`, `INSERT 0 5`, `COPY 5`; null where it tells of none. */
export function rowsOfTag(tag: string): number | null {
  const count = /^(?:INSERT \d+|[A-Z]+(?: [A-Z]+)*) (\d+)$/.exec(tag)?.[1];
  return count === undefined ? null : Number(count);
}
