/**
 * Owns opening a log that is there already: reads it whole, rebuilds its tree, holds it against its newest
 * checkpoint, and repairs what a crash leaves (a torn tail). Must never repair what a checkpoint contradicts.
 */

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, truncate } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Fault } from '../core/errors.ts';
import { filedNotes, openCheckpoint, type TreeHead } from './checkpoint.ts';
import type { LogFiles } from './layout.ts';
import { leavesBetween, octetsOf } from './leaf-file.ts';
import { type Line, linesOf } from './lines.ts';
import { HASH_OCTETS, leafHash, MerkleFrontier } from './merkle.ts';
import type { VerifierKey } from './note.ts';
import { RECORD_VERSION } from './record.ts';

/** Octets of the checkpoint file that are searched for its newest note: many notes long. */
const CHECKPOINT_TAIL = 64 * 1024;

export interface Recovered {
  readonly tree: MerkleFrontier;
  /** Records that the newest checkpoint covers. */
  readonly covered: number;
  /** Leaf hashes in the leaf file. */
  readonly leafCount: number;
  /** Leaf hashes that the leaf file lacks, in order, concatenated. */
  readonly missingLeaves: readonly Buffer[];
  /** What had to be cut off the end of the records; kept in a file of its own. */
  readonly torn: { readonly octets: number; readonly sha256: string; readonly kept: string } | null;
  /** Octets of an unfinished note cut off the checkpoint file. */
  readonly tornCheckpoint: number;
}

/** Opens and repairs. @throws Fault when the log contradicts what was signed: then nothing has been changed. */
export async function recover(files: LogFiles, key: VerifierKey): Promise<Recovered> {
  const checkpoints = await newestCheckpoint(files, key);
  const { head } = checkpoints;
  const read = await readRecords(files, head);
  const size = await octetsOf(files.records);
  if (read.tree.size < head.size)
    throw broken(`it has ${read.tree.size} records, and its newest checkpoint was signed for ${head.size}`);
  if (read.leafCount > read.tree.size)
    throw broken(`it has ${read.tree.size} records, and ${files.leaves} was written for ${read.leafCount}`);
  // Below the checkpoint the root has spoken, and a bad leaf file is only rewritten. Above it, leaves are the witness.
  if (read.leafCount > read.goodLeaves && read.goodLeaves >= head.size)
    throw broken(`record ${read.goodLeaves} is not the one that was written`);

  const torn = size > read.end ? await cutTail(files.records, read.end, size) : null;
  if (checkpoints.torn > 0) await truncate(files.checkpoints, checkpoints.end);
  await truncateTo(files.leaves, read.goodLeaves * HASH_OCTETS);
  const { tree, goodLeaves, missingLeaves } = read;
  return {
    tree,
    covered: head.size,
    leafCount: goodLeaves,
    missingLeaves,
    torn,
    tornCheckpoint: checkpoints.torn,
  };
}

async function newestCheckpoint(files: LogFiles, key: VerifierKey) {
  const size = await octetsOf(files.checkpoints);
  const none: TreeHead = { size: 0, root: new MerkleFrontier().root() };
  if (size === 0) return { head: none, end: 0, torn: 0 };
  const start = Math.max(0, size - CHECKPOINT_TAIL);
  const tail = (await readPart(files.checkpoints, start, size)).toString('utf8');
  // A tail cut anywhere begins inside a note; that one is dropped. Every note begins with the origin.
  const first = start === 0 ? 0 : tail.indexOf(`\n\n${key.name}\n`) + 2;
  const { notes, torn } = filedNotes(tail.slice(first));
  const newest = notes.at(-1);
  const tornOctets = torn === 0 ? 0 : Buffer.byteLength(tail.slice(tail.length - torn));
  if (!newest) {
    if (start > 0) throw broken(`${files.checkpoints} ends in no signed note`);
    return { head: none, end: 0, torn: tornOctets };
  }
  const head = openCheckpoint(newest, key);
  if ('problem' in head) throw broken(`its newest checkpoint is not good: ${head.problem}`);
  return { head, end: size - tornOctets, torn: tornOctets };
}

async function readRecords(files: LogFiles, head: TreeHead) {
  const tree = new MerkleFrontier();
  const leafCount = Math.floor((await octetsOf(files.leaves)) / HASH_OCTETS);
  const missingLeaves: Buffer[] = [];
  let goodLeaves = 0;
  let end = 0;
  let whole = true;
  let comparing = true;
  if ((await octetsOf(files.records)) === 0) return { tree, end, goodLeaves, leafCount, missingLeaves };
  for await (const lines of linesOf(files.records)) {
    const before = tree.size;
    const leaves: Buffer[] = [];
    for (const line of lines) {
      whole = whole && line.ended && (tree.size < head.size || isRecord(line, tree.size));
      if (!whole) break;
      const leaf = leafHash(line.octets);
      leaves.push(leaf);
      tree.push(leaf);
      end = line.end;
      if (tree.size === head.size && !tree.root().equals(head.root))
        throw broken(`its first ${head.size} records are not those that were signed`);
    }
    let known = 0;
    if (comparing) {
      const kept = await leavesBetween(files.leaves, before, Math.min(tree.size, leafCount));
      known = leaves.findIndex((leaf, at) => !kept[at]?.equals(leaf));
      if (known < 0) known = leaves.length;
      goodLeaves += known;
      comparing = known === leaves.length;
    }
    if (known < leaves.length) missingLeaves.push(Buffer.concat(leaves.slice(known)));
    if (!whole) break;
  }
  return { tree, end, goodLeaves, leafCount, missingLeaves };
}

/** Whether a line that no checkpoint covers is a whole record: a crash may leave octets that never were one. */
function isRecord(line: Line, seq: number): boolean {
  try {
    const record: unknown = JSON.parse(line.octets.toString('utf8'));
    return (
      typeof record === 'object' &&
      record !== null &&
      'v' in record &&
      'seq' in record &&
      record.v === RECORD_VERSION &&
      record.seq === seq
    );
  } catch {
    return false;
  }
}

/** Keeps what is cut in a file of its own, on disk before it is gone from the log. */
async function cutTail(path: string, start: number, size: number) {
  const kept = `${path}.torn-${start}`;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { start })) hash.update(chunk);
  await pipeline(createReadStream(path, { start }), createWriteStream(kept, { mode: 0o600, flush: true }));
  await truncate(path, start);
  return { octets: size - start, sha256: hash.digest('hex'), kept: basename(kept) };
}

async function readPart(path: string, start: number, end: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function truncateTo(path: string, octets: number): Promise<void> {
  if ((await octetsOf(path)) > octets) await truncate(path, octets);
}

function broken(why: string): Fault {
  return new Fault(
    'evidence_unavailable',
    `the audit log is not as it was signed: ${why}. Nothing was changed. Keep the audit.* files as evidence, see what ` +
      '`holdpoint audit verify` says, and move them aside to begin a new log',
  );
}
