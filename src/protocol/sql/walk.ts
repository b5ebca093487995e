/**
 * Owns the walk over one statement's tree. It goes everywhere by itself, so that nothing hides in a place nobody
 * thought of; handlers, by kind of node, say what is special. A node or field it does not know sets `opaque`.
 * Must never know what any particular node means.
 */

import type { StatementFacts } from '../../core/facts.ts';
import { commandOf, flagsOf, isStatement } from './commands.ts';
import { Findings } from './findings.ts';
import { Scope } from './scope.ts';
import { type Body, EMBEDDED, type Fields, isFields, type Kind, named, PARTS } from './tree.ts';

/**
 * Where a query stands. `statement`: it is one. `arm`: of a statement's set operation. `output`: its rows go into a
 * statement's output. `source`: it feeds an INSERT. `recursive`: it is the body of a recursive CTE. `inner`: the rest.
 */
export type Place = 'statement' | 'arm' | 'output' | 'source' | 'recursive' | 'inner';

export interface Surroundings {
  readonly ctes: Scope;
  /** Names that, used as a column, mean the whole row. */
  readonly rows: Scope;
  readonly place: Place;
  /** False where rows of the statement do not reach the client: EXPLAIN, a view's definition, CREATE TABLE AS. */
  readonly exports: boolean;
}

/** `field` is `InsertStmt.relation` for a node that stands bare in that field, else null. */
export type Handler<K extends Kind> = (body: Body<K>, walk: Walk, field: string | null) => void;
export type Handlers = { readonly [K in Kind]?: Handler<K> };
type AnyHandler = (body: Fields, walk: Walk, field: string | null) => void;

const TOP: Surroundings = { ctes: new Scope(), rows: new Scope(), place: 'statement', exports: true };

export class Walk implements Surroundings {
  readonly found: Findings;
  readonly ctes: Scope;
  readonly rows: Scope;
  readonly place: Place;
  readonly exports: boolean;
  readonly #handlers: Handlers;
  readonly #root: unknown;

  private constructor(handlers: Handlers, root: unknown, found: Findings, around: Surroundings) {
    this.#handlers = handlers;
    this.#root = root;
    this.found = found;
    this.ctes = around.ctes;
    this.rows = around.rows;
    this.place = around.place;
    this.exports = around.exports;
  }

  /** Walks one statement as a whole of its own. */
  static over(statement: unknown, handlers: Handlers): Findings {
    const found = new Findings();
    new Walk(handlers, named(statement)?.body, found, TOP).visit(statement);
    return found;
  }

  /** The same walk, elsewhere. */
  at(change: Partial<Surroundings>): Walk {
    return new Walk(this.#handlers, this.#root, this.found, { ...this.#around(), ...change });
  }

  isRoot(body: unknown): boolean {
    return body === this.#root;
  }

  /** Body of the statement that is walked. */
  get root(): unknown {
    return this.#root;
  }

  /** A statement that this one carries: listed as nested, and walked as a statement. */
  enter(statement: unknown, change: Partial<Surroundings> = {}): void {
    const node = named(statement);
    // INSERT, UPDATE, DELETE and MERGE list themselves, wherever they are.
    if (node && !LISTS_ITSELF.has(node.kind)) this.found.nested.push(node.kind);
    this.at({ place: 'statement', ...change }).visit(statement);
  }

  /** A carried statement's own findings, which then count for this one too. */
  apart(statement: unknown): StatementFacts[] {
    const node = named(statement);
    if (!node) return [];
    const found = Walk.over(statement, this.#handlers);
    this.found.absorb(node.kind, found);
    return [found.facts(node.kind, commandOf(node.kind, node.body))];
  }

  /** Anything that a field may hold: a node, a list, a plain value. */
  visit(value: unknown): void {
    if (Array.isArray(value)) {
      for (const item of value) this.visit(item);
    } else if (isFields(value)) {
      const node = named(value);
      if (node) this.visitAs(node.kind, node.body as Body<Kind>);
      else if (Object.keys(value).length > 0) this.#unknown(value);
    }
  }

  visitAs<K extends Kind>(kind: K, node: Body<K>, field: string | null = null): void {
    const body = node as Fields;
    if (isStatement(kind)) {
      this.found.flag(...flagsOf(kind));
      if (body.behavior === 'DROP_CASCADE') this.found.flag('cascade');
    } else if (!PARTS.has(kind)) {
      this.found.flag('opaque');
    }
    const handler = this.#handlers[kind] as AnyHandler | undefined;
    if (handler) handler(body, this, field);
    else this.descend(kind, body);
  }

  /** Every field of a node, without the excepted ones. */
  descend(kind: Kind, node: object, ...except: readonly string[]): void {
    const body = node as Fields;
    for (const field in body) {
      const value = body[field];
      if (typeof value !== 'object' || value === null || except.includes(field)) continue;
      const path = `${kind}.${field}`;
      const embedded = Array.isArray(value) ? undefined : EMBEDDED.get(path);
      if (embedded === undefined) this.visit(value);
      else this.visitAs(embedded, value as Body<Kind>, path);
    }
  }

  #unknown(value: Fields): void {
    this.found.flag('opaque');
    for (const field in value) this.visit(value[field]);
  }

  #around(): Surroundings {
    return { ctes: this.ctes, rows: this.rows, place: this.place, exports: this.exports };
  }
}

const LISTS_ITSELF: ReadonlySet<string> = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);
