/** A disk that takes no more: without evidence nothing passes, everybody is told, and it recovers with what it has. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Running, startHoldpoint } from '../support/running.ts';
import { type Answered, ask } from './http-agent.ts';
import { KNOWN, type Origin, startOrigin } from './origin.ts';
import { recordsOf, verify } from './records.ts';
import { ticketsIn } from './tickets.ts';

/** No file grows past 256 KiB, in units of 512 octets: what a full disk does to the log, without the disk. */
const SMALL_FILES = ['sh', '-c', 'ulimit -f 512; exec "$0" "$@"'];

let origin: Origin;
let running: Running;

beforeAll(async () => {
  origin = await startOrigin();
  running = await startHoldpoint({
    under: SMALL_FILES,
    config: {
      embedded_postgres: undefined,
      http: { upstream: { resolve: origin.resolve } },
      audit: { capture: 'full' },
    },
    data: KNOWN,
  });
});

afterAll(async () => {
  await running.stop();
  await origin.stop();
});

const ready = async () => (await fetch(`${running.controlUrl}/readyz`)).status;

it('refuses what it could not put on record, and forwards nothing more', async () => {
  const large = `/v1/status?${'x'.repeat(8_000)}`;
  let refused: Answered | null = null;
  let passed = 0;
  for (let count = 0; count < 200 && refused === null; count += 1) {
    const answer = await ask(running.proxyUrl, { url: large });
    if (answer.status === 200) passed += 1;
    else refused = answer;
  }
  expect(passed).toBeGreaterThan(3);
  expect(refused).toMatchObject({ status: 503, json: { code: 'evidence_unavailable' } });
  expect(origin.requests).toHaveLength(passed);
  expect(recordsOf(running).filter(({ type }) => type === 'decision').length).toBeGreaterThanOrEqual(passed);
  expect(await ready()).toBe(503);

  // Not even what would fit: what is missing before it, nobody could make good.
  expect(await ask(running.proxyUrl, { url: '/s' })).toMatchObject({ status: 503 });
  expect(await ask(running.proxyUrl, { method: 'DELETE', url: '/v1/1' })).toMatchObject({
    status: 503,
    json: { code: 'evidence_unavailable' },
  });
  expect(await ticketsIn(running, 'pending')).toEqual([]);
  expect(origin.requests).toHaveLength(passed);
  expect(running.output()).toContain('the audit log cannot be written');
});

it('says that it did not end well, and goes on where the log ends once there is room', async () => {
  expect(await running.terminate()).toBe(3);
  await running.startAgain();
  expect(await ready()).toBe(200);
  expect((await ask(running.proxyUrl, { url: '/v1/status' })).status).toBe(200);
  expect(recordsOf(running).some(({ type }) => type === 'gap')).toBe(true);
  expect(await running.terminate()).toBe(0);
  const verified = await verify(running, '--require-complete');
  expect(verified.code, verified.stdout).toBe(0);
});
