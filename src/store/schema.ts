/**
 * Owns the form of the SQLite file: its migrations, in order, and the check that this program knows the version that
 * it finds. Must never change a migration that has shipped: add one.
 */

import { Fault } from '../core/errors.ts';

/** What the schema needs of a connection. */
export interface SchemaConnection {
  exec(sql: string): unknown;
  version(): number;
}

/**
 * Free text is kept as JSON (libsql ends a bare text at its first NUL). `request` is what the ticket was opened
 * with and never changes; the columns beside it are what moves, and what is searched.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE tickets (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     state TEXT NOT NULL
       CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'withdrawn', 'released', 'stale')),
     parked INTEGER NOT NULL CHECK (parked IN (0, 1)),
     agent TEXT NOT NULL,
     exact TEXT NOT NULL,
     request TEXT NOT NULL,
     answers TEXT NOT NULL DEFAULT '[]',
     closed_at INTEGER,
     closed_reason TEXT
   ) STRICT;
   CREATE INDEX tickets_unfinished ON tickets (agent, exact) WHERE state IN ('pending', 'approved');
   CREATE INDEX tickets_by_state ON tickets (state, seq);
   CREATE TABLE door_memory (
     ticket TEXT NOT NULL REFERENCES tickets (id),
     door TEXT NOT NULL,
     data TEXT NOT NULL,
     PRIMARY KEY (ticket, door)
   ) STRICT, WITHOUT ROWID;`,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings the file up to this version, each step in a transaction. @throws Fault when the file is newer. */
export function migrate(connection: SchemaConnection): void {
  const found = connection.version();
  if (found > SCHEMA_VERSION) {
    throw new Fault(
      'store_unavailable',
      `the approval store has schema ${found}, and this Holdpoint knows ${SCHEMA_VERSION}: run the newer Holdpoint that wrote it`,
    );
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < found) continue;
    connection.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}
