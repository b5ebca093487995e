/**
 * Owns what reviewers see of a statement, and what the audit log keeps of it. Secrets are hidden in both; the digest
 * covers what is hidden. Must never shorten for a card: doors do that, and say so.
 */

import type { Json, ParameterFacts, PostgresFacts, RelationName, StatementFacts } from '../../core/facts.ts';
import type { Display } from '../../core/ticket.ts';
import { oncePerMeaning } from './meaning.ts';
import { withoutSecrets } from './redact.ts';
import type { Subject } from './subject.ts';

/** Statements that a title names before it only counts them. */
const TITLE_STATEMENTS = 3;

export function displayOf({ sql }: PostgresFacts, subject: Subject): Display {
  const parameters = sql.parameters.map((parameter, index) => `$${index + 1} ${parameterLine(parameter)}`);
  const { text, resolved } = shownTexts(subject.meaning);
  const ran = resolved.map((one) => `runs: ${one}`);
  return {
    title: titleOf(sql.statements, sql.protocol),
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

function titleOf(statements: readonly StatementFacts[], protocol: string): string {
  if (statements.length === 0)
    return protocol === 'fastpath' ? 'Function call by OID' : 'Statement that does not parse';
  const named = statements.slice(0, TITLE_STATEMENTS).map(statementTitle).join('; ');
  const more = statements.length - TITLE_STATEMENTS;
  return more > 0 ? `${named}; and ${more} more` : named;
}

function statementTitle({ command, reads, writes }: StatementFacts): string {
  const parts = [command];
  if (writes.length > 0) parts.push(`writing ${relationList(writes)}`);
  if (reads.length > 0) parts.push(`reading ${relationList(reads)}`);
  return parts.join(' ');
}

function relationList(relations: readonly RelationName[]): string {
  return [...new Set(relations.map(({ schema, name }) => (schema ? `${schema}.${name}` : name)))].join(', ');
}

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
    text: shownTexts(meaning).text,
    parameters: sql.parameters.map(({ value, type, format }) => ({ value, type, format })),
    statements: recordedStatements(meaning),
    flags,
    fingerprint,
    parsed,
    error,
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
