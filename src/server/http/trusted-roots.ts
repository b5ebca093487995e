/**
 * Owns the roots that upstream certificates are checked against: Node's own, NODE_EXTRA_CA_CERTS, and those of
 * `upstream.ca`. Additive always: a replaced store breaks every other destination. Must never skip a check.
 */

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/**
 * @param extra PEM texts, each of one or more certificates.
 * @throws Error when one holds no certificate, or one that cannot be read.
 */
export function createTrustedRoots(extra: readonly string[]): SecureContext {
  const added = extra.flatMap(certificatesOf);
  const fromEnvironment = process.env.NODE_EXTRA_CA_CERTS;
  if (fromEnvironment) added.push(readFileSync(fromEnvironment, 'utf8'));
  return createSecureContext({ ca: [...rootCertificates, ...added], minVersion: 'TLSv1.2' });
}

/** The certificates in a PEM text. @throws Error when there is none, or one that cannot be read. */
export function certificatesOf(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g);
  if (!blocks) throw new Error('there is no PEM certificate in it');
  for (const block of blocks) new X509Certificate(block);
  return blocks;
}
