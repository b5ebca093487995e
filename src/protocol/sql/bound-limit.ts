/**
 * Owns what a bound value says about a row limit: `LIMIT $1` is unlimited as far as the text goes, and plain once $1
 * is known. Must never relax anything but the row limit.
 */

import type { StatementFacts } from '../../core/facts.ts';
import type { AnalysedStatement } from './analysis.ts';
import { HUGE_LIMIT } from './limit.ts';

/** The statement's facts, with the value of its `limitParameter` as text. Anything but a plain number changes nothing. */
export function withBoundLimit(statement: AnalysedStatement, value: string | null): StatementFacts {
  const { facts } = statement;
  if (statement.limitParameter === null || value === null || !/^\d{1,15}$/.test(value)) return facts;
  const limit = Number(value);
  if (limit >= HUGE_LIMIT) return { ...facts, limit, flags: [...facts.flags, 'limit_huge'] };
  const flags = statement.bulkForWantOfLimit
    ? facts.flags.filter((flag) => flag !== 'bulk_export')
    : facts.flags;
  return { ...facts, limit, flags };
}
