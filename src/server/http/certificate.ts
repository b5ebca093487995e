/**
 * Owns the two kinds of X.509 certificate that Holdpoint issues: its own authority's, and leaves under it
 * (RFC 5280; ECDSA P-256 with SHA-256). Must never know where keys are kept.
 */

import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import type { Host } from '../../protocol/http/host.ts';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

const DAY = 86_400_000;
/** Under the 825 and 398 days that platforms accept; renewed long before. */
export const LEAF_LIFETIME = 30 * DAY;
const AUTHORITY_LIFETIME = 3_650 * DAY;
/** Clocks of agents may run behind. */
const BACKDATE = DAY;

const ECDSA_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));

/** Self-signed, PEM. @param now Epoch milliseconds. */
export function issueAuthority(key: KeyObject, commonName: string, now: number): string {
  const subject = distinguishedName(commonName);
  return certificate({
    subject,
    issuer: subject,
    subjectKey: createPublicKey(key),
    issuerKey: key,
    notBefore: now - BACKDATE,
    notAfter: now + AUTHORITY_LIFETIME,
    extensions: [
      // pathLenConstraint 0: it signs leaves and nothing else.
      extension('2.5.29.19', true, sequence(boolean(true), integer(Buffer.from([0])))),
      extension('2.5.29.15', true, bitString(Buffer.from([0x06]), 1)), // keyCertSign, cRLSign
      extension('2.5.29.14', false, octetString(keyIdentifier(createPublicKey(key)))),
    ],
  });
}

/** A server certificate for one host, PEM. @param leafKey Public. @param now Epoch milliseconds. */
export function issueLeaf(
  issuer: { readonly key: KeyObject; readonly commonName: string },
  leafKey: KeyObject,
  host: Host,
  now: number,
): string {
  return certificate({
    // The name is in subjectAltName alone (RFC 9525); a common name is bounded to 64 characters.
    subject: distinguishedName(host.name.slice(0, 64)),
    issuer: distinguishedName(issuer.commonName),
    subjectKey: leafKey,
    issuerKey: issuer.key,
    notBefore: now - BACKDATE,
    notAfter: now + LEAF_LIFETIME,
    extensions: [
      extension('2.5.29.19', true, sequence()),
      extension('2.5.29.15', true, bitString(Buffer.from([0x80]), 7)), // digitalSignature
      extension('2.5.29.37', false, sequence(objectIdentifier('1.3.6.1.5.5.7.3.1'))), // serverAuth
      extension('2.5.29.17', false, sequence(alternativeName(host))),
      extension('2.5.29.14', false, octetString(keyIdentifier(leafKey))),
      extension('2.5.29.35', false, sequence(implicit(0, keyIdentifier(createPublicKey(issuer.key))))),
    ],
  });
}

interface Fields {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly subjectKey: KeyObject;
  readonly issuerKey: KeyObject;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: readonly Buffer[];
}

function certificate(fields: Fields): string {
  const serial = randomBytes(16);
  // RFC 5280 section 4.1.2.2: positive, and not zero.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))), // v3
    integer(serial),
    ECDSA_SHA256,
    fields.issuer,
    sequence(time(new Date(fields.notBefore)), time(new Date(fields.notAfter))),
    fields.subject,
    fields.subjectKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...fields.extensions)),
  );
  const der = sequence(body, ECDSA_SHA256, bitString(sign('sha256', body, fields.issuerKey)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

const distinguishedName = (commonName: string): Buffer =>
  sequence(
    set(sequence(objectIdentifier('2.5.4.10'), utf8String('Holdpoint'))),
    set(sequence(objectIdentifier('2.5.4.3'), utf8String(commonName))),
  );

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(value));

function alternativeName(host: Host): Buffer {
  if (host.address) return implicit(7, Buffer.from(ipaddr.parse(host.address.text).toByteArray()));
  return implicit(2, Buffer.from(host.name, 'latin1'));
}

/** RFC 5280 section 4.2.1.2, method 1: SHA-1 over the key's bit string. A name, not a protection. */
function keyIdentifier(key: KeyObject): Buffer {
  const point = key.export({ type: 'spki', format: 'der' }).subarray(-65);
  return createHash('sha1').update(point).digest();
}
