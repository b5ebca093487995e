/**
 * Owns the names of one session: prepared statements and portals, each one name space for protocol and SQL (Parse and
 * PREPARE; Bind and DECLARE). What a name stands for changes in pipeline order, when the server has confirmed it;
 * a fork looks ahead without changing anything. Must never guess what a name that it has not seen stands for.
 */

import type { StatementFacts } from '../../core/facts.ts';
import type { SessionEffect, SqlAnalysis } from '../sql/analysis.ts';
import type { Run } from './run.ts';

export interface Prepared {
  /** The text that was prepared; for SQL PREPARE the whole PREPARE statement. */
  readonly text: string;
  readonly fingerprint: string;
  readonly facts: readonly StatementFacts[];
  /** Null for SQL PREPARE: only EXECUTE and Bind by name get there. */
  readonly analysis: SqlAnalysis | null;
  /** Parameter type OIDs; 0 where they are not known. The server's ParameterDescription fills them in. */
  types: readonly number[];
}

export interface Portal {
  /** `bound`: its Bind was judged, for all its Executes. `cursor`: DECLAREd in SQL; each Execute is judged by itself. */
  readonly kind: 'bound' | 'cursor';
  readonly text: string;
  readonly fingerprint: string;
  readonly facts: readonly StatementFacts[];
  /** Outlives its transaction: DECLARE … WITH HOLD, once committed. */
  readonly hold: boolean;
  /** Of a Bind's statement: what it does to the session once it completes. Null for a cursor, and after PREPARE. */
  readonly analysis: SqlAnalysis | null;
  /** What its Bind was admitted as; null for a cursor. */
  run: Run | null;
  /** User, role, search_path, and what its own names stood for, when its Bind was judged. */
  readonly state: readonly (string | null)[];
}

class Table<Value> {
  readonly #own = new Map<string, Value | null>();
  readonly #parent: Table<Value> | null;
  #hidesParent = false;

  constructor(parent: Table<Value> | null) {
    this.#parent = parent;
  }

  get(name: string): Value | null {
    const own = this.#own.get(name);
    if (own !== undefined) return own;
    return this.#parent === null || this.#hidesParent ? null : this.#parent.get(name);
  }

  set(name: string, value: Value): void {
    this.#own.set(name, value);
  }

  delete(name: string): void {
    if (this.#parent === null) this.#own.delete(name);
    else this.#own.set(name, null);
  }

  clear(): void {
    this.#own.clear();
    this.#hidesParent = true;
  }

  /** Upper bound of how many there are. */
  get size(): number {
    return this.#own.size + (this.#parent === null || this.#hidesParent ? 0 : this.#parent.size);
  }

  *values(): Iterable<[string, Value]> {
    for (const [name, value] of this.#own) if (value !== null) yield [name, value];
  }
}

export class Names {
  readonly #statements: Table<Prepared>;
  readonly #portals: Table<Portal>;

  constructor(parent: { statements: Table<Prepared>; portals: Table<Portal> } | null = null) {
    this.#statements = new Table(parent?.statements ?? null);
    this.#portals = new Table(parent?.portals ?? null);
  }

  /** A view that sees these names and keeps its own changes to itself. */
  fork(): Names {
    return new Names({ statements: this.#statements, portals: this.#portals });
  }

  get size(): number {
    return this.#statements.size + this.#portals.size;
  }

  statement(name: string): Prepared | null {
    return this.#statements.get(name);
  }

  portal(name: string): Portal | null {
    return this.#portals.get(name);
  }

  define(name: string, statement: Prepared): void {
    this.#statements.set(name, statement);
  }

  forget(name: string): void {
    this.#statements.delete(name);
  }

  /** DEALLOCATE ALL and DISCARD ALL leave the unnamed statement. */
  #forgetNamed(): void {
    const unnamed = this.#statements.get('');
    this.#statements.clear();
    if (unnamed !== null) this.#statements.set('', unnamed);
  }

  open(name: string, portal: Portal): void {
    this.#portals.set(name, portal);
  }

  close(name: string): void {
    this.#portals.delete(name);
  }

  /** Runs of portals that are still open. */
  *runs(): Iterable<Run> {
    for (const [, portal] of this.#portals.values()) if (portal.run !== null) yield portal.run;
  }

  /** Portals that are not holdable end with their transaction; after a rollback, all that it opened. */
  endTransaction(): void {
    for (const [name, portal] of this.#portals.values()) if (!portal.hold) this.#portals.delete(name);
  }

  /** Facts of what a statement runs by name. */
  ranBy(effects: readonly SessionEffect[]): StatementFacts[] {
    return effects.flatMap((effect) => {
      if (effect.kind === 'execute') return this.statement(effect.name)?.facts ?? [];
      return effect.kind === 'fetch' ? (this.portal(effect.cursor)?.facts ?? []) : [];
    });
  }

  /** What a completed SQL statement did to names. */
  apply(effect: SessionEffect, text: string, fingerprint: string): void {
    switch (effect.kind) {
      case 'prepare':
        this.define(effect.name, { text, fingerprint, facts: effect.prepared, analysis: null, types: [] });
        return;
      case 'deallocate':
        if (effect.name === null) this.#forgetNamed();
        else this.forget(effect.name);
        return;
      case 'declare':
        this.open(effect.cursor, {
          kind: 'cursor',
          text,
          fingerprint,
          facts: effect.query,
          hold: effect.hold,
          analysis: null,
          run: null,
          state: [],
        });
        return;
      case 'close':
        if (effect.cursor === null) this.#portals.clear();
        else this.close(effect.cursor);
        return;
      case 'discard':
        if (effect.what !== 'all') return;
        this.#forgetNamed();
        this.#portals.clear();
        return;
      default:
    }
  }
}
