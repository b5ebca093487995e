/** The digest is over a fixed form, whichever way it is put together. */

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DigestField, digestOf } from '../../src/core/fingerprint.ts';

/** The form as its comment gives it, field by field. */
function byTheBook(domain: string, fields: readonly DigestField[]): string {
  const parts = [`holdpoint:${domain}:v1`, ...fields].map((field) => {
    if (field === null) return Buffer.from([0]);
    const octets = typeof field === 'string' ? Buffer.from(field, 'utf8') : Buffer.from(field);
    const head = Buffer.alloc(9);
    head.writeUInt8(1, 0);
    head.writeBigUInt64BE(BigInt(octets.length), 1);
    return Buffer.concat([head, octets]);
  });
  return createHash('sha256').update(Buffer.concat(parts)).digest('hex');
}

describe('the digest', () => {
  it('is the same for any fields', () => {
    const field = fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array(), fc.constant(null));
    fc.assert(
      fc.property(fc.string(), fc.array(field), (domain, fields) => {
        expect(digestOf(domain, fields)).toBe(byTheBook(domain, fields));
      }),
    );
  });

  it('is the same around the size up to which it is put together at once', () => {
    for (let length = 32_700; length < 32_780; length += 1) {
      const fields = [Buffer.alloc(length, 7), null, ''];
      expect(digestOf('d', fields)).toBe(byTheBook('d', fields));
    }
    for (let length = 10_880; length < 10_940; length += 1) {
      const fields = ['€'.repeat(length), null, 'x'];
      expect(digestOf('d', fields)).toBe(byTheBook('d', fields));
    }
    expect(digestOf('d', ['x'.repeat(1_000_000)])).toBe(byTheBook('d', ['x'.repeat(1_000_000)]));
  });

  it('does not carry over from the one before', () => {
    digestOf('d', ['something long before it']);
    expect(digestOf('d', ['x'])).toBe(byTheBook('d', ['x']));
  });
});
