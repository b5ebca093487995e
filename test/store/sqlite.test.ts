/** The ticket store on real files: what it keeps, what it refuses, and who may open it. */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import type { TicketStore } from '../../src/core/ports.ts';
import { type Ticket, type TicketState, TRANSITIONS } from '../../src/core/ticket.ts';
import { SCHEMA_VERSION } from '../../src/store/schema.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';

const require = createRequire(import.meta.url);
const STATES = Object.keys(TRANSITIONS) as TicketState[];

let directory: string;
let file: string;
let store: TicketStore;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-store-'));
  file = join(directory, 'state', 'holdpoint.db');
  store = await openSqliteStore(file);
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

function ticket(id: string, more: Partial<Ticket> = {}): Ticket {
  return {
    id,
    state: 'pending',
    parked: false,
    agent: {
      id: 'bot',
      owner: 'dana@example.com',
      environment: 'test',
      purpose: 'none',
      labels: { team: 'a' },
    },
    kind: 'postgres',
    fingerprint: { exact: 'e1', shape: 's1' },
    display: { title: 'SELECT', text: 'SELECT 1', fields: [{ name: 'database', value: 'app' }] },
    rules: [{ id: 'r', reason: 'because', severity: 'high', controls: ['CC6.1'] }],
    requirements: [{ groups: ['approvers'], quorum: 1 }],
    message: 'wait',
    revision: 'rev',
    openedAt: 1,
    expiresAt: 2,
    closedAt: null,
    closedReason: null,
    answers: [],
    ...more,
  };
}

const answer = { person: 'alice@example.com', decision: 'approve', reason: 'ok', via: 'api', at: 5 } as const;

describe('what it keeps', () => {
  it('gives a ticket back as it was, whatever text is in it', async () => {
    const odd = 'NUL \u0000 lone \ud800 emoji 😀 quote \' " \\ line\n';
    const whole = ticket('HP-1', {
      display: { title: odd, text: odd, fields: [{ name: odd, value: odd }] },
      agent: { id: odd, owner: odd, environment: odd, purpose: odd, labels: { [odd]: odd } },
    });
    await store.insert(whole);
    expect(await store.get('HP-1')).toEqual(whole);
    expect(await store.countPending(odd)).toBe(1);
    expect(await store.countPending('NUL ')).toBe(0);
    await store.move('HP-1', {
      from: 'pending',
      to: 'denied',
      at: 7,
      reason: odd,
      answer: { ...answer, reason: odd },
    });
    expect(await store.get('HP-1')).toEqual({
      ...whole,
      state: 'denied',
      closedAt: 7,
      closedReason: odd,
      answers: [{ ...answer, reason: odd }],
    });
    expect(await store.get('HP-2')).toBeNull();
  });

  it('keeps it across close and open', async () => {
    await store.insert(ticket('HP-1'));
    await store.park('HP-1');
    await store.remember('HP-1', 'slack', { ts: '1.5' });
    await store.close();
    store = await openSqliteStore(file);
    expect(await store.get('HP-1')).toEqual(ticket('HP-1', { parked: true }));
    expect(await store.recall('HP-1', 'slack')).toEqual({ ts: '1.5' });
  });

  it('finds what is open, by agent and digest', async () => {
    await store.insert(ticket('HP-1'));
    await store.insert(ticket('HP-2', { fingerprint: { exact: 'e2', shape: 's1' } }));
    await store.insert(ticket('HP-3'));
    await store.move('HP-3', { from: 'pending', to: 'approved', at: 3, reason: 'yes' });
    await store.insert(ticket('HP-4'));
    await store.move('HP-4', { from: 'pending', to: 'denied', at: 3, reason: 'no' });
    const ids = (tickets: readonly Ticket[]) => tickets.map(({ id }) => id);
    expect(ids(await store.open('bot', 'e1'))).toEqual(['HP-1', 'HP-3']);
    expect(ids(await store.open('other', 'e1'))).toEqual([]);
    expect(ids(await store.unfinished())).toEqual(['HP-1', 'HP-2', 'HP-3']);
    expect(await store.countPending('bot')).toBe(2);
  });

  it('forgets what ended before a time, and nothing that has not ended', async () => {
    const ended = { from: 'pending', to: 'denied', reason: 'no' } as const;
    for (const id of ['HP-1', 'HP-2', 'HP-3']) await store.insert(ticket(id));
    await store.remember('HP-1', 'slack', 1);
    await store.move('HP-1', { ...ended, at: 99 });
    await store.move('HP-2', { ...ended, at: 100 });
    expect(await store.forget(100)).toBe(1);
    expect((await store.list({})).tickets.map(({ id }) => id)).toEqual(['HP-3', 'HP-2']);
    expect(await store.recall('HP-1', 'slack')).toBeNull();
  });

  it('lists the newest first, in pages of at most its bound', async () => {
    for (let index = 0; index <= LIMITS.controlPage; index += 1) await store.insert(ticket(`HP-${index}`));
    await store.move('HP-7', { from: 'pending', to: 'denied', at: 3, reason: 'no' });
    const first = await store.list({ limit: LIMITS.controlPage + 1 });
    expect(first.tickets).toHaveLength(LIMITS.controlPage);
    expect(first.tickets[0]?.id).toBe(`HP-${LIMITS.controlPage}`);
    const rest = await store.list(first.next === null ? {} : { cursor: first.next });
    expect(rest).toMatchObject({ tickets: [{ id: 'HP-0' }], next: null });
    expect(await store.list({ states: ['denied', 'approved'] })).toMatchObject({
      tickets: [{ id: 'HP-7' }],
      next: null,
    });
    await expect(store.list({ cursor: 'drop table' })).rejects.toMatchObject({ code: 'bad_request' });
  }, 60_000);
});

describe('what it lets happen', () => {
  const pairs = STATES.flatMap((from) =>
    STATES.map((to) => ({ from, to, known: TRANSITIONS[from].includes(to) })),
  );

  it.each(pairs)('$from → $to: $known', async ({ from, to, known }) => {
    await store.insert(ticket('HP-1', { state: from }));
    const moved = store.move('HP-1', { from, to, at: 9, reason: 'why' });
    if (!known) await expect(moved).rejects.toMatchObject({ code: 'internal' });
    else expect(await moved).toBe(true);
    expect((await store.get('HP-1'))?.state).toBe(known ? to : from);
  });

  it('answers a lost race with false, and changes nothing', async () => {
    await store.insert(ticket('HP-1', { state: 'denied' }));
    expect(await store.move('HP-1', { from: 'pending', to: 'approved', at: 9, reason: 'why', answer })).toBe(
      false,
    );
    expect(await store.addAnswer('HP-1', answer)).toBe(false);
    expect(await store.park('HP-1')).toBe(false);
    expect(await store.get('HP-1')).toEqual(ticket('HP-1', { state: 'denied' }));
    expect(await store.move('HP-9', { from: 'pending', to: 'approved', at: 9, reason: 'why' })).toBe(false);
  });

  it('lets one of many concurrent moves win', async () => {
    await store.insert(ticket('HP-1', { state: 'approved' }));
    const step = { from: 'approved', to: 'released', at: 9, reason: 'why' } as const;
    const moves = await Promise.all(Array.from({ length: 8 }, () => store.move('HP-1', step)));
    expect(moves.filter(Boolean)).toHaveLength(1);
  });

  it('refuses an id that is taken, and memory for a ticket that is not there', async () => {
    await store.insert(ticket('HP-1'));
    await expect(store.insert(ticket('HP-1'))).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(store.remember('HP-2', 'slack', 1)).rejects.toMatchObject({ code: 'store_unavailable' });
    await store.insert(ticket('HP-2'));
  });

  it('is a Fault for everything once it is closed', async () => {
    await store.close();
    for (const call of [
      store.get('HP-1'),
      store.park('HP-1'),
      store.insert(ticket('HP-1')),
      store.unfinished(),
    ])
      await expect(call).rejects.toMatchObject({ name: 'Fault', code: 'store_unavailable' });
  });
});

describe('who may open it', () => {
  it('is private to its user, also where the file was not', async () => {
    const mode = (name: string) => (statSync(name).mode & 0o777).toString(8);
    await store.insert(ticket('HP-1'));
    expect([mode(file), mode(`${file}-wal`), mode(join(directory, 'state'))]).toEqual(['600', '600', '700']);
    await store.close();
    chmodSync(file, 0o644);
    store = await openSqliteStore(file);
    expect(mode(file)).toBe('600');
  });

  it('refuses a second opener, in this process and in another, and lets the first carry on', async () => {
    const refused = {
      code: 'store_unavailable',
      message: expect.stringContaining('another Holdpoint uses this state_dir'),
    };
    await expect(openSqliteStore(file)).rejects.toMatchObject(refused);
    const { stdout } = child(`
      import(${JSON.stringify(new URL('../../src/store/sqlite.ts', import.meta.url).href)})
        .then(({ openSqliteStore }) => openSqliteStore(${JSON.stringify(file)}))
        .then(() => console.log('opened'), (error) => console.log(error.code, error.message));
    `);
    expect(stdout).toContain('another Holdpoint uses this state_dir');
    await store.insert(ticket('HP-1'));
  });

  it('refuses a file that a newer version wrote, and leaves it alone', async () => {
    await store.close();
    sql(file, `PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    await expect(openSqliteStore(file)).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(/schema 2.*knows 1/),
    });
    sql(file, `PRAGMA user_version = ${SCHEMA_VERSION}`);
    store = await openSqliteStore(file);
  });

  it('refuses what is not a database', async () => {
    const garbage = join(directory, 'garbage.db');
    writeFileSync(garbage, 'this is not a database, and long enough to be read as its first page'.repeat(20));
    await expect(openSqliteStore(garbage)).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it('reports a row that it cannot read', async () => {
    await store.insert(ticket('HP-1'));
    await store.close();
    sql(file, `UPDATE tickets SET request = '{'`);
    store = await openSqliteStore(file);
    await expect(store.get('HP-1')).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});

function sql(path: string, statement: string): void {
  const { status, stderr } = child(`
    const Database = require(${JSON.stringify(require.resolve('libsql'))});
    new Database(${JSON.stringify(path)}).exec(${JSON.stringify(statement)});
  `);
  if (status !== 0) throw new Error(stderr);
}

/** Another process: SQLite’s locks are between processes. */
function child(script: string) {
  return spawnSync(process.execPath, ['--import', 'tsx', '--input-type=commonjs', '--eval', script], {
    encoding: 'utf8',
  });
}
