/**
 * Owns what reviewers see of a statement, and what the audit log keeps of it. Secrets are hidden in both; the digest
 * covers what is hidden. Must never shorten for a card: doors do that, and say so.
 */

import type { Json, ParameterFacts, PostgresFacts, RelationName, SqlFacts } from '../../core/facts.ts';
import { withoutSecrets } from '../../core/sql-secrets.ts';
import type { Display } from '../../core/ticket.ts';
import { describeStatement } from '../sql/describe.ts';
import { oncePerMeaning } from './meaning.ts';
import type { Subject } from './subject.ts';

/** Statements that a title names before it only counts them. */
const TITLE_STATEMENTS = 3;

export function displayOf({ sql }: PostgresFacts, subject: Subject): Display {
  const parameters = sql.parameters.map((parameter, index) => `$${index + 1} ${parameterLine(parameter)}`);
  const { text, resolved } = shownTexts(subject.meaning);
  const ran = resolved.map((one) => `runs: ${one}`);
  return {
    title: titleOf(sql),
    text: [text, ...section(ran), ...section(parameters)].join('\n'),
    fields: [
      { name: 'database', value: sql.database },
      { name: 'user', value: sql.user },
      { name: 'role', value: sql.role },
      { name: 'search_path', value: sql.search_path.join(', ') || 'not known' },
      { name: 'transaction', value: sql.in_transaction ? 'inside a transaction block' : 'by itself' },
    ],
  };
}

function section(lines: readonly string[]): string[] {
  return lines.length > 0 ? ['', ...lines] : [];
}

function parameterLine({ type, value }: ParameterFacts): string {
  return `${type} = ${value === null ? 'NULL' : JSON.stringify(value)}`;
}

function titleOf(sql: SqlFacts): string {
  if (sql.protocol === 'fastpath') return 'function call by its OID';
  if (sql.error !== null) return `SQL that cannot be read: ${withoutQuote(sql.error)}`;
  const named = sql.statements.slice(0, TITLE_STATEMENTS).map(describeStatement).join('; ');
  const more = sql.statements.length - TITLE_STATEMENTS;
  return more > 0 ? `${named}; and ${more} more statements` : named;
}

/** The parser quotes the text where it stumbled, and a secret may stand there. */
const withoutQuote = (error: string): string => error.replace(/ at or near "[\s\S]*$/, '');

/** For the audit log, which keeps of it what `audit.capture` says. */
export function recordOf({ sql }: PostgresFacts, { meaning }: Subject): Json {
  const { fingerprint, parsed, error, flags, in_transaction, search_path } = sql;
  const { protocol, database, user, role } = sql;
  return {
    protocol,
    database,
    user,
    role,
    search_path,
    in_transaction,
    text: meaning.text,
    parameters: sql.parameters.map(({ value, type, format }) => ({ value, type, format })),
    statements: recordedStatements(meaning),
    flags,
    fingerprint,
    parsed,
    error: error === null ? null : withoutQuote(error),
  };
}

const shownTexts = oncePerMeaning(({ text, resolved }) => ({
  text: withoutSecrets(text),
  resolved: resolved.map(withoutSecrets),
}));

const recordedStatements = oncePerMeaning(({ statements }) =>
  statements.map(({ reads, writes, functions, ...statement }) => ({
    ...statement,
    reads: recordedNames(reads),
    writes: recordedNames(writes),
    functions: recordedNames(functions),
  })),
);

function recordedNames(names: readonly RelationName[]): { schema: string | null; name: string }[] {
  return names.map(({ schema, name }) => ({ schema, name }));
}
