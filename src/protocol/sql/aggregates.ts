/**
 * Owns what an aggregate gives back: one of the values it was given, a number, or something as large as all of them.
 * What is not known to stay small is taken to collect. Must never look at where the rows come from.
 */

import type { FunctionName } from '../../core/facts.ts';
import { AGGREGATES } from './builtin-names.ts';
import { qualified } from './relations.ts';
import { type Body, bodyOf, type Fields, isFields, items, named, words } from './tree.ts';
import { constantText } from './values.ts';

const list = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Of the manual's tables 9.62 to 9.65: give one of their inputs, a count, a truth or a double. */
const GIVES_ONE =
  list(`any_value bool_and bool_or corr count cume_dist dense_rank every max min mode percent_rank
  range_intersect_agg rank regr_count regr_r2`);

/** Give one value for each fraction that they are asked for. */
const GIVES_AS_ASKED = list('percentile_cont percentile_disc');

/**
 * Add values up. Of plain numbers that is a number; of numbers spread over the digits of a numeric, one for each row,
 * or over the bits of a bit string, it is all of them.
 */
const ADDS_UP =
  list(`avg bit_and bit_or bit_xor covar_pop covar_samp regr_avgx regr_avgy regr_intercept regr_slope
  regr_sxx regr_sxy regr_syy stddev stddev_pop stddev_samp sum var_pop var_samp variance`);

/** Do not make a number longer than the data has it. */
const PLAIN_FUNCTIONS =
  list(`abs age array_length array_upper cardinality ceil ceiling char_length character_length
  date date_bin date_part date_trunc extract floor jsonb_array_length json_array_length jsonb_extract_path_text
  json_extract_path_text length lower make_date mod now octet_length pg_column_size pg_database_size pg_indexes_size
  pg_relation_size pg_table_size pg_total_relation_size round row_number sign to_char to_timestamp trunc upper
  dense_rank rank lag lead first_value last_value`);

const PLAIN_OPERATORS = list(`+ - * / % = <> < > <= >= -> ->> #> #>> ~~ !~~ ~~* !~~* BETWEEN`);

const PLAIN_NODES =
  list(`A_ArrayExpr A_Const A_Expr A_Star BoolExpr Boolean BooleanTest CaseExpr CaseWhen CoalesceExpr
  CollateClause ColumnRef Float FuncCall Integer List MinMaxExpr NullTest ParamRef ResTarget SQLValueFunction SortBy
  String TypeCast TypeName WindowDef`);

export function isAggregate({ schema, name }: FunctionName): boolean {
  return (schema === null || schema === 'pg_catalog') && AGGREGATES.has(name);
}

/** Whether its result may grow with the rows it is given, by its name alone. */
export function isCollecting(name: FunctionName): boolean {
  if (!isAggregate(name)) return false;
  return !(GIVES_ONE.has(name.name) || GIVES_AS_ASKED.has(name.name) || ADDS_UP.has(name.name));
}

/** The same of a call, which knows what it is given. `derived`: columns may be computed by sub-queries. */
export function collects(call: Body<'FuncCall'>, derived: boolean): boolean {
  const name = qualified(call.funcname);
  if (!name || !isAggregate(name)) return false;
  if (GIVES_AS_ASKED.has(name.name)) return items(call.args).some((arg) => constantText(arg) === null);
  if (ADDS_UP.has(name.name)) return derived || !isPlain(call.args);
  return isCollecting(name);
}

/** True where an expression computes no number that is longer than those it is made of. Sub-queries are not looked into. */
export function isPlain(expression: unknown): boolean {
  const open: unknown[] = [expression];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) {
      for (const item of value) open.push(item);
    } else if (isFields(value)) {
      const node = named(value);
      if (node && !isPlainNode(node.kind, node.body)) return false;
      open.push(...Object.values(node ? node.body : value));
    }
  }
  return true;
}

function isPlainNode(kind: string, body: Fields): boolean {
  if (!PLAIN_NODES.has(kind)) return false;
  if (kind === 'A_Expr') {
    const { name, kind: form } = body as Body<'A_Expr'>;
    return form !== 'AEXPR_OP' || PLAIN_OPERATORS.has(words(name).at(-1) ?? '');
  }
  if (kind === 'FuncCall') {
    const name = qualified((body as Body<'FuncCall'>).funcname);
    if (!name || (name.schema !== null && name.schema !== 'pg_catalog')) return false;
    return PLAIN_FUNCTIONS.has(name.name) || (isAggregate(name) && !isCollecting(name));
  }
  // A bit string has room for a bit of every row.
  if (kind === 'TypeName') return !/^(?:var)?bit$/.test(words((body as Body<'TypeName'>).names).at(-1) ?? '');
  return true;
}

/** True where every query below this one puts out columns that are plain. */
export function derivesPlainly(query: Body<'SelectStmt'>): boolean {
  const open: unknown[] = Object.entries(query).flatMap(([field, value]) =>
    field === 'larg' || field === 'rarg' ? [{ SelectStmt: value }] : [value],
  );
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) {
      for (const item of value) open.push(item);
    } else if (isFields(value)) {
      const select = bodyOf(value, 'SelectStmt');
      if (select && !(outputIsPlain(select.targetList) && outputIsPlain(select.valuesLists))) return false;
      open.push(...Object.values(value));
    }
  }
  return true;
}

function outputIsPlain(output: unknown): boolean {
  // A sub-select's own output is looked at in its turn.
  return items(output).every((item) => {
    const value = bodyOf(item, 'ResTarget')?.val ?? item;
    return bodyOf(value, 'SubLink') !== null || isPlain(value);
  });
}
