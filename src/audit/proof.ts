/**
 * Owns proofs about a Merkle tree: that a leaf is in it, and that a later tree extends an earlier one
 * (RFC 9162 sections 2.1.3 and 2.1.4). Must never know what a leaf means, nor where leaves are kept.
 */

import { nodeHash, rootOf } from './merkle.ts';

/** The largest power of two below `size`, for `size` of at least 2: where RFC 6962 splits a tree. */
function split(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

/** PATH(index, D[n]): the inclusion proof of one leaf among all of `leaves`. @throws RangeError */
export function inclusionProof(leaves: readonly Buffer[], index: number): Buffer[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length)
    throw new RangeError(`no leaf ${index} in a tree of ${leaves.length}`);
  if (leaves.length === 1) return [];
  const middle = split(leaves.length);
  const left = leaves.slice(0, middle);
  const right = leaves.slice(middle);
  return index < middle
    ? [...inclusionProof(left, index), rootOf(right)]
    : [...inclusionProof(right, index - middle), rootOf(left)];
}

/** PROOF(size, D[n]): that the tree of all `leaves` extends the tree of the first `size`. @throws RangeError */
export function consistencyProof(leaves: readonly Buffer[], size: number): Buffer[] {
  if (!Number.isInteger(size) || size < 0 || size > leaves.length)
    throw new RangeError(`no tree of ${size} in a tree of ${leaves.length}`);
  return size === 0 ? [] : subproof(leaves, size, true);
}

/** `whole`: the earlier tree's root is what the verifier already has, so it is left out. */
function subproof(leaves: readonly Buffer[], size: number, whole: boolean): Buffer[] {
  if (size === leaves.length) return whole ? [] : [rootOf(leaves)];
  const middle = split(leaves.length);
  const left = leaves.slice(0, middle);
  const right = leaves.slice(middle);
  return size <= middle
    ? [...subproof(left, size, whole), rootOf(right)]
    : [...subproof(right, size - middle, false), rootOf(left)];
}

export interface InclusionClaim {
  readonly leaf: Buffer;
  readonly index: number;
  readonly size: number;
  readonly root: Buffer;
}

/** RFC 9162 section 2.1.3.2. */
export function verifyInclusion(claim: InclusionClaim, proof: readonly Buffer[]): boolean {
  if (claim.index < 0 || claim.index >= claim.size) return false;
  let index = claim.index;
  let last = claim.size - 1;
  let root = claim.leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (index % 2 === 1 || index === last) {
      root = nodeHash(sibling, root);
      while (index % 2 === 0 && index !== 0) [index, last] = [half(index), half(last)];
    } else {
      root = nodeHash(root, sibling);
    }
    [index, last] = [half(index), half(last)];
  }
  return last === 0 && root.equals(claim.root);
}

export interface ConsistencyClaim {
  readonly size: number;
  readonly root: Buffer;
  readonly laterSize: number;
  readonly laterRoot: Buffer;
}

/** RFC 9162 section 2.1.4.2. Every tree extends the empty one. */
export function verifyConsistency(claim: ConsistencyClaim, proof: readonly Buffer[]): boolean {
  if (claim.size > claim.laterSize) return false;
  if (claim.size === claim.laterSize) return proof.length === 0 && claim.root.equals(claim.laterRoot);
  if (claim.size === 0) return proof.length === 0 && claim.root.equals(rootOf([]));
  let index = claim.size - 1;
  let last = claim.laterSize - 1;
  while (index % 2 === 1) [index, last] = [half(index), half(last)];
  // Where the earlier tree is perfect its root is a node of the later tree, and is not in the proof.
  const [first, ...rest] = index === 0 ? [claim.root, ...proof] : proof;
  if (!first) return false;
  let root = first;
  let laterRoot = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (index % 2 === 1 || index === last) {
      root = nodeHash(sibling, root);
      laterRoot = nodeHash(sibling, laterRoot);
      while (index % 2 === 0 && index !== 0) [index, last] = [half(index), half(last)];
    } else {
      laterRoot = nodeHash(laterRoot, sibling);
    }
    [index, last] = [half(index), half(last)];
  }
  return last === 0 && root.equals(claim.root) && laterRoot.equals(claim.laterRoot);
}

const half = (number: number): number => Math.floor(number / 2);
