/** Run as a process of its own by desk-crash.test.ts: holds four requests, says so, and waits to be killed. */

import { join } from 'node:path';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { deskOn, held, holdRequest, manualClock, memoryEvidence, says } from './desk-fixture.ts';

const store = await openSqliteStore(join(process.argv[2] ?? '', 'holdpoint.db'));
const desk = deskOn({ store, clock: manualClock(), evidence: memoryEvidence() });
await desk.recover();

await held(desk, holdRequest('waiting'));
await (await held(desk, holdRequest('parked'))).park();
await says(desk, (await held(desk, holdRequest('approved'))).ticket.id, 'alice', 'approve');
const both = await held(desk, holdRequest('approved and parked'));
await both.park();
await says(desk, both.ticket.id, 'alice', 'approve');

process.stdout.write('held\n');
setInterval(() => undefined, 60_000);
