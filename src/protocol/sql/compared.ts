/**
 * Owns what stands on the two sides of a comparison: a column as it is, and a sub-select that may look at the row it is
 * compared with. Must never judge how many rows pass.
 */

import { isAggregate } from './aggregates.ts';
import { qualified } from './relations.ts';
import { type Body, bodyOf, isFields, items, named, words } from './tree.ts';
import { ingredients } from './values.ts';

/** Do not make different values the same, but for spelling. */
const KEEPS_APART: ReadonlySet<string> = new Set(
  'lower upper btrim ltrim rtrim md5 sha256 sha512 date'.split(' '),
);

/** System columns that may have one value in all rows (manual 5.6); ctid has not. */
const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['tableoid', 'xmin', 'xmax', 'cmin', 'cmax']);

/** A column, with nothing done to it that could make all its values alike. */
export function isPlainColumn(node: unknown): boolean {
  const found = named(node);
  if (!found) return false;
  if (found.kind === 'ColumnRef') {
    return !SYSTEM_COLUMNS.has(words((found.body as Body<'ColumnRef'>).fields).at(-1) ?? '');
  }
  if (found.kind === 'CollateClause') return isPlainColumn((found.body as Body<'CollateClause'>).arg);
  if (found.kind === 'A_Indirection') return isPlainColumn((found.body as Body<'A_Indirection'>).arg);
  if (found.kind === 'RowExpr') {
    const args = items((found.body as Body<'RowExpr'>).args);
    return args.length > 0 && args.every(isPlainColumn);
  }
  if (found.kind === 'TypeCast') {
    const { arg, typeName } = found.body as Body<'TypeCast'>;
    const short = typeName?.typmods !== undefined || words(typeName?.names).at(-1) === 'bool';
    return !short && isPlainColumn(arg);
  }
  if (found.kind === 'FuncCall') {
    const { funcname, args } = found.body as Body<'FuncCall'>;
    const name = qualified(funcname);
    const own = name !== null && (name.schema === null || name.schema === 'pg_catalog');
    return own && KEEPS_APART.has(name.name) && items(args).length === 1 && isPlainColumn(args?.[0]);
  }
  return false;
}

/** True where a sub-select names a column by a qualifier that is not its own: `id = (SELECT o.id)`. */
export function isCorrelated(query: Body<'SelectStmt'>): boolean {
  const { qualifiers, names } = namesIn(query);
  return [...qualifiers].some((qualifier) => !names.has(qualifier));
}

/**
 * For a column compared with a sub-select that puts out an unqualified column of the same name: the relations of the
 * sub-select. `id IN (SELECT id FROM other)` is true of every row if other has no column id, for then it is the
 * compared row's own. Null where there is nothing to suspect.
 */
export function mayBorrowFrom(condition: unknown): ReadonlySet<string> | null {
  const link = bodyOf(condition, 'SubLink');
  const compare = bodyOf(condition, 'A_Expr');
  const right = bodyOf(compare?.rexpr, 'SubLink');
  const query = bodyOf((link ?? right ?? bodyOf(compare?.lexpr, 'SubLink'))?.subselect, 'SelectStmt');
  if (!query) return null;
  const column = link ? link.testexpr : right ? compare?.lexpr : compare?.rexpr;
  const compared = new Set([...ingredients(column).columns].map((one) => one.split('\0').at(-1)));
  const arms = query.larg && query.rarg ? [query.larg, query.rarg] : [query];
  const borrows = arms.some((arm) =>
    items(arm.targetList).some((target) => {
      const value = bodyOf(target, 'ResTarget')?.val;
      const call = qualified(bodyOf(value, 'FuncCall')?.funcname);
      // Of an aggregate of an outer column the server says that it may not stand in WHERE.
      if (call && isAggregate(call)) return false;
      return [...ingredients(value).columns].some((one) => !one.includes('\0') && compared.has(one));
    }),
  );
  return borrows ? namesIn(query).relations : null;
}

interface Names {
  readonly qualifiers: ReadonlySet<string>;
  /** What may qualify a column: relations and aliases. */
  readonly names: ReadonlySet<string>;
  readonly relations: ReadonlySet<string>;
}

function namesIn(query: Body<'SelectStmt'>): Names {
  const qualifiers = new Set<string>();
  const names = new Set<string>();
  const relations = new Set<string>();
  const open: unknown[] = [query];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) {
      for (const item of value) open.push(item);
    } else if (isFields(value)) {
      const qualifier = words(bodyOf(value, 'ColumnRef')?.fields).at(-2);
      if (qualifier !== undefined) qualifiers.add(qualifier);
      const table = bodyOf(value, 'RangeVar');
      if (table) {
        relations.add(table.relname ?? '');
        names.add(table.alias?.aliasname ?? table.relname ?? '');
      }
      if (typeof value.aliasname === 'string') names.add(value.aliasname);
      open.push(...Object.values(value));
    }
  }
  return { qualifiers, names, relations };
}
