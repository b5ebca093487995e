/**
 * Owns the subject: one thing to judge, read whole, with what its names stand for put in. Must never know policy,
 * nor where the subject stands in its batch.
 */

import type { SqlProtocol, StatementFacts } from '../../core/facts.ts';
import type { AnalysedStatement, SqlAnalysis } from '../sql/analysis.ts';
import { HUGE_LIMIT } from '../sql/limit.ts';
import type { BoundValue } from './frontend.ts';
import type { Names, Portal, Prepared } from './names.ts';
import type { Settings } from './settings.ts';

/** What gives a statement its meaning beside its text. */
export interface Context {
  readonly database: string;
  readonly settings: Settings;
  readonly names: Names;
  readonly inTransaction: boolean;
}

export interface Subject {
  readonly protocol: SqlProtocol;
  readonly text: string;
  readonly fingerprint: string;
  readonly statements: readonly StatementFacts[];
  readonly flags: readonly string[];
  /** Why it cannot be read; null where it can. */
  readonly error: string | null;
  readonly values: readonly BoundValue[];
  /** Type OIDs of the values. */
  readonly types: readonly number[];
  /** Texts of the prepared statements and cursors that it runs by name, in order. */
  readonly resolved: readonly string[];
}

const NO_VALUES = { values: [], types: [] };

export function textSubject(protocol: SqlProtocol, analysis: SqlAnalysis, names: Names): Subject {
  return { protocol, ...NO_VALUES, ...resolve(analysis, names.fork()) };
}

/** A Bind of `prepared`, with its values. */
export function boundSubject(
  prepared: Prepared,
  values: readonly BoundValue[],
  names: Names,
  limited: boolean,
): Subject {
  const { analysis, types } = prepared;
  const meaning =
    analysis === null ? viaName(prepared) : withLimit(resolve(analysis, names.fork()), analysis, values);
  const flags = limited ? [...meaning.flags, 'portal_limit'] : meaning.flags;
  return { protocol: 'extended', ...meaning, flags, values, types };
}

/** `LIMIT $1` is as good as a number once $1 is bound. */
function withLimit(meaning: Meaning, analysis: SqlAnalysis, values: readonly BoundValue[]): Meaning {
  const parameter = analysis.statements[0]?.limitParameter ?? null;
  const [facts, ...more] = meaning.statements;
  if (parameter === null || facts === undefined || more.length > 0) return meaning;
  const bound = values[parameter - 1];
  const limit = bound === undefined ? null : countOf(bound);
  if (limit === null) return meaning;
  const settle = (flags: readonly string[]): string[] => [
    ...flags.filter((flag) => flag !== 'limit_not_const'),
    ...(limit >= HUGE_LIMIT ? ['limit_huge'] : []),
  ];
  const statements = [{ ...facts, limit, flags: settle(facts.flags) }];
  return { ...meaning, statements, flags: settle(meaning.flags) };
}

/** Of a bigint as LIMIT takes it, in text or binary form; null where it is not plainly one. */
function countOf({ octets, binary }: BoundValue): number | null {
  if (octets === null) return null;
  if (!binary)
    return /^\s*\+?\d{1,15}\s*$/.test(octets.toString('latin1')) ? Number(octets.toString('latin1')) : null;
  if (octets.length !== 8 && octets.length !== 4 && octets.length !== 2) return null;
  const count = Number(BigInt.asIntN(octets.length * 8, BigInt(`0x${octets.toString('hex')}`)));
  return count >= 0 && Number.isSafeInteger(count) ? count : null;
}

/** An Execute of a SQL cursor: as FETCH, but with no text of its own. */
export function cursorSubject(cursor: Portal): Subject {
  return { protocol: 'extended', ...NO_VALUES, ...viaName(cursor) };
}

/** Fastpath: no SQL, and a function known only by its OID. */
export function functionSubject(oid: number, values: readonly BoundValue[]): Subject {
  return {
    protocol: 'fastpath',
    text: `fastpath function call, oid ${oid}`,
    fingerprint: '',
    statements: [],
    flags: ['fastpath'],
    error: null,
    values,
    types: [],
    resolved: [],
  };
}

type Meaning = Pick<Subject, 'text' | 'fingerprint' | 'statements' | 'flags' | 'error' | 'resolved'>;

function viaName({ text, fingerprint, facts }: Prepared | Portal): Meaning {
  const flags = new Set(facts.flatMap((statement) => statement.flags));
  return { text, fingerprint, statements: facts, flags: [...flags], error: null, resolved: [] };
}

/** Puts in what EXECUTE and FETCH run, each as of its place in the text. Changes `names`: give it a fork. */
function resolve(analysis: SqlAnalysis, names: Names): Meaning {
  const { text, fingerprint, error } = analysis;
  const own = new Set(analysis.statements.flatMap((statement) => statement.facts.flags));
  const flags = new Set(analysis.flags.filter((flag) => !own.has(flag)));
  const resolved: string[] = [];
  const statements = analysis.statements.map((statement) => {
    const facts = resolveStatement(statement, names, resolved);
    for (const flag of facts.flags) flags.add(flag);
    for (const effect of statement.effects) names.apply(effect, text, fingerprint);
    return facts;
  });
  return { text, fingerprint, statements, flags: [...flags], error: error?.message ?? null, resolved };
}

function resolveStatement(
  { facts, effects }: AnalysedStatement,
  names: Names,
  resolved: string[],
): StatementFacts {
  let merged = facts;
  for (const effect of effects) {
    if (effect.kind === 'execute')
      merged = merge(merged, names.statement(effect.name), 'needs_prepared_lookup', resolved);
    if (effect.kind === 'fetch')
      merged = merge(merged, names.portal(effect.cursor), 'needs_cursor_lookup', resolved);
  }
  return merged;
}

function merge(
  facts: StatementFacts,
  target: Prepared | Portal | null,
  need: string,
  resolved: string[],
): StatementFacts {
  if (target === null) return { ...facts, flags: [...new Set([...facts.flags, need, 'opaque'])] };
  resolved.push(target.text);
  const own = facts.flags.filter((flag) => flag !== need);
  const ran = target.facts;
  return {
    ...facts,
    nested: [...facts.nested, ...ran.flatMap((one) => [one.node, ...one.nested])],
    reads: [...facts.reads, ...ran.flatMap((one) => one.reads)],
    writes: [...facts.writes, ...ran.flatMap((one) => one.writes)],
    functions: [...facts.functions, ...ran.flatMap((one) => one.functions)],
    limit: facts.limit ?? ran[0]?.limit ?? null,
    flags: [...new Set([...own, ...ran.flatMap((one) => one.flags)])],
  };
}
