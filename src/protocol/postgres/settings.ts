/**
 * Owns what a session acts as: session user, role and search_path, followed through SET, SET LOCAL, transactions and
 * the server's own reports. Must never call something known that it is not: null is unknown.
 */

import type { StatementFacts } from '../../core/facts.ts';
import type { AnalysedStatement, SessionEffect } from '../sql/analysis.ts';

/** One setting with PostgreSQL's own scoping: SET lasts when committed, SET LOCAL until the transaction ends. */
interface Setting {
  committed: string | null;
  session: string | null;
  /** Undefined: no SET LOCAL in force. */
  local: string | null | undefined;
  /** Set in this transaction, to whatever. */
  touched: boolean;
  /** What the server says it is; it says so at the end, after whatever a COMMIT or ROLLBACK did. */
  reported: string | undefined;
}

const setting = (value: string | null): Setting => ({
  committed: value,
  session: value,
  local: undefined,
  touched: false,
  reported: undefined,
});
const inForce = ({ session, local }: Setting): string | null => (local === undefined ? session : local);

/** Code that may change the role without saying so in the statement's text. */
const MAY_CHANGE_ROLE = new Set([
  'do',
  'call',
  'dynamic_sql',
  'fn_sql_exec',
  'opaque',
  'needs_prepared_lookup',
  'needs_cursor_lookup',
]);

export class Settings {
  /** SET SESSION AUTHORIZATION DEFAULT goes back to it. */
  readonly #login: string;
  #user: Setting;
  #role: Setting;
  #searchPath: Setting;
  /** The last search_path taken apart; forks share it. */
  #split = { text: '', names: [] as readonly string[] };
  /** What RESET goes back to. */
  #resetPath: string | null = null;

  constructor(login: string) {
    this.#login = login;
    this.#user = setting(login);
    this.#role = setting('none');
    this.#searchPath = setting(null);
  }

  fork(): Settings {
    const copy = new Settings(this.#login);
    copy.#user = { ...this.#user };
    copy.#role = { ...this.#role };
    copy.#searchPath = { ...this.#searchPath };
    copy.#resetPath = this.#resetPath;
    copy.#split = this.#split;
    return copy;
  }

  get user(): string {
    return inForce(this.#user) ?? this.#login;
  }

  get role(): string {
    const role = inForce(this.#role);
    return role === null || role === 'none' ? this.user : role;
  }

  /** Schemas in order, `$user` replaced; empty where it is not known. */
  get searchPath(): string[] {
    const text = inForce(this.#searchPath) ?? '';
    if (this.#split.text !== text) Object.assign(this.#split, { text, names: splitIdentifiers(text) });
    return this.#split.names.map((name) => (name === '$user' ? this.role : name));
  }

  /** What to compare with later, to see whether any of it has changed. */
  get state(): readonly (string | null)[] {
    return [inForce(this.#user), inForce(this.#role), inForce(this.#searchPath)];
  }

  /** False when role, user or search_path is not what it is said to be, for all that can be seen. */
  get known(): boolean {
    return inForce(this.#user) !== null && inForce(this.#role) !== null && inForce(this.#searchPath) !== null;
  }

  /** The session is open: what it has now is what RESET goes back to. */
  opened(): void {
    this.#resetPath = inForce(this.#searchPath);
    this.commit();
  }

  get searchPathKnown(): boolean {
    return inForce(this.#searchPath) !== null;
  }

  /** A ParameterStatus: the server's own word. */
  report(name: string, value: string): void {
    const target =
      name === 'search_path' ? this.#searchPath : name === 'session_authorization' ? this.#user : null;
    if (target === null) return;
    target.reported = value;
    if (target.local === undefined) target.session = value;
    else target.local = value;
  }

  /** What a completed statement did. */
  apply(statement: AnalysedStatement): void {
    let explained = false;
    for (const effect of statement.effects) {
      if (effect.kind === 'set') explained = this.#set(effect) || explained;
      else if (effect.kind === 'discard' && effect.what === 'all') this.#reset();
      else if (effect.kind === 'transaction' && effect.what === 'rollback_to') this.#rollbackTo();
    }
    const { flags } = statement.facts;
    const names = flags.includes('set_role') || flags.includes('set_session_auth');
    if (!explained && (names || flags.some((flag) => MAY_CHANGE_ROLE.has(flag))))
      assign(this.#role, null, false);
  }

  /** What was prepared or declared earlier has run: what it may have set is not known any more. */
  ran(facts: readonly StatementFacts[]): void {
    const sets = facts.some(({ flags }) =>
      flags.some((flag) => flag === 'fn_set_config' || MAY_CHANGE_ROLE.has(flag)),
    );
    if (sets) for (const one of this.#all()) assign(one, null, false);
  }

  /** What was set in this transaction may be undone yet. */
  doubt(): void {
    for (const one of this.#all()) if (one.touched) assign(one, null, false);
  }

  /** The transaction goes on: what was reported lasts no longer than it says. */
  goOn(): void {
    for (const one of this.#all()) one.reported = undefined;
  }

  commit(): void {
    for (const one of this.#all()) end(one, one.session);
  }

  rollback(): void {
    for (const one of this.#all()) end(one, one.committed);
  }

  /** True when it was about the user or the role. */
  #set(effect: Extract<SessionEffect, { kind: 'set' }>): boolean {
    const { name, value, local } = effect;
    switch (name) {
      case 'role':
        assign(this.#role, value === null ? 'none' : shown(value), local);
        return true;
      case 'session_authorization':
        assign(this.#user, value === null ? this.#login : shown(value), local);
        assign(this.#role, 'none', local);
        return true;
      case 'search_path':
        assign(this.#searchPath, value === null ? this.#resetPath : pathOf(value), local);
        return false;
      case '?':
        for (const one of this.#all()) assign(one, null, local);
        return true;
      case '*':
        assign(this.#searchPath, this.#resetPath, local);
        return false;
      default:
        return false;
    }
  }

  #reset(): void {
    assign(this.#user, this.#login, false);
    assign(this.#role, 'none', false);
    assign(this.#searchPath, this.#resetPath, false);
    // DISCARD ALL commits by itself: an error later in its batch takes nothing back.
    this.commit();
  }

  /** What was set since the savepoint is undone, and which of it that was is not followed here. */
  #rollbackTo(): void {
    this.doubt();
  }

  #all(): Setting[] {
    return [this.#user, this.#role, this.#searchPath];
  }
}

/** Null where the text does not show the value. */
const shown = (value: readonly string[]): string | null => value[0] ?? null;

function end(target: Setting, value: string | null): void {
  const { reported = value } = target;
  Object.assign(target, setting(reported));
}

function assign(target: Setting, value: string | null, local: boolean): void {
  target.touched = true;
  target.reported = undefined;
  if (local) target.local = value;
  else {
    target.session = value;
    target.local = undefined;
  }
}

const pathOf = (value: readonly string[]): string | null =>
  value.length > 0 ? value.map(quoteIdentifier).join(', ') : null;

function quoteIdentifier(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** As the server's SplitIdentifierString: commas apart, double quotes kept whole, the rest folded to lower case. */
function splitIdentifiers(list: string): string[] {
  const names: string[] = [];
  for (const match of list.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^",]+))\s*(?:,|$)/g)) {
    const name = match[1]?.replaceAll('""', '"') ?? match[2]?.trim().toLowerCase() ?? '';
    if (name !== '') names.push(name);
  }
  return names;
}
