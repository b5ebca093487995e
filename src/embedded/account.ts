/**
 * Owns the account that PostgreSQL runs as: it refuses to run as root, so root hands it to `nobody`, or to whoever made
 * the cluster, and adds no user to the machine. Must never know what is run.
 */

import { readFileSync, statSync } from 'node:fs';

export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

/** The conventional ids of `nobody`, where there is no password file to ask. */
const NOBODY: ServerAccount = { uid: 65534, gid: 65534 };

/** For the cluster in this directory, whether it is there yet or not. Null: as whoever we are. */
export function serverAccount(cluster: string): ServerAccount | null {
  if (process.getuid?.() !== 0) return null;
  const made = statSync(cluster, { throwIfNoEntry: false });
  return made ? { uid: made.uid, gid: made.gid } : nobody();
}

function nobody(): ServerAccount {
  try {
    const entry = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
    return entry ? { uid: Number(entry[1]), gid: Number(entry[2]) } : NOBODY;
  } catch {
    return NOBODY;
  }
}
