/**
 * Owns reading the leaf file: one hash of 32 octets for each record, in order. Must never trust a hash in it before
 * a checkpoint has proved it.
 */

import { open, stat } from 'node:fs/promises';
import type { TreeHead } from './checkpoint.ts';
import { HASH_OCTETS, MerkleFrontier } from './merkle.ts';

/** Leaves read at once. */
const CHUNK = 4_096;

/** How many leaf hashes the file has, and how many of them the checkpoints prove. */
export async function trustedLeaves(path: string, heads: readonly TreeHead[]) {
  const count = Math.floor((await octetsOf(path)) / HASH_OCTETS);
  const tree = new MerkleFrontier();
  let trusted = 0;
  let next = 0;
  for (let start = 0; start < count; start += CHUNK) {
    for (const leaf of await leavesBetween(path, start, Math.min(start + CHUNK, count))) {
      tree.push(leaf);
      const head = heads[next];
      if (head?.size !== tree.size) continue;
      if (!tree.root().equals(head.root)) return { count, trusted };
      trusted = head.size;
      next += 1;
    }
  }
  return { count, trusted };
}

/** The leaf hashes from `start` up to, not including, `end`; fewer where the file ends before. */
export async function leavesBetween(path: string, start: number, end: number): Promise<Buffer[]> {
  if (start >= end) return [];
  const file = await open(path, 'r');
  try {
    const octets = Buffer.alloc((end - start) * HASH_OCTETS);
    const { bytesRead } = await file.read(octets, 0, octets.byteLength, start * HASH_OCTETS);
    const leaves: Buffer[] = [];
    for (let from = 0; from + HASH_OCTETS <= bytesRead; from += HASH_OCTETS)
      leaves.push(octets.subarray(from, from + HASH_OCTETS));
    return leaves;
  } finally {
    await file.close();
  }
}

/** Octets of a file; 0 when there is none. */
export async function octetsOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}
