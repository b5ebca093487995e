/**
 * Owns the verdict on a log: whether the records are those that were signed, and if not, which is the first that is
 * not. It needs the files and a verifier key, and reads each file once, in order. Must never import what writes.
 *
 * The order of trust: the key proves the checkpoints; the checkpoints prove the leaf hashes (the root over the leaf
 * file is the signed one); the leaf hashes prove each record by itself, so that a change is pinned to its record.
 */

import { readFile } from 'node:fs/promises';
import type { Json } from '../core/facts.ts';
import { filedNotes, openCheckpoint, type TreeHead } from './checkpoint.ts';
import { leavesBetween, octetsOf, trustedLeaves } from './leaf-file.ts';
import { type Line, linesOf } from './lines.ts';
import { EMPTY_ROOT, leafHash, MerkleFrontier } from './merkle.ts';
import type { VerifierKey } from './note.ts';
import { readRecord } from './record-check.ts';

export interface VerifyOptions {
  readonly records: string;
  readonly checkpoints: string;
  /** The leaf file; without one a change is only pinned to the records between two checkpoints. */
  readonly leaves: string;
  readonly key: VerifierKey;
  /** Checkpoints of this log that were kept elsewhere (the text of such a file): the log must extend them. */
  readonly witnessed?: string;
  /** Records that no checkpoint covers are a failure too. */
  readonly requireComplete?: boolean;
  /** Epoch milliseconds, to tell absurd times. */
  readonly now: number;
}

export interface FirstBad {
  /** The first record that is not as it was signed, or the first of the range in which it is. */
  readonly seq: number;
  /** The last of that range: `seq` itself unless the leaf file is missing too. */
  readonly through: number;
  readonly reason: string;
}

export interface Verification {
  readonly ok: boolean;
  /** Name and id of the key. */
  readonly key: string;
  /** Good records read: all of them, or those before the first bad one. */
  readonly records: number;
  /** How many of these the newest checkpoint covers, and the root hash over them, in base64. */
  readonly covered: number;
  readonly root: string;
  readonly checkpoints: number;
  readonly firstBad: FirstBad | null;
  /** Why it is not good. */
  readonly problems: readonly string[];
  /** What is good but should be known. */
  readonly warnings: readonly string[];
  /** The records in which the log itself says that something is missing. */
  readonly gaps: readonly { readonly seq: number; readonly time: string; readonly detail: Json }[];
}

/** Verifies. Never throws for what a file says; file system errors other than a missing file do. */
export async function verifyLog(options: VerifyOptions): Promise<Verification> {
  const signed = await signedHeads(options);
  const leaves = await trustedLeaves(options.leaves, signed.heads);
  const read = await checkRecords(options, signed.heads, leaves.trusted);

  const problems = [...signed.problems];
  const warnings = [...read.warnings];
  const newest = signed.heads.at(-1)?.size ?? 0;
  let firstBad = read.firstBad;
  if (!firstBad && read.count < newest)
    firstBad = {
      seq: read.count,
      through: newest - 1,
      reason: `removed: the log ends after ${read.count} records, and ${newest} were signed`,
    };
  if (!firstBad && leaves.count > Math.max(read.count, newest))
    firstBad = {
      seq: read.count,
      through: leaves.count - 1,
      reason: `removed: the leaf file was written for ${leaves.count} records`,
    };
  if (firstBad) problems.push(`${rangeOf(firstBad)}: ${firstBad.reason}`);
  if (leaves.trusted < newest)
    warnings.push(
      `the leaf file is missing or damaged after ${plural(leaves.trusted, 'record')}: a change there is only found between two checkpoints`,
    );

  const covered = firstBad
    ? read.covered
    : { size: newest, root: signed.heads.at(-1)?.root ?? read.covered.root };
  const uncovered = read.count - newest;
  if (!firstBad && newest === 0 && read.count > 0) problems.push('no checkpoint vouches for any record');
  else if (!firstBad && (uncovered > 0 || read.unfinished > 0)) {
    const tail = `${plural(uncovered, 'record')} after the last checkpoint ${uncovered === 1 ? 'is' : 'are'} not covered by a signature`;
    const rest =
      read.unfinished > 0 ? `, and ${plural(read.unfinished, 'octet')} of an unfinished line follow` : '';
    (options.requireComplete ? problems : warnings).push(`${tail}${rest}`);
  }
  return {
    ok: problems.length === 0,
    key: `${options.key.name}+${options.key.id}`,
    records: read.count,
    covered: covered.size,
    root: covered.root.toString('base64'),
    checkpoints: signed.count,
    firstBad,
    problems,
    warnings,
    gaps: read.gaps,
  };
}

/** The heads that the key signed, by size; what is wrong with the checkpoints; how many are good. */
async function signedHeads(options: VerifyOptions) {
  const problems: string[] = [];
  const roots = new Map<number, Buffer>();
  let count = 0;
  const read = (text: string, from: string, isLog: boolean): void => {
    const { notes, torn } = filedNotes(text);
    if (torn > 0) problems.push(`${from}: the last ${plural(torn, 'character')} are no whole checkpoint`);
    let last = 0;
    for (const [index, note] of notes.entries()) {
      const head = openCheckpoint(note, options.key);
      const name = `${from}: checkpoint ${index}`;
      if ('problem' in head) {
        problems.push(`${name}: ${head.problem}`);
        continue;
      }
      const known = head.size === 0 ? EMPTY_ROOT : roots.get(head.size);
      if (known && !known.equals(head.root))
        problems.push(`${name}: another root was signed for size ${head.size}`);
      else if (isLog && head.size < last) problems.push(`${name}: it is older than the one before`);
      else roots.set(head.size, head.root);
      last = head.size;
      if (isLog) count += 1;
    }
  };
  // Before the records, so that a log that is being written to is never shorter than its checkpoints.
  read(
    (await octetsOf(options.checkpoints)) > 0 ? await readFile(options.checkpoints, 'utf8') : '',
    options.checkpoints,
    true,
  );
  if (options.witnessed !== undefined) read(options.witnessed, 'kept elsewhere', false);
  const heads = [...roots]
    .map(([size, root]): TreeHead => ({ size, root }))
    .filter(({ size }) => size > 0)
    .sort((a, b) => a.size - b.size);
  return { heads, problems: problems.slice(0, 20), count };
}

async function checkRecords(options: VerifyOptions, heads: readonly TreeHead[], trusted: number) {
  const tree = new MerkleFrontier();
  const gaps: Verification['gaps'][number][] = [];
  const warnings: string[] = [];
  const newest = heads.at(-1)?.size ?? 0;
  let next = 0;
  let covered: TreeHead = { size: 0, root: tree.root() };
  let before = 0;
  let unfinished = 0;
  let firstBad: FirstBad | null = null;

  const check = (line: Line, known: Buffer | undefined): FirstBad | null => {
    const seq = tree.size;
    const bad = (reason: string): FirstBad => ({ seq, through: seq, reason });
    if (!line.ended && seq >= newest) {
      unfinished = line.end - line.offset;
      return null;
    }
    const leaf = leafHash(line.octets);
    const record = readRecord(line, seq, options.now);
    if (!record.ok) return bad(record.reason);
    if (known && !leaf.equals(known)) return bad('changed: its octets are not those that were signed');
    if (!line.ended) return bad('cut: its line has no end');
    tree.push(leaf);
    const head = heads[next];
    if (head?.size === tree.size) {
      // Without trusted leaves all that is known is that one of these records was changed.
      if (!tree.root().equals(head.root))
        return {
          seq: covered.size,
          through: seq,
          reason: 'changed: the root over these records is not the signed one',
        };
      covered = head;
      next += 1;
    }
    if (record.type === 'gap' && gaps.length < 1_000)
      gaps.push({ seq, time: record.time, detail: record.detail });
    if (record.odd && warnings.length < 20) warnings.push(`record ${seq}: ${record.odd}`);
    if (record.at < before - CLOCK_STEP && warnings.length < 20)
      warnings.push(`record ${seq}: time goes back`);
    before = record.at;
    return null;
  };

  if ((await octetsOf(options.records)) > 0) {
    for await (const lines of linesOf(options.records)) {
      const start = tree.size;
      const leaves = await leavesBetween(options.leaves, start, Math.min(start + lines.length, trusted));
      for (const [at, line] of lines.entries()) {
        firstBad = check(line, leaves[at]);
        if (firstBad)
          return { count: Math.min(tree.size, firstBad.seq), covered, firstBad, gaps, warnings, unfinished };
      }
    }
  }
  return { count: tree.size, covered, firstBad, gaps, warnings, unfinished };
}

/** Milliseconds that a clock may be set back without a remark. */
const CLOCK_STEP = 60_000;

function rangeOf({ seq, through }: FirstBad): string {
  return seq === through ? `record ${seq}` : `records ${seq} to ${through}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
