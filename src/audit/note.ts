/**
 * Owns the signed note of C2SP (c2sp.org/signed-note): text, a blank line, and lines that sign it with Ed25519.
 * Must never know what the text says.
 */

import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';

/** The signature type of Ed25519 over the note's text. */
const ED25519 = 0x01;
const KEY_OCTETS = 32;
const SIGNATURE_OCTETS = 64;
/** Octets of a note that are read at all, and signature lines in it; the standard asks for at least 16. */
const NOTE_OCTETS = 64 * 1024;
const NOTE_SIGNATURES = 100;

/** Who signs, or signed: a name and the public key. The name alone proves nothing. */
export interface VerifierKey {
  readonly name: string;
  /** First four octets of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key), in hex. */
  readonly id: string;
  /** The 32 octets of RFC 8032. */
  readonly octets: Buffer;
  readonly publicKey: KeyObject;
}

/** Names what signs a note. Never holds the key itself. */
export interface NoteSigner {
  readonly key: VerifierKey;
  sign(text: Buffer): Buffer;
}

export type OpenedNote = { readonly text: string } | { readonly problem: string };

/** A key name has at least one character, and no space, plus or control character. */
export function isKeyName(name: string): boolean {
  return /^[^\s+\p{Cc}\p{Cs}]+$/u.test(name);
}

/** @throws RangeError for a name or a key that no note can carry. */
export function verifierKey(name: string, octets: Uint8Array): VerifierKey {
  if (!isKeyName(name)) throw new RangeError(`not a key name: ${JSON.stringify(name)}`);
  if (octets.byteLength !== KEY_OCTETS) throw new RangeError('an Ed25519 public key has 32 octets');
  const raw = Buffer.from(octets);
  const named = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), raw]);
  return {
    name,
    id: hash('sha256', named, 'hex').slice(0, 8),
    octets: raw,
    publicKey: createPublicKey({
      format: 'jwk',
      key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') },
    }),
  };
}

/** `name+id+base64(0x01 ‖ public key)`: how a verifier key is handed around. */
export function formatVerifierKey(key: VerifierKey): string {
  return `${key.name}+${key.id}+${Buffer.concat([Buffer.of(ED25519), key.octets]).toString('base64')}`;
}

/** @throws RangeError when the text is not a verifier key, or its id is not its key's. */
export function parseVerifierKey(text: string): VerifierKey {
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text.trim());
  const typed = base64(match?.[3] ?? '');
  if (!match || !typed) throw new RangeError('not a verifier key of the form name+id+base64');
  if (typed[0] !== ED25519) throw new RangeError('not an Ed25519 verifier key');
  const key = verifierKey(match[1] ?? '', typed.subarray(1));
  if (key.id !== match[2]) throw new RangeError('the id of the verifier key does not fit its name and key');
  return key;
}

/** `text` ends in a newline and has no other control character. @throws RangeError otherwise. */
export function signNote(text: string, signer: NoteSigner): string {
  if (!isNoteText(text)) throw new RangeError('a note is text of whole lines without control characters');
  const signature = Buffer.concat([
    Buffer.from(signer.key.id, 'hex'),
    signer.sign(Buffer.from(text)),
  ]).toString('base64');
  return `${text}\n\u2014 ${signer.key.name} ${signature}\n`;
}

/** The text of a note that this key signed, or why it is not one. Lines of unknown keys are passed over. */
export function openNote(note: string, key: VerifierKey): OpenedNote {
  if (Buffer.byteLength(note) > NOTE_OCTETS) return { problem: 'the note is too long' };
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) return { problem: 'not a signed note: a blank line is missing' };
  const text = note.slice(0, end + 1);
  if (!isNoteText(text)) return { problem: 'not a signed note: its text has control characters' };
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > NOTE_SIGNATURES) return { problem: 'the note has too many signatures' };
  let signed = false;
  for (const line of lines) {
    const match = /^\u2014 (\S+) ([A-Za-z0-9+/]+=*)$/u.exec(line);
    const octets = base64(match?.[2] ?? '');
    if (!match || !octets || octets.byteLength < 5) return { problem: 'a signature line is malformed' };
    if (match[1] !== key.name || octets.toString('hex', 0, 4) !== key.id) continue;
    const signature = octets.subarray(4);
    if (
      signature.byteLength !== SIGNATURE_OCTETS ||
      !verify(null, Buffer.from(text), key.publicKey, signature)
    )
      return { problem: 'the signature does not verify' };
    signed = true;
  }
  return signed ? { text } : { problem: `not signed by ${key.name}+${key.id}` };
}

function isNoteText(text: string): boolean {
  return text.endsWith('\n') && !/(?!\n)[\p{Cc}\p{Cs}]/u.test(text);
}

/** Standard base64 in its one canonical form, or null: a changed bit anywhere must show. */
function base64(text: string): Buffer | null {
  const octets = Buffer.from(text, 'base64');
  return text !== '' && octets.toString('base64') === text ? octets : null;
}
