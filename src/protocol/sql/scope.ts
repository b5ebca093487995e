/**
 * Owns names that are visible at a place in a statement: common table expressions, and the names of whole rows.
 * Never changed once made: an inner scope points at its outer one. Must never know the parse tree.
 */

export class Scope {
  readonly #names: ReadonlySet<string>;
  readonly #outer: Scope | null;

  constructor(names: Iterable<string> = [], outer: Scope | null = null) {
    this.#names = new Set(names);
    this.#outer = outer;
  }

  has(name: string): boolean {
    for (let scope: Scope | null = this; scope; scope = scope.#outer) if (scope.#names.has(name)) return true;
    return false;
  }

  /** A scope with these names besides; the same one when there are none. */
  within(names: readonly string[]): Scope {
    return names.length === 0 ? this : new Scope(names, this);
  }
}
