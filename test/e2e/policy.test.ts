/** Other policies than the built-in one: as an archive, as a directory, in shadow mode, and one that breaks. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readBundleFiles } from '../../src/policy/bundle-files.ts';
import { type Running, startHoldpoint } from '../support/running.ts';
import { ask } from './http-agent.ts';
import { KNOWN, type Origin, startOrigin } from './origin.ts';
import { type AuditRecord, recorded, recordsOf } from './records.ts';
import { ticketsIn } from './tickets.ts';

/** Allows reads, denies the rest, and breaks at some paths. */
const ARCHIVE = fileURLToPath(new URL('./fixtures/by-path.tar.gz', import.meta.url));

let origin: Origin;
let folder: string;

beforeAll(async () => {
  origin = await startOrigin();
  folder = await mkdtemp(join(tmpdir(), 'holdpoint-policy-'));
});

beforeEach(() => {
  origin.requests.length = 0;
});

afterAll(async () => {
  await origin.stop();
  await rm(folder, { recursive: true, force: true });
});

function start(policy: object): Promise<Running> {
  const http = { upstream: { resolve: origin.resolve } };
  return startHoldpoint({ config: { embedded_postgres: undefined, http, policy }, data: KNOWN });
}

const lastDecision = (running: Running): AuditRecord | undefined =>
  recordsOf(running)
    .filter(({ type }) => type === 'decision')
    .at(-1);

describe('a policy of one’s own', () => {
  let running: Running;

  beforeAll(async () => {
    running = await start({ bundle: ARCHIVE, data: undefined });
  });

  afterAll(() => running.stop());

  const get = (url: string) => ask(running.proxyUrl, { url });

  it('is in force instead of the built-in one', async () => {
    expect((await get('/v1/x')).status).toBe(200);
    const denied = await ask(running.proxyUrl, { method: 'POST', url: '/v1/x', body: '{}' });
    expect(denied).toMatchObject({
      status: 403,
      json: {
        code: 'policy_denied',
        detail: 'only reads are allowed here',
        rules: [{ id: 'test.path' }],
        decision: lastDecision(running)?.id,
      },
    });
    expect(origin.requests).toHaveLength(1);
    const loaded = await recorded(running, ({ type }) => type === 'policy_loaded');
    expect(lastDecision(running)?.policy?.revision).toBe((loaded.detail as { revision: string }).revision);
  });

  it.each([
    ['traps', '/v1/trap', 503, 'policy_trap'],
    ['does not come to an end', '/v1/loop', 503, 'policy_timeout'],
    ['says nothing', '/v1/nothing', 403, 'policy_undefined'],
  ])('that %s refuses with its code, and judges the next request', async (_, path, status, code) => {
    // What else is under way is not lost with it.
    const [broken, beside] = await Promise.all([get(path), get('/v1/beside')]);
    expect(broken).toMatchObject({ status, json: { code } });
    expect(beside.status).toBe(200);
    expect((await get('/v1/next')).status).toBe(200);
    expect(origin.requests.map(({ target }) => target).sort()).toEqual(['/v1/beside', '/v1/next']);
    const record = await recorded(running, ({ action }) => JSON.stringify(action).includes(path));
    expect(record).toMatchObject({ type: 'decision', policy: { effect: 'deny' }, detail: { failure: code } });
  });
});

it('takes a policy from a directory', async () => {
  const bundle = join(folder, 'bundle');
  for (const [path, content] of await readBundleFiles(ARCHIVE)) {
    await mkdir(dirname(join(bundle, path)), { recursive: true });
    await writeFile(join(bundle, path), content);
  }
  const running = await start({ bundle, data: undefined });
  try {
    expect((await ask(running.proxyUrl, { url: '/v1/x' })).status).toBe(200);
    const denied = await ask(running.proxyUrl, { method: 'POST', url: '/v1/x', body: '{}' });
    expect(denied).toMatchObject({ status: 403, json: { detail: 'only reads are allowed here' } });
  } finally {
    await running.stop();
  }
});

it('in shadow mode decides and records, and keeps nobody from anything', async () => {
  const running = await start({ mode: 'shadow' });
  try {
    expect((await ask(running.proxyUrl, { method: 'DELETE', url: '/v1/would-be-held' })).status).toBe(200);
    expect(lastDecision(running)).toMatchObject({
      policy: { effect: 'hold' },
      detail: { mode: 'shadow' },
      ticket: null,
    });
    expect(await ticketsIn(running, 'pending')).toEqual([]);
    expect(origin.requests).toHaveLength(1);
    await recorded(running, ({ type, id }) => type === 'outcome' && id === lastDecision(running)?.id);
  } finally {
    await running.stop();
  }
});
