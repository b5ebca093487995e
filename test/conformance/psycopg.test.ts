/** psycopg through Holdpoint: pipelines, binary, COPY, server-side cursors, cancel, as straight at the server. */

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onPath } from '../support/on-path.ts';
import { run } from '../support/run.ts';
import { type Running, startHoldpoint } from '../support/running.ts';

const PACKAGE = 'psycopg[binary]==3.3.9';
const CLIENT = fileURLToPath(new URL('psycopg_client.py', import.meta.url));
/** Kept between runs, and by CI between builds if it likes. */
const VENV = fileURLToPath(new URL('../../.cache/psycopg-3.3.9', import.meta.url));
const python = join(VENV, 'bin', 'python');

async function installed(): Promise<boolean> {
  if (existsSync(join(VENV, 'ready'))) return true;
  if (!onPath('python3')) return false;
  const steps = [
    ['python3', '-m', 'venv', VENV],
    [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', PACKAGE],
    ['touch', join(VENV, 'ready')],
  ];
  for (const [program = '', ...args] of steps) {
    const done = await run(program, args);
    if (done.code === 0) continue;
    await rm(VENV, { recursive: true, force: true });
    if (process.env.HOLDPOINT_REQUIRE_CLIENTS)
      throw new Error(`${PACKAGE} cannot be installed:\n${done.stderr}`);
    return false;
  }
  return true;
}

describe.runIf(await installed())('psycopg', () => {
  let holdpoint: Running;
  beforeAll(async () => {
    holdpoint = await startHoldpoint({ config: { policy: { mode: 'shadow' } } });
  });
  afterAll(() => holdpoint?.stop());

  async function seen(url: string): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await run(python, [CLIENT, url]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    return JSON.parse(stdout);
  }

  it('sees the same', async () => {
    const direct = await seen(holdpoint.directUrl);
    expect(direct['COPY both ways']).toBeGreaterThan(20_000);
    expect(direct.cancelled).toEqual(expect.arrayContaining(['57014']));
    expect(await seen(holdpoint.agentUrl)).toEqual(direct);
  });
});
