/**
 * Owns what an expression's value is made of: constants, columns, parameters, sub-selects. Must never know what the
 * value is for.
 */

import { type Body, bodyOf, type Fields, isFields, named, words } from './tree.ts';

/** A constant as text, also under casts; null for anything else. */
export function constantText(node: unknown): string | null {
  const cast = bodyOf(node, 'TypeCast');
  if (cast) return constantText(cast.arg);
  const constant = bodyOf(node, 'A_Const');
  if (!constant) return null;
  if (constant.sval) return constant.sval.sval ?? '';
  if (constant.ival) return String(constant.ival.ival ?? 0);
  if (constant.fval) return constant.fval.fval ?? '';
  if (constant.boolval) return String(constant.boolval.boolval ?? false);
  return null;
}

/** What a constant condition comes to; null where it is not one, or not plainly so. NULL passes no row. */
export function constantTruth(node: unknown): boolean | null {
  const constant = bodyOf(bodyOf(node, 'TypeCast')?.arg ?? node, 'A_Const');
  if (!constant) return null;
  if (constant.isnull) return false;
  if (constant.boolval) return constant.boolval.boolval ?? false;
  if (constant.sval)
    return !/^(?:f(?:a(?:l(?:s(?:e)?)?)?)?|no?|off|of|0)$/i.test((constant.sval.sval ?? '').trim());
  if (constant.ival) return (constant.ival.ival ?? 0) !== 0;
  return true;
}

export interface Ingredients {
  readonly columns: ReadonlySet<string>;
  readonly parameters: boolean;
  readonly queries: boolean;
}

/** What a value is made of: columns as written, bound parameters, sub-selects (only what they are compared with). */
export function ingredients(expression: unknown): Ingredients {
  const columns = new Set<string>();
  let parameters = false;
  let queries = false;
  const open: unknown[] = [expression];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) {
      for (const item of value) open.push(item);
    } else if (isFields(value)) {
      const node = named(value);
      if (node?.kind === 'ColumnRef') columns.add(words((node.body as Body<'ColumnRef'>).fields).join('\0'));
      else if (node?.kind === 'ParamRef') parameters = true;
      else if (node?.kind === 'SubLink') {
        queries = true;
        open.push((node.body as Body<'SubLink'>).testexpr);
      } else open.push(...Object.values(node ? (node.body as Fields) : value));
    }
  }
  return { columns, parameters, queries };
}

/** A node as text, wherever in the statement it stands. */
export function shape(node: unknown): string {
  if (Array.isArray(node)) return `[${node.map(shape).join()}]`;
  if (!isFields(node)) return JSON.stringify(node) ?? '';
  const fields = Object.keys(node).filter((field) => field !== 'location');
  return `{${fields.map((field) => `${field}:${shape(node[field])}`).join()}}`;
}
