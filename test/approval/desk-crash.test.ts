/** kill -9 of a real process that holds requests: nothing is released by it, and each ticket says why. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import {
  deskOn,
  held,
  holdRequest,
  manualClock,
  memoryEvidence,
  says,
  scratchDirectory,
} from './desk-fixture.ts';

it('releases nothing after kill -9, and says why', async () => {
  const directory = scratchDirectory();
  const script = fileURLToPath(new URL('./desk-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('the child ended by itself'))),
  ]);
  child.kill('SIGKILL');
  await once(child, 'close');

  const store = await openSqliteStore(join(directory, 'holdpoint.db'));
  const evidence = memoryEvidence();
  const desk = deskOn({ store, clock: manualClock(), evidence });
  await desk.recover();
  const { tickets } = await desk.list({});
  expect(tickets.map(({ display, state, closedReason }) => [display.text, state, closedReason])).toEqual([
    ['approved and parked', 'approved', 'approved by alice@example.com'],
    ['approved', 'stale', 'Holdpoint restarted before the approved request was released'],
    ['parked', 'pending', null],
    ['waiting', 'withdrawn', 'Holdpoint restarted while the client was waiting'],
  ]);
  expect(evidence.records.map(({ draft }) => `${draft.type} ${draft.detail.state}`)).toEqual([
    'hold_closed withdrawn',
    'hold_closed stale',
  ]);

  const parked = tickets[2]?.id ?? '';
  const retry = await held(desk, holdRequest('parked'));
  expect(retry.ticket.id).toBe(parked);
  expect(await retry.release()).toBe(false);
  await says(desk, parked, 'alice', 'approve');
  expect(await retry.release()).toBe(true);

  await desk.close();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});
