/**
 * Owns what statements do to the session: settings, prepared statements, cursors, transactions. Flags for policy,
 * effects for whoever tracks the session. Must never keep the session's state itself.
 */

import type { Findings } from './findings.ts';
import { type Body, bodyOf, isFields, items } from './tree.ts';
import { constantText } from './values.ts';
import type { Handlers, Walk } from './walk.ts';

/** Settings that change what later statements mean, or who runs them. Names are case-insensitive. */
const SETTING_FLAGS: Readonly<Record<string, readonly string[]>> = {
  search_path: ['search_path_change'],
  client_encoding: ['encoding_change'],
  standard_conforming_strings: ['lexer_change'],
  backslash_quote: ['lexer_change'],
  role: ['set_role'],
  session_authorization: ['set_role', 'set_session_auth'],
};

/** Values that keep what the parser assumes, as drivers set them when they connect. */
const KEEPS: Readonly<Record<string, RegExp>> = {
  client_encoding: /^utf-?8$/i,
  standard_conforming_strings: /^(?:on|true|yes|1)$/i,
};

/** `value`: the only one it is set to, where the text shows it. */
export function settingFlags(name: string, value: string | null = null): readonly string[] {
  const lower = name.toLowerCase();
  if (value !== null && KEEPS[lower]?.test(value)) return [];
  return SETTING_FLAGS[lower] ?? [];
}

/** SET TRANSACTION and its kin are spelled like settings in the tree. */
const TRANSACTION_SETTINGS: ReadonlySet<string> = new Set([
  'TRANSACTION',
  'SESSION CHARACTERISTICS',
  'TRANSACTION SNAPSHOT',
]);

type Transaction = Extract<Findings['effects'][number], { kind: 'transaction' }>['what'];

const TRANSACTION_EFFECTS: Readonly<Record<string, Transaction>> = {
  TRANS_STMT_BEGIN: 'begin',
  TRANS_STMT_START: 'begin',
  TRANS_STMT_COMMIT: 'commit',
  TRANS_STMT_ROLLBACK: 'rollback',
  TRANS_STMT_SAVEPOINT: 'savepoint',
  TRANS_STMT_RELEASE: 'release',
  TRANS_STMT_ROLLBACK_TO: 'rollback_to',
  TRANS_STMT_PREPARE: 'prepare',
};

export const settingHandlers: Handlers = {
  VariableSetStmt(body, walk) {
    // In ALTER ROLE … SET and CREATE FUNCTION … SET it is a clause, and nothing of this session.
    if (!walk.isRoot(body)) return;
    const { found } = walk;
    if (body.kind === 'VAR_RESET_ALL') {
      found.flag('set_guc', 'session_reset');
      found.effects.push({ kind: 'set', name: '*', value: null, local: false });
      found.setting('*');
      return;
    }
    const name = body.name ?? '';
    const values = items(body.args);
    const flags = settingFlags(name, values.length === 1 ? constantText(values[0]) : null);
    found.flag(...flags);
    if (!flags.includes('set_role')) found.flag('set_guc');
    if (TRANSACTION_SETTINGS.has(name)) {
      found.flag('txn_control');
      for (const arg of values) found.setting(transactionMode(arg));
    } else {
      found.effects.push(settingEffect(name, body));
      found.setting(name);
    }
    for (const arg of values) walk.visit(arg);
  },

  TransactionStmt(body, walk) {
    const what = TRANSACTION_EFFECTS[body.kind ?? ''];
    if (what) walk.found.effects.push({ kind: 'transaction', what });
    if (/PREPARE/.test(body.kind ?? '')) walk.found.flag('two_phase');
  },

  DiscardStmt(body, walk) {
    const what = DISCARDED[body.target ?? ''] ?? 'all';
    walk.found.effects.push({ kind: 'discard', what });
  },

  DeallocateStmt(body, walk) {
    if (body.name === undefined) walk.found.flag('session_reset');
    walk.found.effects.push({ kind: 'deallocate', name: body.name ?? null });
  },

  ClosePortalStmt(body, walk) {
    walk.found.effects.push({ kind: 'close', cursor: body.portalname ?? null });
  },

  FetchStmt(body, walk) {
    const count = Number(body.howMany ?? 0);
    const all = count >= FETCH_ALL;
    if (!body.ismove && (all || count >= HUGE_FETCH)) walk.found.flag('bulk_export');
    walk.found.effects.push({ kind: 'fetch', cursor: body.portalname ?? '', count: all ? null : count });
    walk.found.setting(null);
  },

  ExecuteStmt(body, walk) {
    walk.found.effects.push({ kind: 'execute', name: body.name ?? '' });
    // Whatever it runs may change more than its arguments do.
    walk.found.setting(null);
    walk.visit(body.params);
  },

  PrepareStmt(body, walk) {
    const prepared = walk.apart(body.query);
    walk.found.effects.push({ kind: 'prepare', name: body.name ?? '', prepared });
  },

  DeclareCursorStmt(body, walk) {
    const hold = ((body.options ?? 0) & CURSOR_OPT_HOLD) !== 0;
    if (hold) walk.found.flag('with_hold');
    const query = walk.apart(body.query);
    walk.found.effects.push({ kind: 'declare', cursor: body.portalname ?? '', hold, query });
  },

  AlterRoleSetStmt(body, walk) {
    walk.found.flag(...settingFlags(body.setstmt?.name ?? ''));
  },

  AlterDatabaseSetStmt(body, walk) {
    walk.found.flag(...settingFlags(body.setstmt?.name ?? ''));
  },

  AlterSystemStmt() {},
};

/** parsenodes.h. */
const CURSOR_OPT_HOLD = 0x0020;
/** FETCH ALL is kept as LONG_MAX, which is this in the parser's 32 bits. */
const FETCH_ALL = 0x7fffffff;
const HUGE_FETCH = 10_000;

const DISCARDED: Readonly<Record<string, 'all' | 'plans' | 'sequences' | 'temp'>> = {
  DISCARD_ALL: 'all',
  DISCARD_PLANS: 'plans',
  DISCARD_SEQUENCES: 'sequences',
  DISCARD_TEMP: 'temp',
};

function settingEffect(name: string, body: Body<'VariableSetStmt'>): Findings['effects'][number] {
  const reset = body.kind === 'VAR_RESET' || body.kind === 'VAR_SET_DEFAULT';
  const value = reset ? null : items(body.args).map((arg) => constantText(arg) ?? '');
  return { kind: 'set', name: name.toLowerCase(), value, local: body.is_local === true };
}

/**
 * The mode that SET TRANSACTION sets, by its setting's name. READ WRITE is named for what it is: of the two values of
 * transaction_read_only, only that one takes a guard away.
 */
function transactionMode(arg: unknown): string | null {
  const mode = bodyOf(arg, 'DefElem');
  if (mode?.defname !== 'transaction_read_only') return mode?.defname ?? null;
  return constantText(mode.arg) === '1' ? 'transaction_read_only' : 'transaction_read_write';
}

/** `set_config(name, value, is_local)`: the function form of SET. The text shows the value where it is sure to be set. */
export function setByCall(call: Body<'FuncCall'>, { found, root }: Walk): void {
  const args = items(call.args);
  const name = constantText(args[0]);
  if (name !== null) found.flag(...settingFlags(name, constantText(args[1])));
  found.setting(name);
  const local = bodyOf(args[2], 'A_Const')?.boolval;
  const value = local !== undefined && isOutputOf(root, call) ? constantText(args[1]) : null;
  found.effects.push({
    kind: 'set',
    name: name?.toLowerCase() ?? '?',
    value: value === null ? [] : [value],
    local: local?.boolval === true,
  });
}

/** A column of `SELECT a, b` and nothing else: it is called, and once. */
function isOutputOf(statement: unknown, call: Body<'FuncCall'>): boolean {
  if (!isFields(statement) || !Object.keys(statement).every((field) => PLAIN_SELECT.has(field))) return false;
  return items(statement.targetList).some(
    (target) => bodyOf(bodyOf(target, 'ResTarget')?.val, 'FuncCall') === call,
  );
}

const PLAIN_SELECT: ReadonlySet<string> = new Set(['targetList', 'limitOption', 'op']);
