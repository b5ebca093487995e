import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type SecureContext, TLSSocket } from 'node:tls';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registerCa } from '../../../src/cli/ca.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { parseHost } from '../../../src/protocol/http/host.ts';
import { createCertificateAuthority } from '../../../src/server/http/certificate-authority.ts';
import { createTrustedRoots } from '../../../src/server/http/trusted-roots.ts';

const DAY = 86_400_000;
const at = (now: number) => ({ now: () => now });
const host = (text: string) => {
  const parsed = parseHost(text);
  if (!parsed) throw new Error(text);
  return parsed;
};

describe('the certificate authority', () => {
  let stateDir: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'holdpoint-ca-'));
  });
  afterEach(() => rm(stateDir, { recursive: true }));
  const create = (now = Date.now()) => createCertificateAuthority({ stateDir, clock: at(now) });

  it('keeps its key to itself, and stays the same from one start to the next', async () => {
    const first = await create();
    expect((await stat(join(stateDir, 'ca-key.pem'))).mode & 0o777).toBe(0o600);
    expect((await create()).certificate).toBe(first.certificate);
    const certificate = new X509Certificate(first.certificate);
    expect(certificate.ca).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.keyUsage).toBeUndefined();
  });

  it('refuses a key that others can read', async () => {
    await create();
    await chmod(join(stateDir, 'ca-key.pem'), 0o640);
    await expect(create()).rejects.toThrow(/can be read by others/);
  });

  it('refuses a certificate of another key', async () => {
    const { certificate } = await create();
    await rm(join(stateDir, 'ca-key.pem'));
    await expect(create()).rejects.toThrow(/does not belong/);
    expect(await readFile(join(stateDir, 'ca.pem'), 'utf8')).toBe(certificate);
  });

  it('makes a new certificate for its key where that was lost', async () => {
    await create();
    await rm(join(stateDir, 'ca.pem'));
    const { certificate } = await create();
    expect(certificate).toContain('BEGIN CERTIFICATE');
  });

  it.each(['a.example.test', '192.0.2.1', '[2001:db8::1]', `${'x'.repeat(60)}.${'y'.repeat(60)}.test`])(
    'mints a leaf for %s that a client accepts for that host only',
    async (name) => {
      const authority = await create();
      const context = authority.contextFor(host(name));
      const certificate = await leafOf(context, authority.certificate, host(name).address ? '' : name);
      const bare = name.replace(/[[\]]/g, '');
      expect(host(name).address ? certificate.checkIP(bare) : certificate.checkHost(bare)).toBe(bare);
      expect(certificate.checkHost('other.test')).toBeUndefined();
      expect(certificate.ca).toBe(false);
      expect(certificate.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
    },
  );

  it('keeps a context, renews it in time, and forgets the least recently used past its bound', async () => {
    let now = Date.now();
    const authority = await createCertificateAuthority({ stateDir, clock: { now: () => now } });
    const first = authority.contextFor(host('a.test'));
    now += 14 * DAY;
    expect(authority.contextFor(host('a.test'))).toBe(first);
    now += 2 * DAY;
    const renewed = authority.contextFor(host('a.test'));
    expect(renewed).not.toBe(first);
    const second = authority.contextFor(host('b.test'));
    for (let index = 0; index < LIMITS.tlsContexts - 2; index += 1)
      authority.contextFor(host(`h${index}.test`));
    expect(authority.contextFor(host('a.test'))).toBe(renewed);
    authority.contextFor(host('one-more.test'));
    expect(authority.contextFor(host('a.test'))).toBe(renewed);
    expect(authority.contextFor(host('b.test'))).not.toBe(second);
  });

  it('is printed by `holdpoint ca print`, without its key', async () => {
    let printed = '';
    const program = new Command().exitOverride();
    registerCa(program, {
      stateDirOf: async (path) => (path === 'some.yaml' ? stateDir : 'nowhere'),
      now: Date.now,
      write: (text) => {
        printed += text;
      },
    });
    await program.parseAsync(['node', 'holdpoint', 'ca', 'print', '--config', 'some.yaml']);
    expect(printed).toBe((await create()).certificate);
    expect(printed).not.toContain('PRIVATE');
  });
});

describe('trusted roots', () => {
  it('refuses what is no certificate', async () => {
    expect(() => createTrustedRoots(['nothing'])).toThrow(/no PEM certificate/);
    expect(() =>
      createTrustedRoots(['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----']),
    ).toThrow();
    expect(() => createTrustedRoots([])).not.toThrow();
  });
});

/** The certificate that a client is shown, once it has accepted the chain. */
async function leafOf(context: SecureContext, ca: string, servername: string): Promise<X509Certificate> {
  const server = createServer((socket) =>
    new TLSSocket(socket, { isServer: true, secureContext: context }).on('error', () => {}),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const client = connect(
      { port, host: '127.0.0.1', ca, servername, checkServerIdentity: () => undefined },
      () => {
        const { raw } = client.getPeerCertificate();
        client.destroy();
        server.close();
        resolve(new X509Certificate(raw));
      },
    );
    client.once('error', reject);
  });
}
