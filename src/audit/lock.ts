/**
 * Owns the one-writer rule: two processes appending to one log would fork its tree. The lock is the kernel's own
 * (fcntl, taken through SQLite, since Node has no call for it): it ends with its process however that dies, so a kill
 * -9 leaves nothing stale, and it holds between containers that share a volume, where process ids mean nothing. Must
 * never wait for somebody else to let go.
 */

import { chmodSync } from 'node:fs';
import Database from 'libsql';
import { Fault, messageOf } from '../core/errors.ts';

/** Takes the lock at once, and returns what gives it back. @throws Fault when somebody else has it. */
export function takeLock(path: string): () => void {
  let database: Database.Database | null = null;
  try {
    database = new Database(path, { timeout: 0 });
    chmodSync(path, 0o600);
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    throw lockFault(path, error);
  }
  const taken = database;
  return () => taken.close();
}

function lockFault(path: string, cause: unknown): Fault {
  const busy = cause instanceof Error && 'code' in cause && cause.code === 'SQLITE_BUSY';
  const why = busy
    ? `another process is writing this audit log: stop it, or give this one a state_dir of its own (${path} is locked)`
    : `the lock of the audit log cannot be taken: ${messageOf(cause)} (${path})`;
  return new Fault('evidence_unavailable', why, { cause });
}
