/**
 * Owns the Merkle tree of RFC 6962 section 2 (RFC 9162 section 2.1): hashes, the root of a growing tree in
 * O(log n) state, and the root of any range of leaf hashes. Must never know what a leaf means.
 */

import { hash } from 'node:crypto';

/** Octets of one SHA-256 hash. */
export const HASH_OCTETS = 32;
const LEAF = 0x00;
const NODE = 0x01;

/** MTH({}) = SHA-256(): the root of a tree without leaves. */
export const EMPTY_ROOT: Buffer = hash('sha256', Buffer.alloc(0), 'buffer');

/** The leaf hash of one log line, given without its newline. */
export function leafHash(line: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + line.byteLength);
  input[0] = LEAF;
  input.set(line, 1);
  return hash('sha256', input, 'buffer');
}

/** The hash of an inner node. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + 2 * HASH_OCTETS);
  input[0] = NODE;
  input.set(left, 1);
  input.set(right, 1 + HASH_OCTETS);
  return hash('sha256', input, 'buffer');
}

/** A growing tree, kept as the roots of its perfect subtrees, largest first: as many as `size` has set bits. */
export class MerkleFrontier {
  #size = 0;
  readonly #roots: Buffer[] = [];

  get size(): number {
    return this.#size;
  }

  /** Appends the leaf with this leaf hash. */
  push(leaf: Buffer): void {
    let root = leaf;
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = this.#roots.pop();
      if (left) root = nodeHash(left, root);
    }
    this.#roots.push(root);
    this.#size += 1;
  }

  /** The root hash of all leaves so far. */
  root(): Buffer {
    let root: Buffer | null = null;
    for (let index = this.#roots.length - 1; index >= 0; index -= 1) {
      const left = this.#roots[index];
      if (left) root = root ? nodeHash(left, root) : left;
    }
    return root ?? EMPTY_ROOT;
  }
}

/** The root hash over a list of leaf hashes. */
export function rootOf(leaves: Iterable<Buffer>): Buffer {
  const tree = new MerkleFrontier();
  for (const leaf of leaves) tree.push(leaf);
  return tree.root();
}
