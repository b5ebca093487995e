/**
 * Owns the few plain words for what a text does: `SELECT reading customers`, `DELETE writing orders`. For a reviewer's
 * card title; names are shown as written and must be escaped by whoever shows them. Must never show a value.
 */

import type { RelationName, StatementFacts } from '../../core/facts.ts';
import type { SqlAnalysis } from './analysis.ts';

/** Names of one kind that are listed before `and 3 more`. */
const LISTED_NAMES = 3;
const LISTED_STATEMENTS = 3;
/** Characters of one name. */
const NAME_LENGTH = 60;

/** What runs beside the statement, in words. */
const REMARKS: readonly (readonly [string, string])[] = [
  ['copy_program', 'running a program on the server'],
  ['copy_file', 'using a file on the server'],
  ['fn_file', 'using files on the server'],
  ['fn_remote_sql', 'running SQL on another server'],
  ['fn_sql_exec', 'running SQL given as text'],
  ['dynamic_sql', 'building SQL at run time'],
  ['hidden_sql', 'running code that the text does not show'],
  ['bulk_export', 'possibly all rows'],
  ['no_where', 'without WHERE'],
];

export function describeSql(analysis: SqlAnalysis): string {
  const { error, statements } = analysis;
  if (error) return `SQL that cannot be read: ${error.message}`;
  if (statements.length === 0) return 'an empty statement';
  const parts = statements.slice(0, LISTED_STATEMENTS).map(({ facts }) => describeStatement(facts));
  const more = statements.length - LISTED_STATEMENTS;
  return more > 0 ? `${parts.join('; ')}; and ${more} more statements` : parts.join('; ');
}

export function describeStatement(facts: StatementFacts): string {
  const words = [facts.command];
  const changes = facts.nested.filter((node) => NESTED_WRITES[node] !== undefined);
  if (changes.length > 0)
    words.push(`with ${unique(changes.map((node) => NESTED_WRITES[node] ?? node)).join(', ')}`);
  const reading = facts.reads.length > 0 ? [`reading ${list(facts.reads)}`] : [];
  const written = facts.writes.length > 0 ? [list(facts.writes)] : [];
  if (OF_ITS_OBJECT.test(facts.command)) words.push(...written, ...reading);
  else words.push(...reading, ...written.map((names) => `writing ${names}`));
  const remark = REMARKS.find(([flag]) => facts.flags.includes(flag));
  // A SELECT without WHERE is nothing to remark on unless its rows come out.
  if (remark && !(remark[0] === 'no_where' && !CHANGES_ROWS.test(facts.command)))
    words.push(`(${remark[1]})`);
  return words.join(' ');
}

const NESTED_WRITES: Readonly<Record<string, string>> = {
  InsertStmt: 'INSERT',
  UpdateStmt: 'UPDATE',
  DeleteStmt: 'DELETE',
  MergeStmt: 'MERGE',
};

/** `DROP TABLE orders`, and not `DROP TABLE writing orders`. */
const OF_ITS_OBJECT = /^(?:DROP|ALTER|CREATE|TRUNCATE|VACUUM|ANALYZE|REINDEX|CLUSTER|REFRESH)\b/;
const CHANGES_ROWS = /^(?:UPDATE|DELETE|MERGE)$/;

function list(relations: readonly RelationName[]): string {
  const names = relations
    .slice(0, LISTED_NAMES)
    .map(({ schema, name }) => short(schema === null ? name : `${schema}.${name}`));
  const more = relations.length - LISTED_NAMES;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}

const short = (name: string): string => (name.length > NAME_LENGTH ? `${name.slice(0, NAME_LENGTH)}…` : name);

const unique = (words: readonly string[]): string[] => [...new Set(words)];
