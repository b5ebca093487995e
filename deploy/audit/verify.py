#!/usr/bin/env python3
"""Verifies a Holdpoint audit log without Holdpoint: python3 verify.py DIRECTORY [--key VERIFIER_KEY]

Written against the description in README.md beside this file, and nothing else. It needs Python 3.8 and the standard
library; signatures are checked where the `cryptography` package is installed, and the exit code says when they were not.

Exit codes: 0 as it was signed, 1 not, 2 usage, 4 hashes and order are good but signatures were not checked.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import sys

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None

ED25519 = b"\x01"
HASH_OCTETS = 32


class Bad(Exception):
    """The log is not as it was signed."""


def sha256(octets):
    return hashlib.sha256(octets).digest()


class Tree:
    """The Merkle tree of RFC 6962 section 2.1, as the roots of its perfect subtrees, largest first."""

    def __init__(self):
        self.size = 0
        self.roots = []

    def push(self, leaf_hash):
        node, rest = leaf_hash, self.size
        while rest & 1:
            node = sha256(b"\x01" + self.roots.pop() + node)
            rest >>= 1
        self.roots.append(node)
        self.size += 1

    def root(self):
        if not self.roots:
            return sha256(b"")
        node = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            node = sha256(b"\x01" + left + node)
        return node


def base64_octets(text):
    octets = base64.b64decode(text, validate=True)
    if base64.b64encode(octets).decode() != text:
        raise ValueError("not canonical base64")
    return octets


def parse_key(text):
    """name+id+base64(0x01 || public key) -> (name, id, public key)"""
    name, key_id, encoded = text.strip().split("+", 2)
    octets = base64_octets(encoded)
    if octets[:1] != ED25519 or len(octets) != 33:
        raise ValueError("not an Ed25519 verifier key")
    if sha256(name.encode() + b"\n" + octets)[:4].hex() != key_id:
        raise ValueError("the id of the verifier key does not fit")
    return name, bytes.fromhex(key_id), octets[1:]


def signature_is_good(note_text, signature_lines, key):
    name, key_id, public_key = key
    for line in signature_lines:
        dash, signer, encoded = line.split(" ")
        octets = base64_octets(encoded)
        if dash != "\u2014" or (signer, octets[:4]) != (name, key_id):
            continue
        if Ed25519PublicKey is None:
            return True
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(octets[4:], note_text.encode())
            return True
        except InvalidSignature:
            return False
    return False


def read_checkpoints(path, key):
    """The signed (size, root) pairs. A file of notes, each followed by one empty line."""
    parts = path.read_bytes().decode("utf-8").split("\n\n")
    if parts.pop() != "" or len(parts) % 2:
        raise Bad(f"{path.name} ends in no whole checkpoint")
    heads = {}
    for number, (body, signatures) in enumerate(zip(parts[::2], parts[1::2])):
        try:
            origin, size, root = body.split("\n")[:3]
            good = signature_is_good(body + "\n", signatures.split("\n"), key)
            size, root = int(size), base64_octets(root)
        except ValueError as problem:
            raise Bad(f"checkpoint {number} is malformed: {problem}")
        if not good or origin != key[0] or len(root) != HASH_OCTETS:
            raise Bad(f"checkpoint {number} is not signed by {key[0]}")
        if heads.setdefault(size, root) != root:
            raise Bad(f"checkpoint {number}: two roots for size {size}")
    return heads


def trusted_leaves(path, heads):
    """The leaf hashes that the signed roots prove: those up to the last root that agrees."""
    octets = path.read_bytes() if path.exists() else b""
    tree, leaves, trusted = Tree(), [], 0
    for at in range(0, len(octets) - len(octets) % HASH_OCTETS, HASH_OCTETS):
        leaves.append(octets[at : at + HASH_OCTETS])
        tree.push(leaves[-1])
        if tree.size in heads:
            if heads[tree.size] != tree.root():
                break
            trusted = tree.size
    return leaves[:trusted]


def check_records(path, heads, leaves):
    newest = max(heads, default=0)
    tree, last_good = Tree(), 0
    with path.open("rb") as lines:
        for line in lines:
            seq = tree.size
            if not line.endswith(b"\n"):
                if seq >= newest:
                    print(f"note: {len(line)} octets of an unfinished line at the end")
                    break
                raise Bad(f"record {seq}: its line has no end")
            leaf = sha256(b"\x00" + line[:-1])
            if seq < len(leaves) and leaf != leaves[seq]:
                raise Bad(f"record {seq}: its octets are not those that were signed")
            try:
                record = json.loads(line)
            except ValueError:
                raise Bad(f"record {seq}: its line is not JSON")
            if not isinstance(record, dict) or record.get("v") != 1 or record.get("seq") != seq:
                raise Bad(f"record {seq}: wrong version, or out of order")
            tree.push(leaf)
            if tree.size in heads:
                if heads[tree.size] != tree.root():
                    raise Bad(f"records {last_good} to {seq}: the root over them is not the signed one")
                last_good = tree.size
    if tree.size < newest:
        raise Bad(f"record {tree.size}: removed, the log ends before it and {newest} were signed")
    if tree.size > 0 and newest == 0:
        raise Bad("no checkpoint vouches for any record")
    if tree.size > newest:
        print(f"note: {tree.size - newest} records after the last checkpoint are not covered by a signature")
    return tree.size, newest


def main():
    arguments = argparse.ArgumentParser(description="Verifies a Holdpoint audit log without Holdpoint.")
    arguments.add_argument("directory", type=pathlib.Path, help="holds audit.jsonl and its other files")
    arguments.add_argument("--key", help="the verifier key that you kept; else audit.pub is read")
    given = arguments.parse_args()
    try:
        key = parse_key(given.key or (given.directory / "audit.pub").read_text())
    except (OSError, ValueError) as problem:
        print(f"no usable verifier key: {problem}", file=sys.stderr)
        return 2
    try:
        heads = read_checkpoints(given.directory / "audit.checkpoints", key)
        leaves = trusted_leaves(given.directory / "audit.leaves", heads)
        records, covered = check_records(given.directory / "audit.jsonl", heads, leaves)
    except OSError as problem:
        print(f"NOT as it was signed: {problem}")
        return 1
    except (Bad, UnicodeDecodeError) as problem:
        print(f"NOT as it was signed: {problem}")
        return 1
    print(f"{records} records, {covered} of them covered by {len(heads)} checkpoints of {key[0]}+{key[1].hex()}")
    if Ed25519PublicKey is None:
        print("signatures NOT checked: install the Python package `cryptography`")
        return 4
    print("as it was signed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
