/**
 * Owns writing the log: records in the order of their appends, one write for all of an event-loop turn, fsync and
 * signed checkpoints behind it. One failed write and it takes no more, until it is opened again. Must never resolve
 * an append whose record is not in the file, nor sign for what is not on disk.
 */

import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { Fault, messageOf } from '../core/errors.ts';
import type { Clock, EvidenceLog } from '../core/ports.ts';
import { draft, type RecordDraft } from '../core/record.ts';
import { AppendFile } from './append-file.ts';
import { type Capture, type Capturer, createCapturer } from './capture.ts';
import { filed, signCheckpoint, type TreeHead } from './checkpoint.ts';
import { openSigner } from './keys.ts';
import { type LogFiles, logFiles } from './layout.ts';
import { octetsOf } from './leaf-file.ts';
import { takeLock } from './lock.ts';
import { HASH_OCTETS, leafHash, type MerkleFrontier } from './merkle.ts';
import { formatVerifierKey, type NoteSigner } from './note.ts';
import { encodeRecord } from './record.ts';
import { type Recovered, recover } from './recovery.ts';

export interface AuditLogOptions {
  /** `state_dir`; made if need be. */
  readonly directory: string;
  readonly clock: Clock;
  readonly capture: Capture;
  /** Names a new log, like `example.com/holdpoint/billing`; by default after its key. */
  readonly origin?: string;
  /** Uncovered records after which a checkpoint is signed at once. */
  readonly checkpointRecords?: number;
  /** Milliseconds that a record stays uncovered at most. */
  readonly checkpointMs?: number;
  /** Told once, when the log takes no more. */
  readonly onFault?: (fault: Fault) => void;
}

export interface AuditLog extends EvidenceLog {
  /** What auditors verify with. */
  readonly verifierKey: string;
  /** The tree of all records written so far. */
  head(): TreeHead;
  /** Why it takes no more records, or null. */
  fault(): Fault | null;
  /** Writes and signs what is left, and lets go of the files. @throws Fault when that, or a write before, failed. */
  close(): Promise<void>;
}

/** A busy log is covered every so many records, a quiet one after so many milliseconds. */
const CHECKPOINT_RECORDS = 4_096;
const CHECKPOINT_MS = 500;

interface Pending {
  readonly seq: number;
  /** The line and its newline. */
  readonly octets: Buffer;
  readonly durable: boolean;
  readonly resolve: (written: { seq: number }) => void;
  readonly reject: (fault: Fault) => void;
}

/** Opens the log in a directory, or begins one. @throws Fault `evidence_unavailable`, saying what to do. */
export async function createAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const files = logFiles(options.directory);
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const unlock = takeLock(files.lock);
  try {
    const fresh = (await octetsOf(files.records)) === 0 && (await octetsOf(files.checkpoints)) === 0;
    const { origin } = options;
    const signer = openSigner(files, origin === undefined ? { fresh } : { fresh, origin });
    const recovered = await recover(files, signer.key);
    const log = new FileLog(options, files, signer, recovered, unlock);
    const gap = gapOf(recovered);
    if (gap) await log.append(gap, { durable: true });
    return log;
  } catch (error) {
    unlock();
    throw faultOf('the audit log cannot be opened', error);
  }
}

/** The record of an unclean stop: what was torn, and which records no checkpoint had covered until now. */
function gapOf({ tree, covered, torn, tornCheckpoint }: Recovered): RecordDraft | null {
  const uncovered = tree.size - covered;
  if (uncovered === 0 && !torn && tornCheckpoint === 0) return null;
  const detail = {
    reason: 'unclean_stop',
    uncovered_from: covered,
    uncovered,
    torn,
    torn_checkpoint: tornCheckpoint,
  };
  return draft('gap', { detail });
}

class FileLog implements AuditLog {
  readonly verifierKey: string;
  readonly #options: AuditLogOptions;
  readonly #signer: NoteSigner;
  readonly #capture: Capturer;
  readonly #unlock: () => void;
  readonly #records: AppendFile;
  readonly #leaves: AppendFile;
  readonly #checkpoints: AppendFile;
  readonly #tree: MerkleFrontier;
  #nextSeq: number;
  /** Records that the newest checkpoint covers. */
  #covered: number;
  /** Leaf hashes in the leaf file, and those still to go there. */
  #leafCount: number;
  #newLeaves: Buffer[];
  /** Appended, not written. */
  #pending: Pending[] = [];
  /** Written, and waiting for the disk. */
  #unsynced: Pending[] = [];
  #settling: Promise<void> | null = null;
  #cancelTimer: (() => void) | null = null;
  #fault: Fault | null = null;
  #closed = false;

  constructor(
    options: AuditLogOptions,
    files: LogFiles,
    signer: NoteSigner,
    found: Recovered,
    unlock: () => void,
  ) {
    this.verifierKey = formatVerifierKey(signer.key);
    this.#options = options;
    this.#signer = signer;
    this.#capture = createCapturer(options.capture);
    this.#unlock = unlock;
    this.#records = new AppendFile(files.records);
    this.#leaves = new AppendFile(files.leaves);
    this.#checkpoints = new AppendFile(files.checkpoints);
    syncDirectory(options.directory);
    this.#tree = found.tree;
    this.#nextSeq = found.tree.size;
    this.#covered = found.covered;
    this.#leafCount = found.leafCount;
    this.#newLeaves = [...found.missingLeaves];
  }

  head(): TreeHead {
    return { size: this.#tree.size, root: this.#tree.root() };
  }

  fault(): Fault | null {
    return this.#fault;
  }

  append(record: RecordDraft, options?: { durable?: boolean }): Promise<{ seq: number }> {
    if (this.#fault) return Promise.reject(this.#fault);
    if (this.#closed) return Promise.reject(new Fault('evidence_unavailable', 'the audit log is closed'));
    return new Promise((resolve, reject) => {
      const seq = this.#nextSeq;
      const line = encodeRecord(seq, this.#options.clock.now(), record, this.#capture);
      this.#nextSeq += 1;
      if (this.#pending.length === 0) setImmediate(() => this.#write());
      this.#pending.push({
        seq,
        octets: Buffer.from(`${line}\n`),
        durable: options?.durable === true,
        resolve,
        reject,
      });
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#write();
    while (!this.#fault && this.#tree.size > this.#covered) await this.#settle();
    await this.#settling;
    this.#disarm();
    for (const file of [this.#records, this.#leaves, this.#checkpoints]) file.close();
    this.#unlock();
    if (this.#fault) throw this.#fault;
  }

  /** Writes what has been appended since the last time, in one write. */
  #write(): void {
    const batch = this.#pending;
    if (batch.length === 0 || this.#fault) return;
    try {
      this.#records.append(Buffer.concat(batch.map(({ octets }) => octets)));
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#pending = [];
    for (const entry of batch) {
      const leaf = leafHash(entry.octets.subarray(0, -1));
      this.#tree.push(leaf);
      this.#newLeaves.push(leaf);
      if (entry.durable) this.#unsynced.push(entry);
      else entry.resolve({ seq: entry.seq });
    }
    if (this.#isDue()) void this.#settle();
    else this.#arm();
  }

  /** Whether somebody waits for the disk, or too many records for a checkpoint. */
  #isDue(): boolean {
    const uncovered = this.#tree.size - this.#covered;
    return this.#unsynced.length > 0 || uncovered >= (this.#options.checkpointRecords ?? CHECKPOINT_RECORDS);
  }

  /** Brings what is written to disk, releases the appends that wait for that, and signs for it. Never rejects. */
  #settle(): Promise<void> {
    this.#settling ??= this.#settleAll().finally(() => {
      this.#settling = null;
    });
    return this.#settling;
  }

  async #settleAll(): Promise<void> {
    this.#disarm();
    try {
      do {
        const waiting = [...this.#unsynced];
        const head = this.head();
        await this.#records.sync();
        if (this.#fault) return;
        this.#unsynced = this.#unsynced.slice(waiting.length);
        for (const entry of waiting) entry.resolve({ seq: entry.seq });
        await this.#sign(head);
      } while (this.#isDue());
      if (this.#tree.size > this.#covered) this.#arm();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Signs for records that are on disk: a checkpoint that outlived its records would look like tampering. */
  async #sign(head: TreeHead): Promise<void> {
    if (head.size === this.#covered) return;
    const leaves = Buffer.concat(this.#newLeaves);
    const now = (head.size - this.#leafCount) * HASH_OCTETS;
    this.#leaves.append(leaves.subarray(0, now));
    this.#newLeaves = now < leaves.byteLength ? [leaves.subarray(now)] : [];
    this.#leafCount = head.size;
    this.#checkpoints.append(Buffer.from(filed(signCheckpoint(head, this.#signer))));
    this.#covered = head.size;
    await this.#checkpoints.sync();
  }

  #arm(): void {
    if (this.#closed) return;
    const ms = this.#options.checkpointMs ?? CHECKPOINT_MS;
    this.#cancelTimer ??= this.#options.clock.after(ms, () => void this.#settle());
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  /** From here on nothing is taken: what a broken log would still write, nobody could rely on. */
  #fail(error: unknown): void {
    if (this.#fault) return;
    const fault = faultOf('the audit log cannot be written', error);
    this.#fault = fault;
    this.#disarm();
    for (const entry of [...this.#unsynced, ...this.#pending]) entry.reject(fault);
    this.#unsynced = [];
    this.#pending = [];
    this.#options.onFault?.(fault);
  }
}

/** The names of new files have to be on disk too. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function faultOf(what: string, error: unknown): Fault {
  if (error instanceof Fault) return error;
  const why = messageOf(error);
  return new Fault('evidence_unavailable', `${what}: ${why}`, { cause: error });
}
