/**
 * Owns the way from SQL text to an analysis, given a parser: parse, walk each statement, join the flags. Pure; runs
 * inside the worker. Must never catch what is not a syntax error: then the parser itself is suspect.
 */

import { LIMITS } from '../../core/limits.ts';
import { type AnalysedStatement, failed, type SqlAnalysis, unionFlags } from './analysis.ts';
import { carrierHandlers } from './carriers.ts';
import { commandOf } from './commands.ts';
import { definitionHandlers } from './definitions.ts';
import { expressionHandlers } from './expressions.ts';
import { buildsSql, hasPlpgsqlBody } from './plpgsql.ts';
import { relationHandlers } from './relations.ts';
import { selectHandlers } from './select.ts';
import { settingHandlers } from './settings.ts';
import { named } from './tree.ts';
import { type Handlers, Walk } from './walk.ts';
import { writeHandlers } from './writes.ts';

export interface Parser {
  /** @throws SyntaxProblem; anything else means that the parser is broken. */
  parse(text: string): { readonly stmts?: readonly RawStatement[] };
  fingerprint(text: string): string;
  /** The tree of the PL/pgSQL bodies in one statement's text; null where they do not parse. */
  plpgsql(text: string): unknown;
}

export interface RawStatement {
  readonly stmt?: unknown;
  /** Octets from the beginning of the text. */
  readonly stmt_location?: number;
  /** Octets; absent: to the end. */
  readonly stmt_len?: number;
}

/** The text is not SQL. */
export class SyntaxProblem extends Error {}

const HANDLERS: Handlers = {
  ...relationHandlers,
  ...expressionHandlers,
  ...selectHandlers,
  ...writeHandlers,
  ...settingHandlers,
  ...carrierHandlers,
  ...definitionHandlers,
};

export function analyseText(text: string, lexicalFlags: readonly string[], parser: Parser): SqlAnalysis {
  let statements: readonly RawStatement[];
  try {
    statements = parser.parse(text).stmts ?? [];
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    return failed(text, lexicalFlags, 'sql_unparseable', error.message);
  }
  if (statements.length > LIMITS.sqlStatements) {
    const reason = `more than ${LIMITS.sqlStatements} statements in one text`;
    return failed(text, lexicalFlags, 'sql_too_large', reason);
  }
  const analysed = statements.map((raw) => analyseStatement(raw, text, parser));
  const own = statements.length > 1 ? ['multi', ...lexicalFlags] : lexicalFlags;
  return {
    text,
    fingerprint: statements.length > 0 ? parser.fingerprint(text) : '',
    statements: analysed,
    flags: unionFlags(own, ...analysed.map(({ facts }) => facts.flags)),
    error: null,
  };
}

function analyseStatement(raw: RawStatement, text: string, parser: Parser): AnalysedStatement {
  const node = named(raw.stmt);
  const found = Walk.over(raw.stmt, HANDLERS);
  if (!node) found.flag('opaque');
  else if (hasPlpgsqlBody(node) && buildsSqlIn(textOf(raw, text), parser)) found.flag('dynamic_sql');
  return found.statement(node?.kind ?? 'Unknown', node ? commandOf(node.kind, node.body) : 'UNKNOWN');
}

function buildsSqlIn(statement: string, parser: Parser): boolean {
  const tree = parser.plpgsql(statement);
  return tree === null ? /\bexecute\b/i.test(statement) : buildsSql(tree);
}

function textOf(raw: RawStatement, text: string): string {
  const octets = Buffer.from(text, 'utf8');
  const start = raw.stmt_location ?? 0;
  const end = raw.stmt_len === undefined ? octets.length : start + raw.stmt_len;
  return octets.toString('utf8', start, end);
}
