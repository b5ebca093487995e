/**
 * Owns what a statement means once its names are looked up: its facts with what EXECUTE and FETCH run put in, and its
 * row limit with what is bound. Kept for as long as its analysis is. Must never know the session beyond its names.
 */

import type { StatementFacts } from '../../core/facts.ts';
import type { AnalysedStatement, SqlAnalysis } from '../sql/analysis.ts';
import { withBoundLimit } from '../sql/bound-limit.ts';
import type { BoundValue } from './frontend.ts';
import type { Names, Portal, Prepared } from './names.ts';
import { parameterFacts } from './parameters.ts';

export interface Meaning {
  readonly text: string;
  readonly fingerprint: string;
  readonly statements: readonly StatementFacts[];
  readonly flags: readonly string[];
  /** Why it cannot be read; null where it can. */
  readonly error: string | null;
  /** Texts of the prepared statements and cursors that it runs by name, in order. */
  readonly resolved: readonly string[];
}

/** `derive`, once for each meaning. */
export function oncePerMeaning<Value>(derive: (meaning: Meaning) => Value): (meaning: Meaning) => Value {
  const known = new WeakMap<Meaning, { readonly value: Value }>();
  return (meaning) => {
    const before = known.get(meaning);
    if (before !== undefined) return before.value;
    const value = derive(meaning);
    known.set(meaning, { value });
    return value;
  };
}

const WITHOUT_NAMES = new WeakMap<SqlAnalysis, Meaning>();

/** Of an analysed text. `names` is not changed. */
export function meaningOf(analysis: SqlAnalysis, names: Names): Meaning {
  const known = WITHOUT_NAMES.get(analysis);
  if (known !== undefined) return known;
  const meaning = resolve(analysis, names.fork());
  const usesNames = analysis.statements.some(({ effects }) =>
    effects.some(({ kind }) => kind === 'execute' || kind === 'fetch'),
  );
  if (!usesNames) WITHOUT_NAMES.set(analysis, meaning);
  return meaning;
}

/** Of what SQL prepared or declared: the whole statement that did so, with the facts of what it runs. */
export function meaningByName({ text, fingerprint, facts }: Prepared | Portal): Meaning {
  const flags = new Set(facts.flatMap((statement) => statement.flags));
  return { text, fingerprint, statements: facts, flags: [...flags], error: null, resolved: [] };
}

/** `LIMIT $1` is as good as a number once $1 is bound. `types` are the OIDs of `values`. */
export function withLimit(
  meaning: Meaning,
  analysis: SqlAnalysis,
  values: readonly BoundValue[],
  types: readonly number[],
): Meaning {
  const [statement, ...more] = analysis.statements;
  if (statement === undefined || more.length > 0 || statement.limitParameter === null) return meaning;
  const index = statement.limitParameter - 1;
  const bound = values[index];
  if (bound === undefined) return meaning;
  // LIMIT takes a bigint: where nobody said otherwise, that is what the server makes of the parameter.
  const [parameter] = parameterFacts([bound], [types[index] || (bound.binary ? INT8 : 0)]).facts;
  const facts = withBoundLimit(statement, parameter?.value?.trim() ?? null);
  if (facts === statement.facts) return meaning;
  const textual = meaning.flags.filter((flag) => !statement.facts.flags.includes(flag));
  return { ...meaning, statements: [facts], flags: [...textual, ...facts.flags] };
}

const INT8 = 20;

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
  if (target === null) return { ...facts, flags: [...new Set([...facts.flags, need])] };
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
