/**
 * Owns the question whether a PL/pgSQL body builds SQL at run time. What its fixed SQL does stays `hidden_sql`. Must
 * never be trusted to say that a body is harmless.
 */

import { bodyOf, isFields, items, type Named } from './tree.ts';

/** Whether a statement has a body in PL/pgSQL as text. Only such a one may be given to the PL/pgSQL parser: it aborts on others. */
export function hasPlpgsqlBody({ kind, body }: Named): boolean {
  if (kind !== 'DoStmt' && kind !== 'CreateFunctionStmt') return false;
  const options = items(kind === 'DoStmt' ? body.args : body.options).flatMap(
    (item) => bodyOf(item, 'DefElem') ?? [],
  );
  const language = bodyOf(options.findLast(({ defname }) => defname === 'language')?.arg, 'String')?.sval;
  const isPlpgsql = (language ?? (kind === 'DoStmt' ? 'plpgsql' : '')).toLowerCase() === 'plpgsql';
  return isPlpgsql && options.some(({ defname }) => defname === 'as');
}

/** Statements of PL/pgSQL that run a string: EXECUTE, FOR … IN EXECUTE; and the field of others that can. */
const DYNAMIC: ReadonlySet<string> = new Set(['PLpgSQL_stmt_dynexecute', 'PLpgSQL_stmt_dynfors', 'dynquery']);

/** Looks through what parsePlPgSQL returns. */
export function buildsSql(tree: unknown): boolean {
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) {
      for (const item of value) open.push(item);
    } else if (isFields(value)) {
      for (const [key, inner] of Object.entries(value)) {
        if (DYNAMIC.has(key)) return true;
        open.push(inner);
      }
    }
  }
  return false;
}
