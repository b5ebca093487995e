/**
 * What it reads and what it keeps: references in the configuration, the modes of its files, its authority as curl
 * trusts it, and a large body that waits for a person.
 */

import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HTTPS_API_HOST, startHttpsApi } from '../stand-ins/https-api/server.ts';
import { createAuthority } from '../support/authority.ts';
import { decideTicket, showTicket } from '../support/control-api.ts';
import { eventually } from '../support/eventually.ts';
import { holdpoint } from '../support/holdpoint-cli.ts';
import type { HttpsServer } from '../support/https-server.ts';
import { onPath } from '../support/on-path.ts';
import { run } from '../support/run.ts';
import { type Running, startHoldpoint } from '../support/running.ts';
import { ask } from './http-agent.ts';
import { HOST, type Origin, startOrigin } from './origin.ts';
import { recorded } from './records.ts';
import { onlyPending, ticketsIn } from './tickets.ts';

const MIB = 1024 * 1024;

let scratch: string;
let origin: Origin;
let api: HttpsServer;
let running: Running;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'holdpoint-state-'));
  const authority = createAuthority();
  await writeFile(join(scratch, 'upstream.pem'), authority.cert);
  await writeFile(join(scratch, 'purpose.txt'), 'from a file\n');
  origin = await startOrigin();
  api = await startHttpsApi(authority);
  const started = await startHoldpoint({
    env: { TESTED_ENVIRONMENT: 'from the environment' },
    config: {
      embedded_postgres: undefined,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the configuration's own form of a reference
      agent: { environment: '${TESTED_ENVIRONMENT}', purpose: `file:${scratch}/purpose.txt` },
      http: {
        upstream: {
          ca: [join(scratch, 'upstream.pem')],
          resolve: { ...origin.resolve, [`${HTTPS_API_HOST}:443`]: `127.0.0.1:${api.port}` },
        },
      },
      approvals: { tokens: [{ person: 'robin@example.com', file: './state/made.token' }] },
    },
    data: { hosts: { known: [HOST, HTTPS_API_HOST] } },
  });
  const token = (await readFile(join(started.stateDir, 'made.token'), 'utf8')).trim();
  running = { ...started, reviewer: { ...started.reviewer, token } };
});

afterAll(async () => {
  await running.stop();
  await api.stop();
  await origin.stop();
  await rm(scratch, { recursive: true, force: true });
});

it('keeps everything in the state directory to itself', async () => {
  const call = ask(running.proxyUrl, { method: 'DELETE', url: '/v1/1' });
  const ticket = await onlyPending(running);
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  expect(await mode(running.stateDir)).toBe('700');
  const kept = await readdir(running.stateDir, { withFileTypes: true });
  const modes = await Promise.all(
    kept.map(async (entry) => [
      entry.name,
      await mode(join(running.stateDir, entry.name)),
      entry.isDirectory(),
    ]),
  );
  // The certificate and the verifier key are for everybody.
  for (const [name, its, isDirectory] of modes)
    if (name !== 'ca.pem' && name !== 'audit.pub')
      expect(its, String(name)).toBe(isDirectory ? '700' : '600');
  expect(kept.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'audit.jsonl',
      'audit.key',
      'ca-key.pem',
      'holdpoint.db',
      'made.token',
      'operator.token',
    ]),
  );
  const { body } = await showTicket(running, running.reviewer, ticket);
  expect(body.agent).toMatchObject({ environment: 'from the environment', purpose: 'from a file' });
  await decideTicket(running, running.reviewer, ticket, { decision: 'deny' });
  expect((await call).status).toBe(403);
});

it.runIf(onPath('curl'))(
  'prints the authority that curl needs to go through it, to whoever has the file',
  async () => {
    // Without the environment that the configuration refers to elsewhere.
    const printed = await holdpoint('ca', 'print', '--config', running.configFile);
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    const trusted = join(scratch, 'holdpoint-ca.pem');
    await writeFile(trusted, printed.stdout);
    const curl = (...args: string[]) =>
      run('curl', ['-sS', '--proxy', running.proxyUrl, `https://${HTTPS_API_HOST}/v1/status`, ...args]);
    expect(await curl('--cacert', trusted)).toMatchObject({ code: 0, stdout: '{"status":"ok"}' });
    // By another authority, or none, it is no server of that name.
    expect((await curl('--cacert', join(scratch, 'upstream.pem'))).code).toBe(60);
    expect(api.requests).toHaveLength(1);
  },
);

/** Files that the process has open and that have no name any more. */
function nameless(): { size: number; mode: number }[] {
  const descriptors = `/proc/${running.pid}/fd`;
  return readdirSync(descriptors).flatMap((descriptor) => {
    const path = join(descriptors, descriptor);
    try {
      const target = readlinkSync(path);
      if (!target.startsWith(running.stateDir) || !target.endsWith(' (deleted)')) return [];
      const { size, mode } = statSync(path);
      return [{ size, mode: mode & 0o777 }];
    } catch {
      return [];
    }
  });
}

describe('a body of 3 MiB that waits', () => {
  const body = randomBytes(3 * MIB);
  const send = () =>
    ask(running.proxyUrl, {
      method: 'POST',
      url: '/v1/upload',
      headers: { 'content-type': 'application/octet-stream' },
      body,
    });
  const digest = (octets: Buffer) => createHash('sha256').update(octets).digest('hex');

  it('goes on as it was approved, and leaves nothing behind', async () => {
    const call = send();
    const ticket = await onlyPending(running);
    // SQLite may have nameless files of its own; not of that size.
    const spooled = () => nameless().filter(({ size }) => size >= MIB);
    if (process.platform === 'linux') expect(spooled()).toEqual([{ size: 3 * MIB, mode: 0o600 }]);
    const named = (await readdir(running.stateDir, { recursive: true, withFileTypes: true })).filter(
      (entry) => entry.isFile(),
    );
    for (const { parentPath, name } of named)
      expect((await stat(join(parentPath, name))).size, name).toBeLessThan(MIB);
    const { body: shown } = await showTicket(running, running.reviewer, ticket);
    expect(JSON.stringify(shown.display)).toContain(digest(body));
    await decideTicket(running, running.reviewer, ticket, { decision: 'approve' });
    expect((await call).status).toBe(200);
    expect(origin.requests.map((request) => digest(request.body))).toEqual([digest(body)]);
    const outcome = await recorded(
      running,
      (record) => record.type === 'outcome' && record.ticket === ticket,
    );
    expect(outcome.detail).toMatchObject({ request_bytes: body.length });
    if (process.platform === 'linux') await eventually('the file to go', () => spooled().length === 0);
  });

  it('leaves nothing behind when it is denied either', async () => {
    const call = send();
    const ticket = await onlyPending(running);
    await decideTicket(running, running.reviewer, ticket, { decision: 'deny' });
    expect((await call).status).toBe(403);
    expect(origin.requests).toHaveLength(1);
    expect(await ticketsIn(running, 'pending')).toEqual([]);
    if (process.platform === 'linux')
      await eventually('the file to go', () => nameless().every(({ size }) => size < MIB));
  });
});
