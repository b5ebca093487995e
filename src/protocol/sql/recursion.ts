/**
 * Owns whether the steps of a recursive query gather what they meet: then its last row may hold all rows that it
 * walked over. Must never judge how far it walks.
 */

import { type Body, bodyOf, items, words } from './tree.ts';

/** True where every output column of a step is a column as it is, a constant, or a counter going up by a constant. */
export function isPlainStep(step: Body<'SelectStmt'>): boolean {
  if (step.larg && step.rarg) return isPlainStep(step.larg) && isPlainStep(step.rarg);
  return items(step.targetList).every((target) => isPlainOutput(bodyOf(target, 'ResTarget')?.val));
}

function isPlainOutput(value: unknown): boolean {
  if (bodyOf(value, 'ColumnRef') || bodyOf(value, 'A_Const')) return true;
  const cast = bodyOf(value, 'TypeCast');
  if (cast) return isPlainOutput(cast.arg);
  const sum = bodyOf(value, 'A_Expr');
  if (sum?.kind !== 'AEXPR_OP' || !['+', '-'].includes(words(sum.name).at(-1) ?? '')) return false;
  return bodyOf(sum.lexpr, 'ColumnRef') !== null && bodyOf(sum.rexpr, 'A_Const') !== null;
}
