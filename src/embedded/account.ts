/**
 * Owns the account that PostgreSQL runs as: it refuses to run as root, so root hands it to `nobody` and adds no user
 * to the machine. Must never know what is run.
 */

import { readFileSync } from 'node:fs';

export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

/** The conventional ids of `nobody`, where there is no password file to ask. */
const NOBODY: ServerAccount = { uid: 65534, gid: 65534 };

/** Null: as whoever we are. */
export function serverAccount(): ServerAccount | null {
  return process.getuid?.() === 0 ? nobody() : null;
}

function nobody(): ServerAccount {
  try {
    const entry = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
    return entry ? { uid: Number(entry[1]), gid: Number(entry[2]) } : NOBODY;
  } catch {
    return NOBODY;
  }
}
