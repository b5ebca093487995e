/** The tree against the test vectors of RFC 6962's reference implementation, and against its own definition. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_ROOT, leafHash, MerkleFrontier, nodeHash, rootOf } from '../../src/audit/merkle.ts';
import {
  consistencyProof,
  inclusionProof,
  verifyConsistency,
  verifyInclusion,
} from '../../src/audit/proof.ts';

const INPUTS = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const hex = (text: string) => Buffer.from(text, 'hex');
const leaves = INPUTS.map((input) => leafHash(hex(input)));

/** MTH as RFC 6962 section 2.1 writes it, to hold the incremental tree against. */
function definition(of: readonly Buffer[]): Buffer {
  const [first] = of;
  if (!first) return EMPTY_ROOT;
  if (of.length === 1) return first;
  let split = 1;
  while (split * 2 < of.length) split *= 2;
  return nodeHash(definition(of.slice(0, split)), definition(of.slice(split)));
}

const someLeaves = (count: number) =>
  Array.from({ length: count }, (_, index) => leafHash(Buffer.from(`${index}`)));

describe('the Merkle tree', () => {
  it('has the empty tree’s root of RFC 6962', () => {
    expect(new MerkleFrontier().root().toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  it.each(ROOTS.map((root, index) => [index + 1, root] as const))(
    'has the known root at size %i',
    (size, root) => {
      expect(rootOf(leaves.slice(0, size)).toString('hex')).toBe(root);
    },
  );

  it('has, however it grew, the root that the definition gives', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), (count) => {
        const all = someLeaves(count);
        const tree = new MerkleFrontier();
        for (const leaf of all) tree.push(leaf);
        expect(tree.size).toBe(count);
        expect(tree.root()).toEqual(definition(all));
      }),
    );
  });

  it('tells a leaf from a node that has the same octets', () => {
    const [left, right] = someLeaves(2) as [Buffer, Buffer];
    expect(leafHash(Buffer.concat([left, right]))).not.toEqual(nodeHash(left, right));
  });
});

describe('inclusion proofs', () => {
  it('gives the known proof of leaf 5 of 8', () => {
    expect(inclusionProof(leaves, 5).map((octets) => octets.toString('hex'))).toEqual([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  it('proves every leaf of every tree up to 40, and none of another place, leaf or proof', () => {
    for (let size = 1; size <= 40; size += 1) {
      const all = someLeaves(size);
      const root = rootOf(all);
      for (const [index, leaf] of all.entries()) {
        const proof = inclusionProof(all, index);
        const claim = { leaf, index, size, root };
        expect(verifyInclusion(claim, proof)).toBe(true);
        // A perfect tree's proof could pass for a leaf at another place only if two hashes collided.
        for (let other = 0; other < size; other += 1)
          if (other !== index) expect(verifyInclusion({ ...claim, index: other }, proof)).toBe(false);
        expect(verifyInclusion({ ...claim, leaf: leafHash(Buffer.from('other')) }, proof)).toBe(false);
        expect(verifyInclusion({ ...claim, index: size }, proof)).toBe(false);
        expect(verifyInclusion(claim, [...proof, root])).toBe(false);
        if (proof.length > 0) expect(verifyInclusion(claim, proof.slice(0, -1))).toBe(false);
      }
    }
  });

  it('has none for a leaf that is not there', () => {
    expect(() => inclusionProof(leaves, 8)).toThrow(RangeError);
    expect(() => inclusionProof(leaves, -1)).toThrow(RangeError);
  });
});

describe('consistency proofs', () => {
  it('gives the known proof from 6 to 8', () => {
    expect(consistencyProof(leaves, 6).map((octets) => octets.toString('hex'))).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  it('proves that every tree extends every earlier one, and no other history', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), fc.nat(), fc.nat(), (laterSize, cut, flip) => {
        const all = someLeaves(laterSize);
        const size = cut % (laterSize + 1);
        const claim = { size, root: rootOf(all.slice(0, size)), laterSize, laterRoot: rootOf(all) };
        const proof = consistencyProof(all, size);
        expect(verifyConsistency(claim, proof)).toBe(true);
        expect(verifyConsistency(claim, [...proof, claim.root])).toBe(false);
        if (size === 0) return;
        const changed = all.map((leaf, at) => (at === flip % size ? leafHash(Buffer.from('changed')) : leaf));
        const other = { ...claim, root: rootOf(changed.slice(0, size)) };
        expect(verifyConsistency(other, proof)).toBe(false);
        expect(verifyConsistency(other, consistencyProof(changed, size))).toBe(false);
      }),
    );
  });

  it('never lets a log shrink', () => {
    const claim = { size: 8, root: rootOf(leaves), laterSize: 7, laterRoot: rootOf(leaves.slice(0, 7)) };
    expect(verifyConsistency(claim, [])).toBe(false);
    expect(() => consistencyProof(leaves, 9)).toThrow(RangeError);
  });
});
