/**
 * Owns what is collected while one top-level statement is walked: relations, functions, settings, flags, nested statements.
 * Must never know the parse tree: it only gathers, without repeats and in the order met.
 */

import type { FunctionName, RelationName, StatementFacts } from '../../core/facts.ts';
import type { AnalysedStatement, SessionEffect } from './analysis.ts';
import { isDescription } from './catalogues.ts';

export class Findings {
  readonly flags = new Set<string>();
  readonly nested: string[] = [];
  readonly effects: SessionEffect[] = [];
  readonly ctes: string[] = [];
  readonly #reads = new Map<string, RelationName>();
  readonly #writes = new Map<string, RelationName>();
  readonly #functions = new Map<string, FunctionName>();
  readonly #settings = new Set<string>();
  #settingsKnown = true;
  /** The row limit of the statement's own query, where it is a constant. */
  limit: number | null = null;
  /** Highest $n. */
  parameters = 0;
  /** `$n`, where that is the row limit of the statement's own query. */
  limitParameter: number | null = null;
  /** `bulk_export` would not be set, were the own query's limit a modest one. */
  bulkForWantOfLimit = false;

  flag(...names: readonly string[]): void {
    for (const name of names) this.flags.add(name);
  }

  read(relation: RelationName): void {
    this.#reads.set(key(relation), relation);
  }

  write(relation: RelationName): void {
    this.#writes.set(key(relation), relation);
  }

  call(name: FunctionName): void {
    this.#functions.set(key(name), name);
  }

  /** A setting that is changed; null for one that the text does not name. */
  setting(name: string | null): void {
    if (name === null) this.#settingsKnown = false;
    else this.#settings.add(name.toLowerCase());
  }

  parameter(number: number): void {
    this.parameters = Math.max(this.parameters, number);
  }

  /** Takes over what was found in a carried statement. Its parameters are its own. */
  absorb(node: string, inner: Findings): void {
    this.nested.push(node, ...inner.nested);
    this.flag(...inner.flags);
    // When it runs, if it does, is for others to say.
    for (const effect of inner.effects)
      this.effects.push(effect.kind === 'set' ? { ...effect, value: [], local: false } : effect);
    this.ctes.push(...inner.ctes);
    for (const relation of inner.#reads.values()) this.read(relation);
    for (const relation of inner.#writes.values()) this.write(relation);
    for (const name of inner.#functions.values()) this.call(name);
    for (const name of inner.#settings) this.setting(name);
    if (!inner.#settingsKnown) this.setting(null);
  }

  facts(node: string, command: string): StatementFacts {
    return {
      node,
      nested: [...this.nested],
      command,
      reads: [...this.#reads.values()],
      writes: [...this.#writes.values()],
      functions: [...this.#functions.values()],
      limit: this.limit,
      flags: this.#flagsNow(),
      ...(this.#settingsKnown && this.#settings.size > 0 ? { settings: [...this.#settings] } : {}),
    };
  }

  /** Folding the catalogues is what every tool does that draws a table; only anybody's data makes it an export. */
  #flagsNow(): string[] {
    const harmless = [...this.#reads.values()].every(isDescription) && !this.flags.has('hidden_sql');
    return [...this.flags].filter((flag) => flag !== 'agg_export' || !harmless);
  }

  statement(node: string, command: string): AnalysedStatement {
    return {
      facts: this.facts(node, command),
      effects: [...this.effects],
      parameters: this.parameters,
      limitParameter: this.limitParameter,
      bulkForWantOfLimit: this.bulkForWantOfLimit,
      ctes: [...this.ctes],
    };
  }
}

/** NUL cannot be part of a name, so no two names share a key. */
const key = (name: RelationName): string => `${name.schema ?? ''}\0${name.name}`;
