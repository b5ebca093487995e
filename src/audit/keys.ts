/**
 * Owns the log's Ed25519 key: made once, kept readable by its owner only, and its verifier key beside it for
 * auditors. Must never let the private key out except as a signature.
 */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
} from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { Fault, messageOf } from '../core/errors.ts';
import type { LogFiles } from './layout.ts';
import {
  formatVerifierKey,
  type NoteSigner,
  parseVerifierKey,
  type VerifierKey,
  verifierKey,
} from './note.ts';

/** The signer of the log: its key read, or made where `fresh` says that there is no log yet. @throws Fault */
export function openSigner(files: LogFiles, options: { fresh: boolean; origin?: string }): NoteSigner {
  try {
    if (!existsSync(files.privateKey)) {
      if (!options.fresh)
        throw new Error(
          `${files.privateKey} is gone: restore it, or move the audit.* files aside to begin a new log`,
        );
      const made = generateKeyPairSync('ed25519').privateKey;
      createFile(files.privateKey, made.export({ type: 'pkcs8', format: 'pem' }).toString());
    }
    chmodSync(files.privateKey, 0o600);
    return signerOf(createPrivateKey(readFileSync(files.privateKey)), files, options.origin);
  } catch (error) {
    const why = messageOf(error);
    throw new Fault('evidence_unavailable', `the key of the audit log cannot be used: ${why}`, {
      cause: error,
    });
  }
}

function signerOf(privateKey: KeyObject, files: LogFiles, origin: string | undefined): NoteSigner {
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  if (jwk.crv !== 'Ed25519' || !jwk.x) throw new Error(`${files.privateKey} is not an Ed25519 key`);
  const octets = Buffer.from(jwk.x, 'base64url');
  const kept = existsSync(files.publicKey) ? readVerifierKey(files.publicKey) : null;
  // The origin names this one log: by default after its key, so that no two logs ever share it.
  const name = kept?.name ?? origin ?? `holdpoint/${hash('sha256', octets, 'hex').slice(0, 16)}`;
  const key = verifierKey(name, octets);
  if (kept && kept.id !== key.id)
    throw new Error(
      `${files.publicKey} is not the public half of ${files.privateKey}: restore the one that changed`,
    );
  if (!kept) createFile(files.publicKey, `${formatVerifierKey(key)}\n`);
  return { key, sign: (text) => sign(null, text, privateKey) };
}

/** @throws RangeError when the file does not hold a verifier key, and file system errors. */
export function readVerifierKey(path: string): VerifierKey {
  return parseVerifierKey(readFileSync(path, 'utf8'));
}

/** Whole or not at all: a crash must not leave half a key under its name. */
function createFile(path: string, text: string): void {
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
}
