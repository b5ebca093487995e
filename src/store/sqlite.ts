/**
 * Owns the ticket store of one machine: SQLite in `state_dir`, one process at a time, each call one transaction that
 * is on disk before it resolves. Must never know who approves, nor forgive a failed write: everything that SQLite
 * cannot do is a Fault.
 */

import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type LibsqlDatabase from 'libsql';
import { Fault, messageOf } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { TicketFilter, TicketMove, TicketPage, TicketStore } from '../core/ports.ts';
import { TRANSITIONS } from '../core/ticket.ts';
import { migrate } from './schema.ts';
import { agentKey, rowOf, type TicketRow, ticketOf } from './ticket-row.ts';

type Connection = LibsqlDatabase.Database;
type Value = string | number | null;

/**
 * Opens, or creates with mode 0600, the store in `file`. @throws Fault `store_unavailable` when another process has
 * it open, when a newer version wrote it, or when it cannot be read.
 */
export async function openSqliteStore(file: string): Promise<TicketStore> {
  // Loaded here: a fleet on PostgreSQL, and every other command, does without the native module.
  const { default: Database } = await import('libsql');
  const connection = attempt(`opening ${file}`, () => {
    createPrivate(file);
    const opened = new Database(file, { timeout: LIMITS.storeBusy });
    lock(opened);
    try {
      migrate({ exec: (sql) => opened.exec(sql), version: () => userVersion(opened) });
    } catch (error) {
      letGo(opened);
      throw error;
    }
    return opened;
  });
  return storeOn(connection);
}

function createPrivate(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    // Only ever opened by us when it does not exist: closing a second descriptor of a file drops every POSIX lock
    // that this process holds on it, SQLite’s among them.
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    chmodSync(file, 0o600);
  }
}

function lock(connection: Connection): void {
  try {
    // Exclusive before WAL: the lock lasts as long as the process, and no shared-memory file is needed.
    connection.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    connection.exec('PRAGMA foreign_keys = ON; BEGIN IMMEDIATE; COMMIT;');
  } catch (cause) {
    connection.close();
    const { code } = cause as { code?: unknown };
    if (typeof code !== 'string' || !code.startsWith('SQLITE_BUSY')) throw cause;
    const why = 'another Holdpoint uses this state_dir: give each process its own';
    throw new Fault('store_unavailable', why, { cause });
  }
}

function storeOn(connection: Connection): TicketStore {
  const run = (sql: string, ...values: Value[]): number => connection.prepare(sql).run(...values).changes;
  const all = (sql: string, ...values: Value[]): readonly unknown[] => connection.prepare(sql).all(...values);
  const tickets = (sql: string, ...values: Value[]) => (all(sql, ...values) as TicketRow[]).map(ticketOf);

  return {
    async insert(ticket) {
      transact(connection, `opening ${ticket.id}`, () =>
        connection
          .prepare(
            `INSERT INTO tickets (id, state, parked, agent, exact, request, answers, closed_at, closed_reason)
             VALUES (:id, :state, :parked, :agent, :exact, :request, :answers, :closed_at, :closed_reason)`,
          )
          .run(rowOf(ticket)),
      );
    },

    async get(id) {
      return attempt(`reading ${id}`, () => tickets('SELECT * FROM tickets WHERE id = ?', id)[0] ?? null);
    },

    async open(agentId, exact) {
      return attempt('reading open tickets', () =>
        tickets(
          `SELECT * FROM tickets WHERE agent = ? AND exact = ? AND state IN ('pending', 'approved') ORDER BY seq`,
          agentKey(agentId),
          exact,
        ),
      );
    },

    async unfinished() {
      return attempt('reading open tickets', () =>
        tickets(`SELECT * FROM tickets WHERE state IN ('pending', 'approved') ORDER BY seq`),
      );
    },

    async countPending(agentId) {
      return attempt('counting tickets', () => {
        const sql = `SELECT count(*) AS n FROM tickets WHERE agent = ? AND state = 'pending'`;
        const [row] = all(sql, agentKey(agentId)) as { n: number }[];
        return row?.n ?? 0;
      });
    },

    async list(filter) {
      return attempt('listing tickets', () => page(filter, all));
    },

    async move(id, step) {
      checkStep(step);
      return transact(connection, `moving ${id} to ${step.to}`, () => {
        const closes = TRANSITIONS[step.to].length === 0;
        const sql =
          'UPDATE tickets SET state = ?, closed_at = ?, closed_reason = ? WHERE id = ? AND state = ?';
        const closedAt = closes ? step.at : null;
        const changed = run(sql, step.to, closedAt, JSON.stringify(step.reason), id, step.from);
        if (changed === 1 && step.answer !== undefined) run(APPEND_ANSWER, JSON.stringify(step.answer), id);
        return changed === 1;
      });
    },

    async addAnswer(id, answer) {
      return transact(
        connection,
        `answering ${id}`,
        () => run(`${APPEND_ANSWER} AND state = 'pending'`, JSON.stringify(answer), id) === 1,
      );
    },

    async park(id) {
      return transact(
        connection,
        `parking ${id}`,
        () =>
          run(`UPDATE tickets SET parked = 1 WHERE id = ? AND state IN ('pending', 'approved')`, id) === 1,
      );
    },

    async remember(id, door, data) {
      const sql = `INSERT INTO door_memory (ticket, door, data) VALUES (?, ?, ?)
                   ON CONFLICT (ticket, door) DO UPDATE SET data = excluded.data`;
      transact(connection, `remembering ${id}`, () => run(sql, id, door, JSON.stringify(data)));
    },

    async recall(id, door) {
      return attempt(`recalling ${id}`, () => {
        const sql = 'SELECT data FROM door_memory WHERE ticket = ? AND door = ?';
        const [row] = all(sql, id, door) as { data: string }[];
        return row === undefined ? null : JSON.parse(row.data);
      });
    },

    async forget(time) {
      return transact(connection, 'forgetting old tickets', () => {
        run('DELETE FROM door_memory WHERE ticket IN (SELECT id FROM tickets WHERE closed_at < ?)', time);
        return run('DELETE FROM tickets WHERE closed_at < ?', time);
      });
    },

    async close() {
      attempt('closing', () => {
        if (connection.open) letGo(connection);
      });
    },
  };
}

/** Statements that are not collected yet keep SQLite’s handle, and with it the lock: leaving WAL gives it up. */
function letGo(connection: Connection): void {
  if (connection.inTransaction) connection.exec('ROLLBACK');
  connection.exec(
    'PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM sqlite_schema;',
  );
  connection.close();
}

const APPEND_ANSWER = `UPDATE tickets SET answers = json_insert(answers, '$[#]', json(?)) WHERE id = ?`;

function page(
  filter: TicketFilter,
  all: (sql: string, ...values: Value[]) => readonly unknown[],
): TicketPage {
  const limit = Math.min(Math.max(filter.limit ?? LIMITS.controlPage, 1), LIMITS.controlPage);
  const before = filter.cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(filter.cursor);
  if (!Number.isSafeInteger(before))
    throw new Fault('bad_request', 'the cursor is not one that was given out');
  const states = filter.states ?? [];
  const among = states.length === 0 ? '' : `AND state IN (${states.map(() => '?').join(', ')})`;
  const sql = `SELECT * FROM tickets WHERE seq < ? ${among} ORDER BY seq DESC LIMIT ?`;
  const rows = all(sql, before, ...states, limit + 1) as (TicketRow & { seq: number })[];
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    tickets: shown.map(ticketOf),
    next: rows.length > limit && last !== undefined ? String(last.seq) : null,
  };
}

function checkStep(step: TicketMove): void {
  if (!TRANSITIONS[step.from].includes(step.to))
    throw new Fault('internal', `a ticket cannot go from ${step.from} to ${step.to}`);
}

/** One immediate transaction. What fails in it leaves nothing behind. */
function transact<T>(connection: Connection, doing: string, work: () => T): T {
  return attempt(doing, () => {
    connection.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      connection.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors (a full disk, say).
      if (connection.inTransaction) connection.exec('ROLLBACK');
      throw error;
    }
  });
}

function attempt<T>(doing: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    const why = messageOf(cause);
    throw new Fault('store_unavailable', `the approval store failed while ${doing}: ${why}`, { cause });
  }
}

function userVersion(connection: Connection): number {
  const [row] = connection.prepare('PRAGMA user_version').all() as { user_version: number }[];
  return row?.user_version ?? 0;
}
