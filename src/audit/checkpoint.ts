/**
 * Owns the checkpoint of C2SP (c2sp.org/tlog-checkpoint): origin, size and root hash of a tree, in a signed note;
 * and the file of them: each note followed by one empty line, the newest last. Must never know the log's records.
 */

import { HASH_OCTETS } from './merkle.ts';
import { type NoteSigner, openNote, signNote, type VerifierKey } from './note.ts';

/** A tree head: what a checkpoint says. */
export interface TreeHead {
  readonly size: number;
  readonly root: Buffer;
}

/** The signed note for a head; the origin is the signer's name. */
export function signCheckpoint(head: TreeHead, signer: NoteSigner): string {
  return signNote(`${signer.key.name}\n${head.size}\n${head.root.toString('base64')}\n`, signer);
}

/** The head in a note, when `key` signed it and its origin is the key's name; otherwise why not. */
export function openCheckpoint(note: string, key: VerifierKey): TreeHead | { readonly problem: string } {
  const opened = openNote(note, key);
  if ('problem' in opened) return opened;
  const [origin, size, hash, ...extensions] = opened.text.slice(0, -1).split('\n');
  if (origin !== key.name) return { problem: 'the checkpoint is of another log' };
  if (!size || !/^(?:0|[1-9]\d{0,15})$/.test(size)) return { problem: 'the checkpoint has no tree size' };
  const root = Buffer.from(hash ?? '', 'base64');
  if (root.byteLength !== HASH_OCTETS || root.toString('base64') !== hash)
    return { problem: 'the checkpoint has no root hash' };
  if (extensions.includes('')) return { problem: 'the checkpoint has an empty line' };
  const tree = { size: Number(size), root };
  return Number.isSafeInteger(tree.size) ? tree : { problem: 'the checkpoint has no tree size' };
}

/** A note as the checkpoint file keeps it. */
export function filed(note: string): string {
  return `${note}\n`;
}

/** The notes in (the end of) a checkpoint file, and the characters after the last whole one: 0 unless torn. */
export function filedNotes(file: string): { readonly notes: readonly string[]; readonly torn: number } {
  const parts = file.split('\n\n');
  const rest = parts.pop() ?? '';
  const notes: string[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2)
    notes.push(`${parts[index]}\n\n${parts[index + 1]}\n`);
  const odd = parts.length % 2 === 1 ? (parts.at(-1)?.length ?? 0) + 2 : 0;
  return { notes, torn: odd + rest.length };
}
