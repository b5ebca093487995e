/**
 * Owns the local certificate authority: its key in the state directory (0600), and TLS contexts for intercepted
 * hosts, minted on demand and kept within a bound. Must never let the key out, nor mint for what was not asked.
 */

import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { Fault } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Clock } from '../../core/ports.ts';
import { createRecent } from '../../core/recent.ts';
import type { Host } from '../../protocol/http/host.ts';
import { issueAuthority, issueLeaf, LEAF_LIFETIME } from './certificate.ts';

export interface CertificateAuthority {
  /** The authority's certificate, PEM: what clients have to trust. */
  readonly certificate: string;
  /** A TLS context whose certificate is for `host`, new or kept. */
  contextFor(host: Host): SecureContext;
}

const KEY_FILE = 'ca-key.pem';
const CERTIFICATE_FILE = 'ca.pem';

/**
 * Loads the authority of a state directory, creating it where there is none.
 * @throws Fault `internal` when the key is readable by others, or does not belong to the certificate.
 */
export async function createCertificateAuthority(options: {
  stateDir: string;
  clock: Pick<Clock, 'now'>;
}): Promise<CertificateAuthority> {
  const { stateDir, clock } = options;
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const key = await loadKey(join(stateDir, KEY_FILE));
  const certificate = await loadCertificate(join(stateDir, CERTIFICATE_FILE), key, clock.now());
  const commonName = commonNameOf(certificate);

  // One key for all leaves: what a client pins is never ours to give. Tickets must resume across contexts.
  const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const leafPem = leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const ticketKeys = randomBytes(48);
  const contexts = createRecent<{ context: SecureContext; until: number }>(LIMITS.tlsContexts);

  return {
    certificate,
    contextFor(host) {
      const now = clock.now();
      const known = contexts.get(host.name);
      const entry =
        known && known.until > now
          ? known
          : {
              context: createSecureContext({
                key: leafPem,
                cert: issueLeaf({ key, commonName }, leaf.publicKey, host, now) + certificate,
                minVersion: 'TLSv1.2',
                ticketKeys,
              }),
              until: now + LEAF_LIFETIME / 2,
            };
      if (entry !== known) contexts.set(host.name, entry);
      return entry.context;
    },
  };
}

async function loadKey(path: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  try {
    await writeFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { flag: 'wx', mode: 0o600 });
    return privateKey;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0) {
    throw new Fault(
      'internal',
      `${path} can be read by others: set its mode to 0600, or remove it to start anew`,
    );
  }
  return createPrivateKey(await readFile(path));
}

async function loadCertificate(path: string, key: KeyObject, now: number): Promise<string> {
  const name = `Holdpoint local authority ${randomBytes(4).toString('hex')}`;
  try {
    const pem = issueAuthority(key, name, now);
    await writeFile(path, pem, { flag: 'wx', mode: 0o644 });
    return pem;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const pem = await readFile(path, 'utf8');
  if (!new X509Certificate(pem).checkPrivateKey(key)) {
    throw new Fault(
      'internal',
      `${path} does not belong to ${KEY_FILE} beside it: remove both to start anew`,
    );
  }
  return pem;
}

function commonNameOf(pem: string): string {
  return /^CN=(.*)$/m.exec(new X509Certificate(pem).subject)?.[1] ?? '';
}
