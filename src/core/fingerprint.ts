/**
 * Owns the exact digest that an approval covers: domain-separated, length-prefixed SHA-256 over the very
 * octets that will be forwarded and what gives them their meaning. Must never normalise what it is given.
 */

import { createHash } from 'node:crypto';

/** A field of a digest. `null` and the empty string differ. */
export type DigestField = string | Uint8Array | null;

/**
 * Hex SHA-256 over `domain` and `fields`. Each field goes in as a tag, its length in 8 octets and its octets,
 * so that no two lists of fields give the same input.
 */
export function digestOf(domain: string, fields: readonly DigestField[]): string {
  const hash = createHash('sha256');
  feed(hash, `holdpoint:${domain}:v1`);
  for (const field of fields) feed(hash, field);
  return hash.digest('hex');
}

function feed(hash: ReturnType<typeof createHash>, field: DigestField): void {
  if (field === null) {
    hash.update(NULL_TAG);
    return;
  }
  const octets = typeof field === 'string' ? Buffer.from(field, 'utf8') : field;
  const head = Buffer.allocUnsafe(9);
  head[0] = 1;
  head.writeBigUInt64BE(BigInt(octets.byteLength), 1);
  hash.update(head);
  hash.update(octets);
}

const NULL_TAG = Buffer.from([0]);

/** What an approval covers (`exact`) and what groups alike requests (`shape`; never an approval key). */
export interface Fingerprint {
  readonly exact: string;
  readonly shape: string;
}
