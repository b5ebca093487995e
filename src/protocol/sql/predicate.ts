/**
 * Owns the judgement of a WHERE clause: does it narrow, or may every row pass? From the text alone, and erring towards
 * "every row may". Must never set a flag itself.
 */

import { isCorrelated, isPlainColumn } from './compared.ts';
import { functionFlags } from './functions.ts';
import { qualified } from './relations.ts';
import { type Body, bodyOf, type Fields, isFields, items, named, words } from './tree.ts';
import { constantText, constantTruth, ingredients, shape } from './values.ts';

/**
 * `always`: true of every row, or not about rows at all. `switch`: a bound boolean can make it so. `bind`: a bound
 * value decides how many rows pass. `wide`: a range, a negation, a pattern: statistics decide. `loose`: an equality of
 * something computed, which may be the same for every row. `neutral`: a join, or a call of somebody's code, which says
 * nothing. `narrow`: an equality of a column with a given value. From loosest to tightest.
 */
export type Selectivity = 'always' | 'switch' | 'bind' | 'wide' | 'loose' | 'neutral' | 'narrow';

const LOOSEST_FIRST: readonly Selectivity[] = [
  'always',
  'switch',
  'bind',
  'wide',
  'loose',
  'neutral',
  'narrow',
];

/** Items of an IN list that still count as narrow. */
const SHORT_LIST = 1_000;

/** Judged once: a filter is asked about for its flags, for its row limit and for bulk export. */
const judged = new WeakMap<object, Selectivity>();

export function selectivity(where: unknown): Selectivity {
  if (!isFields(where)) return 'wide';
  const known = judged.get(where);
  if (known !== undefined) return known;
  const answer = judge(where);
  judged.set(where, answer);
  return answer;
}

function judge(where: Fields): Selectivity {
  const node = named(where);
  if (!node) return 'wide';
  if (node.kind === 'BoolExpr') return ofBoolean(node.body as Body<'BoolExpr'>);
  if (node.kind === 'A_Expr') return ofOperator(node.body as Body<'A_Expr'>);
  if (node.kind === 'SubLink') return ofSubLink(node.body as Body<'SubLink'>);
  if (node.kind === 'CurrentOfExpr') return 'narrow';
  if (node.kind === 'CollateClause') return selectivity((node.body as Body<'CollateClause'>).arg);
  const truth = constantTruth(where);
  if (truth !== null) return truth ? 'always' : 'narrow';
  const used = ingredients(where);
  if (node.kind === 'ParamRef' || node.kind === 'TypeCast') return used.parameters ? 'switch' : 'wide';
  if (used.columns.size === 0 && !used.queries) return used.parameters ? 'switch' : 'always';
  if (CHOICES.has(node.kind) && results(node.body).some((result) => selectivity(result) === 'always'))
    return 'always';
  const name = node.kind === 'FuncCall' ? qualified((node.body as Body<'FuncCall'>).funcname) : null;
  return name !== null && functionFlags(name).length > 0 ? 'neutral' : 'wide';
}

/** Expressions that give one of several values: with a constant truth among them, they may always be true. */
const CHOICES: ReadonlySet<string> = new Set(['CaseExpr', 'CoalesceExpr']);

function results(body: Fields): readonly unknown[] {
  return [...items(body.args).map((arg) => bodyOf(arg, 'CaseWhen')?.result ?? arg), body.defresult].filter(
    isFields,
  );
}

function loosest(all: readonly Selectivity[]): Selectivity {
  return LOOSEST_FIRST.find((one) => all.includes(one)) ?? 'narrow';
}

function tightest(all: readonly Selectivity[]): Selectivity {
  return LOOSEST_FIRST.findLast((one) => all.includes(one)) ?? 'always';
}

function ofBoolean(body: Body<'BoolExpr'>): Selectivity {
  const args = items(body.args);
  if (body.boolop === 'NOT_EXPR') {
    const inner = selectivity(args[0]);
    if (constantTruth(args[0]) === true) return 'narrow';
    if (constantTruth(args[0]) === false) return 'always';
    return inner === 'narrow' || inner === 'always' ? 'wide' : inner;
  }
  const judged = args.map(selectivity);
  if (body.boolop === 'AND_EXPR') return tightest(judged);
  return coverEverything(args) ? 'always' : loosest(judged);
}

const NEGATED: Readonly<Record<string, string>> = {
  '=': '<>',
  '<': '>=',
  '>': '<=',
  '<>': '=',
  '>=': '<',
  '<=': '>',
};

/** Two arms of an OR that between them leave nothing out: `id = 1 OR id <> 1`, `x IS NULL OR x IS NOT NULL`. */
function coverEverything(arms: readonly unknown[]): boolean {
  const seen = new Set<string>();
  for (const arm of arms) {
    const [own, opposite] = readings(arm);
    if (seen.has(opposite)) return true;
    seen.add(own);
  }
  return false;
}

/** A condition as text, and its negation as text. */
function readings(condition: unknown): readonly [string, string] {
  const test = bodyOf(condition, 'NullTest');
  if (test) {
    const arg = shape(test.arg);
    return test.nulltesttype === 'IS_NULL' ? [`${arg} null`, `${arg} set`] : [`${arg} set`, `${arg} null`];
  }
  const compare = bodyOf(condition, 'A_Expr');
  const operator = words(compare?.name).at(-1) ?? '';
  const negated = NEGATED[operator];
  if (compare && negated !== undefined) {
    const sides = `${shape(compare.lexpr)} ${shape(compare.rexpr)}`;
    return [`${operator} ${sides}`, `${negated} ${sides}`];
  }
  const not = bodyOf(condition, 'BoolExpr');
  if (not?.boolop === 'NOT_EXPR') {
    const [own, opposite] = readings(not.args?.[0]);
    return [opposite, own];
  }
  const text = shape(condition);
  return [text, `not ${text}`];
}

function ofOperator(body: Body<'A_Expr'>): Selectivity {
  const operator = words(body.name).at(-1) ?? '';
  const left = ingredients(body.lexpr);
  const right = ingredients(body.rexpr);
  if (left.queries || right.queries) return ofQuery(body, operator);
  if (left.columns.size === 0 && right.columns.size === 0) {
    const truth = compareConstants(operator, body);
    if (truth !== null) return truth ? 'always' : 'narrow';
    return left.parameters || right.parameters ? 'switch' : 'always';
  }
  // The same column on both sides: `id = id`, `id = ANY(ARRAY[id])`, `id BETWEEN id AND id + 1`.
  if (isSubset(right.columns, left.columns) && right.columns.size > 0) return 'always';
  if (left.columns.size > 0 && right.columns.size > 0) {
    if (operator !== '=') return 'wide';
    return isPlainColumn(body.lexpr) && isPlainColumn(body.rexpr) ? 'neutral' : 'loose';
  }
  const given = left.columns.size === 0 ? body.lexpr : body.rexpr;
  const column = left.columns.size === 0 ? body.rexpr : body.lexpr;
  const parameters = left.parameters || right.parameters;
  const judged = ofComparison(body, operator, column, given, parameters);
  return judged === 'narrow' && !isPlainColumn(column) ? 'loose' : judged;
}

function ofComparison(
  body: Body<'A_Expr'>,
  operator: string,
  column: unknown,
  given: unknown,
  parameters: boolean,
): Selectivity {
  switch (body.kind) {
    case 'AEXPR_OP':
    case 'AEXPR_NOT_DISTINCT':
      if (operator === '=') return ofEquality(column, given);
      return ofPattern(operator, given) ?? (parameters ? 'bind' : 'wide');
    case 'AEXPR_IN':
      if (operator !== '=' || items(given).length > SHORT_LIST) return 'wide';
      return items(given).some((item) => bodyOf(item, 'A_Const')?.boolval) ? 'loose' : 'narrow';
    case 'AEXPR_OP_ANY':
      if (operator !== '=') return parameters ? 'bind' : 'wide';
      if (parameters && !bodyOf(given, 'A_ArrayExpr')) return 'bind';
      return isShortList(given) ? 'narrow' : 'loose';
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR':
      return ofPattern(operator, given) ?? (parameters ? 'bind' : 'wide');
    default:
      return parameters ? 'bind' : 'wide';
  }
}

/** `column = value`. Of a boolean, half may pass; of a computed value, nobody knows. */
function ofEquality(column: unknown, given: unknown): Selectivity {
  if (bodyOf(given, 'A_Const')?.boolval) return 'wide';
  return bodyOf(column, 'A_Expr') || bodyOf(column, 'CaseExpr') || bodyOf(column, 'CoalesceExpr')
    ? 'wide'
    : 'narrow';
}

/** An array whose items the text shows, or a column of arrays. */
function isShortList(given: unknown): boolean {
  const array = bodyOf(bodyOf(given, 'TypeCast')?.arg ?? given, 'A_ArrayExpr');
  if (array) return items(array.elements).length <= SHORT_LIST;
  const text = constantText(given);
  return text === null ? isConstantOrPlain(given) : text.split(',').length <= SHORT_LIST;
}

const isConstantOrPlain = (given: unknown): boolean =>
  bodyOf(given, 'A_Const') !== null || bodyOf(given, 'ColumnRef') !== null;

/** One side holds a sub-select. */
function ofQuery(body: Body<'A_Expr'>, operator: string): Selectivity {
  if (body.kind !== 'AEXPR_OP' || operator !== '=') return 'wide';
  const [column, query] = isPlainColumn(body.lexpr) ? [body.lexpr, body.rexpr] : [body.rexpr, body.lexpr];
  const select = bodyOf(bodyOf(query, 'SubLink')?.subselect, 'SelectStmt');
  return isPlainColumn(column) && select && !isCorrelated(select) ? 'narrow' : 'loose';
}

/** LIKE, regular expressions and SIMILAR TO with a constant pattern; null where it is none of them. */
function ofPattern(operator: string, given: unknown): Selectivity | null {
  const wrapped = bodyOf(given, 'FuncCall');
  const pattern = constantText(wrapped ? items(wrapped.args)[0] : given);
  if (pattern === null) return null;
  if (operator === '~~' || operator === '~~*') {
    if (/^%+$/.test(pattern)) return 'always';
    return /[%_\\]/.test(pattern) ? 'wide' : 'narrow';
  }
  if (operator === '~' || operator === '~*') return /^[\^$.*+?()|%]*$/.test(pattern) ? 'always' : 'wide';
  return null;
}

function ofSubLink(body: Body<'SubLink'>): Selectivity {
  const query = bodyOf(body.subselect, 'SelectStmt');
  if (!query) return 'wide';
  const plain = !query.fromClause && !query.larg && !query.valuesLists;
  if (plain && !query.whereClause) {
    if (!body.testexpr || !items(query.targetList).some(isConstantTarget)) return 'always';
    // A function may give any number of rows: `id IN (SELECT generate_series(1, 9000))`.
    return isPlainColumn(body.testexpr) && !callsFunction(query.targetList) ? 'narrow' : 'loose';
  }
  if (body.subLinkType === 'EXISTS_SUBLINK') {
    const filter = query.whereClause;
    return query.larg || (filter !== undefined && selectivity(filter) !== 'always') ? 'wide' : 'always';
  }
  if (body.subLinkType !== 'ANY_SUBLINK' || words(body.operName).length > 0) return 'wide';
  const limit = Number(constantText(query.limitCount) ?? Number.NaN);
  const few = limit <= SHORT_LIST || (query.whereClause && selectivity(query.whereClause) === 'narrow');
  if (!few) return 'wide';
  return isPlainColumn(body.testexpr) && !isCorrelated(query) ? 'narrow' : 'loose';
}

function callsFunction(targets: unknown): boolean {
  return items(targets).some((target) => JSON.stringify(target).includes('"FuncCall"'));
}

const isConstantTarget = (target: unknown): boolean =>
  ingredients(bodyOf(target, 'ResTarget')?.val).columns.size === 0;

function compareConstants(operator: string, body: Body<'A_Expr'>): boolean | null {
  if (body.kind !== 'AEXPR_OP') return null;
  const left = constantText(body.lexpr);
  const right = constantText(body.rexpr);
  if (left === null || right === null) return null;
  const numeric =
    Number.isFinite(Number(left)) && Number.isFinite(Number(right)) && left !== '' && right !== '';
  const order = numeric ? Math.sign(Number(left) - Number(right)) : left === right ? 0 : null;
  if (order === null) return operator === '=' ? false : null;
  const answers: Readonly<Record<string, boolean>> = {
    '=': order === 0,
    '<>': order !== 0,
    '<': order < 0,
    '>': order > 0,
    '<=': order <= 0,
    '>=': order >= 0,
  };
  return answers[operator] ?? null;
}

function isSubset(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  return [...some].every((one) => all.has(one));
}
