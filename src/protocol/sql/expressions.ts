/**
 * Owns what can hide in an expression: calls, operators and casts that run somebody's code, whole rows, secrets,
 * parameters. Must never know which statement the expression is in.
 */

import { isCollecting } from './aggregates.ts';
import { OPERATORS, TYPES } from './builtin-names.ts';
import { DEPENDS_ON_ARGUMENT, functionFlags } from './functions.ts';
import { qualified } from './relations.ts';
import { isSecret } from './secrets.ts';
import { setByCall } from './settings.ts';
import { type Body, bodyOf, items, named, words } from './tree.ts';
import type { Handlers, Walk } from './walk.ts';

/** Take a whole row, so that `u.row_to_json` may mean `row_to_json(u)` (manual 8.16.5). */
const ROW_FUNCTIONS: ReadonlySet<string> = new Set(
  `row_to_json to_json to_jsonb json_agg jsonb_agg array_agg json_build_array jsonb_build_array json_build_object
  jsonb_build_object record_out record_send concat quote_literal quote_nullable hash_record`.split(/\s+/),
);

/** Of pgcrypto: literals given to them are keys and passwords. */
const TAKES_SECRET =
  /^(?:pgp_(?:sym|pub)_(?:en|de)crypt(?:_bytea)?|crypt|hmac|encrypt(?:_iv)?|decrypt(?:_iv)?)$/;

export const expressionHandlers: Handlers = {
  FuncCall(body, walk) {
    const name = qualified(body.funcname);
    if (name) {
      walk.found.call(name);
      if (`${name.schema ?? ''}${name.name}`.includes('.')) walk.found.flag('ident_contains_dot');
      noteCall(name.name, functionFlags(name), body, walk);
    }
    walk.descend('FuncCall', body, 'funcname');
  },

  JsonArrayAgg(body, walk) {
    walk.found.flag('agg_export');
    walk.descend('JsonArrayAgg', body);
  },

  JsonObjectAgg(body, walk) {
    walk.found.flag('agg_export');
    walk.descend('JsonObjectAgg', body);
  },

  JsonArrayQueryConstructor(body, walk) {
    walk.found.flag('agg_export');
    whereValueGoes(walk).visit(body.query);
    walk.descend('JsonArrayQueryConstructor', body, 'query');
  },

  A_Expr(body, walk) {
    noteOperator(body.name, walk);
    walk.visit(body.lexpr);
    walk.visit(body.rexpr);
  },

  SortBy(body, walk) {
    noteOperator(body.useOp, walk);
    walk.visit(body.node);
  },

  SubLink(body, walk) {
    noteOperator(body.operName, walk);
    const kind = body.subLinkType;
    const gives = kind === 'EXPR_SUBLINK' || kind === 'ARRAY_SUBLINK';
    if (kind === 'ARRAY_SUBLINK' && items(bodyOf(body.subselect, 'SelectStmt')?.fromClause).length > 0) {
      walk.found.flag('agg_export');
    }
    walk.visit(body.testexpr);
    (gives ? whereValueGoes(walk) : walk.at({ place: 'inner' })).visit(body.subselect);
  },

  TypeCast(body, walk) {
    const type = qualified(body.typeName?.names);
    if (type) {
      const own = type.schema === null || type.schema === 'pg_catalog';
      if (!own || !TYPES.has(type.name)) walk.found.flag('custom_type_cast');
    }
    walk.visit(body.arg);
    walk.visit(body.typeName?.typmods);
  },

  // A type's name is not a relation that is read; its modifiers are expressions to the grammar.
  TypeName(body, walk) {
    walk.visit(body.typmods);
  },

  ColumnRef(body, walk) {
    const names = words(body.fields);
    const star = bodyOf(items(body.fields).at(-1), 'A_Star') !== null;
    const [first, second] = names;
    if (star) {
      if (names.length > 0) walk.found.flag('whole_row');
    } else if (names.length === 1 && first !== undefined) {
      if (walk.rows.has(first)) walk.found.flag('whole_row');
    } else if (
      first !== undefined &&
      second !== undefined &&
      walk.rows.has(first) &&
      ROW_FUNCTIONS.has(second)
    ) {
      walk.found.flag('possible_functional_notation', 'whole_row');
    }
  },

  // `(u).x` may be a column, and may be the function x of the row u.
  A_Indirection(body, walk) {
    const row = wholeRow(body.arg, walk);
    const name = words(body.indirection)[0];
    if (row && name !== undefined) {
      walk.found.flag('possible_functional_notation');
      if (ROW_FUNCTIONS.has(name)) walk.found.flag('whole_row');
    }
    if (!row) walk.visit(body.arg);
    walk.visit(body.indirection);
  },

  // `u.*` and `(u).*` as an output column are a list of columns; anywhere else, one value that is a row.
  ResTarget(body, walk) {
    walk.visit(body.indirection);
    const value = named(body.val);
    if (value?.kind === 'ColumnRef') {
      const fields = (value.body as Body<'ColumnRef'>).fields;
      if (bodyOf(items(fields).at(-1), 'A_Star')) return;
    }
    walk.visit(body.val);
  },

  ParamRef(body, walk) {
    walk.found.parameter(body.number ?? 0);
  },

  A_Const(body, walk) {
    const text = body.sval?.sval;
    if (text !== undefined && isSecret(text)) walk.found.flag('secret_literal');
  },

  String(body, walk) {
    if (body.sval !== undefined && isSecret(body.sval)) walk.found.flag('secret_literal');
  },

  CurrentOfExpr(_body, walk) {
    walk.found.flag('current_of');
  },
};

/** Where a query that gives a value stands: in the output, if the expression does. */
function whereValueGoes(walk: Walk): Walk {
  return walk.place === 'output' ? walk : walk.at({ place: 'inner' });
}

function noteCall(name: string, flags: readonly string[], body: Body<'FuncCall'>, walk: Walk): void {
  // ts_rewrite(query, text) runs the text; with three arguments it only computes.
  if (name === 'ts_rewrite' && items(body.args).length === 3 && !flags.includes('fn_user')) return;
  walk.found.flag(...flags);
  if (flags.some((flag) => DEPENDS_ON_ARGUMENT.has(flag)) && items(body.args).some(isParameter)) {
    walk.found.flag('needs_bind_value');
  }
  if (flags.includes('fn_set_config')) setByCall(body, walk);
  if (isCollecting({ schema: null, name })) walk.found.flag('agg_export');
  if (TAKES_SECRET.test(name) && items(body.args).some((arg) => bodyOf(arg, 'A_Const')?.sval)) {
    walk.found.flag('secret_literal');
  }
}

function isParameter(arg: unknown): boolean {
  const cast = bodyOf(arg, 'TypeCast');
  return bodyOf(cast ? cast.arg : arg, 'ParamRef') !== null;
}

/** PostgreSQL's own operators are all in pg_catalog; another name, or another schema, is somebody's function. */
function noteOperator(list: unknown, walk: Walk): void {
  const name = qualified(list);
  if (!name) return;
  const own = name.schema === null || name.schema === 'pg_catalog';
  if (!own || !(OPERATORS.has(name.name) || KEYWORD_OPERATORS.has(name.name)))
    walk.found.flag('custom_operator');
}

/** A_Expr names that are keywords, and `!=`, which the parser keeps as `<>`. */
const KEYWORD_OPERATORS: ReadonlySet<string> = new Set([
  '!=',
  'BETWEEN',
  'NOT BETWEEN',
  'BETWEEN SYMMETRIC',
  'NOT BETWEEN SYMMETRIC',
]);

function wholeRow(arg: unknown, walk: Walk): boolean {
  const names = words(bodyOf(arg, 'ColumnRef')?.fields);
  return names.length === 1 && names[0] !== undefined && walk.rows.has(names[0]);
}
