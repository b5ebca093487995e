/** Owns the names of the files that one log is made of. Must never open them. */

import { basename, dirname, join } from 'node:path';

export interface LogFiles {
  /** The records, one JSON object a line. */
  readonly records: string;
  /** Signed tree heads, the newest last. */
  readonly checkpoints: string;
  /** The leaf hash of each record, 32 octets each, up to the newest checkpoint: it lets a verifier name a record. */
  readonly leaves: string;
  /** The signing key, PEM. */
  readonly privateKey: string;
  /** The verifier key, one line. */
  readonly publicKey: string;
  /** Locked by the kernel while a writer has the log open. */
  readonly lock: string;
}

/** The files of the log in a state directory. */
export function logFiles(directory: string): LogFiles {
  return filesBeside(join(directory, 'audit.jsonl'));
}

/** The files that belong to a copy of the records: those of the same stem beside it. */
export function filesBeside(records: string): LogFiles {
  const stem = join(dirname(records), basename(records, '.jsonl'));
  return {
    records,
    checkpoints: `${stem}.checkpoints`,
    leaves: `${stem}.leaves`,
    privateKey: `${stem}.key`,
    publicKey: `${stem}.pub`,
    lock: `${stem}.lock`,
  };
}
