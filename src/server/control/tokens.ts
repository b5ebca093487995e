/**
 * Owns the files that bearer tokens live in: read, or made with mode 0600 where there is none. Only hashes leave here.
 * Must never write over a file, nor log a token.
 */

import { createHash } from 'node:crypto';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';

/** `approvals.tokens` of the configuration, with absolute paths. */
export type TokenEntry =
  | { readonly person: string; readonly sha256: string }
  | { readonly person: string; readonly file: string };

export interface LoadedToken {
  readonly person: string;
  /** Hex. */
  readonly sha256: string;
}

/** So many random octets. */
export type Random = (octets: number) => Uint8Array;

/** @throws Fault when a file can neither be read nor made, or holds what is no token. */
export async function loadTokens(
  entries: readonly TokenEntry[],
  { random }: { readonly random: Random },
): Promise<LoadedToken[]> {
  const loaded: LoadedToken[] = [];
  for (const entry of entries) {
    const sha256 = 'sha256' in entry ? entry.sha256.toLowerCase() : await hashOfFile(entry.file, random);
    loaded.push({ person: entry.person, sha256 });
  }
  return loaded;
}

export function operatorTokenFile(stateDir: string): string {
  return join(stateDir, 'operator.token');
}

/** The operator token of this state directory, made at the first start. Resolves to its SHA-256 in hex. */
export async function loadOperatorToken(
  stateDir: string,
  { random }: { readonly random: Random },
): Promise<string> {
  return hashOfFile(operatorTokenFile(stateDir), random);
}

async function hashOfFile(file: string, random: Random): Promise<string> {
  try {
    await create(file, `hp_${Buffer.from(random(32)).toString('base64url')}\n`);
    if (((await stat(file)).mode & 0o077) !== 0)
      throw new Fault('internal', `${file}: others can read this token: chmod 0600 it, and make a new one`);
    const token = (await readFile(file, 'utf8')).trim();
    if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(token) || token.length < LIMITS.tokenLength)
      throw new Fault(
        'internal',
        `${file}: expected one bearer token of ${LIMITS.tokenLength} characters or more`,
      );
    return createHash('sha256').update(token, 'utf8').digest('hex');
  } catch (error) {
    if (error instanceof Fault) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Fault('internal', `${file}: the token can neither be read nor made (${code})`, {
      cause: error,
    });
  }
}

/** Only where there is none: `wx` never follows or replaces what somebody put there. */
async function create(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return null;
    throw error;
  });
  if (handle === null) return;
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
