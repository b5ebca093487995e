/** An analyser good enough for the wire's own tests: by regular expression, in one turn of the event loop or none. */

import type { StatementFacts } from '../../../src/core/facts.ts';
import type {
  AnalysedStatement,
  SessionEffect,
  SqlAnalyser,
  SqlAnalysis,
} from '../../../src/protocol/sql/analysis.ts';

const VERBS =
  /^(select|insert|update|delete|with|values|table|merge|copy|begin|start|commit|end|rollback|abort|savepoint|release|prepare|execute|deallocate|declare|fetch|close|discard|set|reset|show|create|drop|alter|truncate|vacuum|analyze|listen|notify|unlisten|do|call|explain|lock|grant|revoke)\b/i;

export function analyseSimply(text: string): SqlAnalysis {
  const parts = text
    .replace(/--[^\n]*/g, ' ')
    .split(/;(?=(?:[^']*'[^']*')*[^']*$)/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const bad = parts.find((part) => !VERBS.test(part));
  const error = text.includes('\0')
    ? ({ code: 'sql_encoding', message: 'the statement has a NUL' } as const)
    : bad === undefined
      ? null
      : ({ code: 'sql_unparseable', message: `syntax error at or near "${bad.split(/\s/)[0]}"` } as const);
  const statements = error === null ? parts.map(statement) : [];
  const flags = new Set(statements.flatMap(({ facts }) => facts.flags));
  if (parts.length > 1) flags.add('multi');
  const fingerprint = Buffer.from(parts.join(';').replace(/'[^']*'|\d+/g, '?')).toString('hex').padEnd(16, '0').slice(0, 16);
  return { text, fingerprint: error === null ? fingerprint : '', statements, flags: [...flags], error };
}

function statement(sql: string): AnalysedStatement {
  const verb = (sql.split(/\s/)[0] ?? '').toUpperCase();
  const flags: string[] = [];
  if (/copy .* from stdin/i.test(sql)) flags.push('copy_stdin');
  if (/client_encoding|^set names/i.test(sql)) flags.push('encoding_change');
  if (verb === 'DO') flags.push('do');
  if (verb === 'EXECUTE') flags.push('execute', 'needs_prepared_lookup', 'opaque');
  if (verb === 'FETCH') flags.push('cursor', 'needs_cursor_lookup', 'opaque');
  const facts: StatementFacts = {
    node: `${verb}Stmt`,
    nested: [],
    command: verb,
    reads: [...sql.matchAll(/\bfrom\s+(\w+)/gi)].map((match) => ({ schema: null, name: match[1] ?? '' })),
    writes: [],
    functions: [],
    limit: null,
    flags,
  };
  const parameters = Math.max(0, ...[...sql.matchAll(/\$(\d+)/g)].map((match) => Number(match[1])));
  return { facts, effects: effectsOf(sql, verb), parameters };
}

function effectsOf(sql: string, verb: string): SessionEffect[] {
  const word = (pattern: RegExp): string => pattern.exec(sql)?.[1] ?? '';
  switch (verb) {
    case 'BEGIN':
    case 'START':
      return [{ kind: 'transaction', what: 'begin' }];
    case 'COMMIT':
    case 'END':
      return [{ kind: 'transaction', what: 'commit' }];
    case 'ROLLBACK':
    case 'ABORT':
      return [{ kind: 'transaction', what: /\bto\b/i.test(sql) ? 'rollback_to' : 'rollback' }];
    case 'SAVEPOINT':
      return [{ kind: 'transaction', what: 'savepoint' }];
    case 'PREPARE': {
      const body = sql.replace(/^prepare\s+\w+\s*(\([^)]*\))?\s+as\s+/i, '');
      return [{ kind: 'prepare', name: word(/^prepare\s+(\w+)/i), prepared: [statement(body).facts] }];
    }
    case 'EXECUTE':
      return [{ kind: 'execute', name: word(/^execute\s+(\w+)/i) }];
    case 'DEALLOCATE': {
      const name = word(/^deallocate\s+(\w+)/i);
      return [{ kind: 'deallocate', name: name.toLowerCase() === 'all' ? null : name }];
    }
    case 'DECLARE': {
      const body = sql.replace(/^.*?\bfor\s+/i, '');
      const hold = /with hold/i.test(sql);
      return [{ kind: 'declare', cursor: word(/^declare\s+(\w+)/i), hold, query: [statement(body).facts] }];
    }
    case 'FETCH':
      return [{ kind: 'fetch', cursor: word(/(\w+)$/), count: null }];
    case 'CLOSE':
      return [{ kind: 'close', cursor: word(/^close\s+(\w+)/i) }];
    case 'DISCARD':
      return [{ kind: 'discard', what: 'all' }];
    case 'SET':
    case 'RESET': {
      const match = /^(?:re)?set\s+(local\s+|session\s+)?(\w+)\s*(?:=|to\s|\s)?\s*(.*)$/i.exec(sql);
      const value = match?.[3] ? match[3].split(',').map((part) => part.trim().replace(/^'|'$/g, '')) : null;
      const local = /local/i.test(match?.[1] ?? '');
      return [{ kind: 'set', name: (match?.[2] ?? '').toLowerCase(), value, local }];
    }
    default:
      return [];
  }
}

export function simpleAnalyser(): SqlAnalyser {
  const known = new Map<string, SqlAnalysis>();
  return {
    analyse: async (text) => {
      const analysis = analyseSimply(text);
      known.set(text, analysis);
      return analysis;
    },
    cached: (text) => known.get(text) ?? null,
    close: async () => {},
  };
}
