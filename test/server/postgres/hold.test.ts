/**
 * Holding on the wire, against a real server: nothing of a batch goes on while it waits, approval runs it once, and
 * whoever cancels or leaves withdraws it.
 */

import { connect } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cancelRequest } from '../../../src/protocol/postgres/encode.ts';
import { type Bench, startBench } from './bench-setup.ts';
import { sqlOf } from './scripted-pipeline.ts';
import {
  bind,
  describe as describeMessage,
  execute,
  flush,
  parse,
  query,
  sync,
  type Wire,
  wire,
} from './wire.ts';

/** For what happens soon, on a machine that may be busy. */
const PATIENCE = { timeout: 20_000 };

let bench: Bench;
let admin: pg.Client;
let client: Wire & { secret: number };

beforeAll(async () => {
  bench = await startBench();
  admin = new pg.Client(bench.direct);
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await bench.stop();
});
beforeEach(async () => {
  bench.script.reset();
  await admin.query('drop table if exists t; create table t (id int primary key, v text)');
  bench.script.decide = ({ text }) => (/sensitive/.test(text) ? 'hold' : 'allow');
  client = await wire(bench.through);
  return () => client.end();
});

const rows = async (): Promise<number[]> =>
  (await admin.query('select id from t order by id')).rows.map(({ id }) => id);
const extended = (text: string, ...values: string[]): Uint8Array[] => [
  parse({ text }),
  bind({ values }),
  execute(),
];

/** What our own session is doing on the server, as another session sees it. */
async function serverSide(): Promise<{ state: string; query: string; locks: number }> {
  const { rows: found } = await admin.query(
    `select state, query, (select count(*)::int from pg_locks l where l.pid = a.pid) as locks
     from pg_stat_activity a where backend_type = 'client backend' and pid <> pg_backend_pid()
     order by backend_start desc limit 1`,
  );
  return found[0];
}

async function cancel(pid: number, secret: number): Promise<void> {
  const key = Buffer.alloc(4);
  key.writeInt32BE(secret);
  const socket = connect(bench.port, '127.0.0.1');
  socket.end(cancelRequest(pid, key));
  await new Promise((resolve) => socket.once('close', resolve));
}

describe('a held statement', () => {
  it('waits, tells the client so, runs once approved, and only then', async () => {
    client.send(query('insert into t values (1) /* sensitive */'));
    const waiting = await bench.script.waiting();
    expect(await rows()).toEqual([]);
    expect(await serverSide()).toMatchObject({ state: 'idle', locks: 0 });
    waiting.approve();
    expect(await client.until()).toEqual(['C INSERT 0 1', 'Z I']);
    expect(client.notices).toEqual([`held for approval, ticket ${waiting.ticket}`]);
    expect(await rows()).toEqual([1]);
    await bench.script.outcomes(1);
    expect(bench.script.settled[0]?.outcome).toEqual({
      status: 'completed',
      detail: { command_tag: 'INSERT 0 1', rows: 1, bytes: 0 },
    });
  });

  it('is refused with the reviewer’s reason', async () => {
    client.send(query('insert into t values (1) /* sensitive */'));
    (await bench.script.waiting()).deny('not today');
    expect(await client.until()).toEqual(['E 42501', 'Z I']);
    expect(client.error().M).toBe('denied by alice: not today');
    expect(client.error().D).toContain('ticket: HP-');
    expect(await rows()).toEqual([]);
  });

  it('holds the whole batch before it: no lock is taken meanwhile', async () => {
    client.send(
      ...extended('insert into t values (1)'),
      ...extended('insert into t values (2) /* sensitive */'),
      sync(),
    );
    const waiting = await bench.script.waiting();
    expect(await serverSide()).toMatchObject({ state: 'idle', locks: 0 });
    waiting.approve();
    expect(await client.until()).toEqual(['1', '2', 'C INSERT 0 1', '1', '2', 'C INSERT 0 1', 'Z I']);
    expect(await rows()).toEqual([1, 2]);
  });

  it('is shown with its parameters, and approved for these alone', async () => {
    client.send(parse({ text: 'insert into t values ($1, $2) /* sensitive */', types: [23, 25] }), sync());
    expect(await client.until()).toEqual(['1', 'Z I']);
    client.send(bind({ values: ['7', 'it’s'] }), execute(), sync());
    const first = await bench.script.waiting();
    expect(sqlOf(first.action).parameters).toEqual([
      { value: '7', type: 'int4', format: 'text' },
      { value: 'it’s', type: 'text', format: 'text' },
    ]);
    expect(first.action.display.text).toBe(
      'insert into t values ($1, $2) /* sensitive */\n\n$1 int4 = "7"\n$2 text = "it’s"',
    );
    first.approve();
    expect(await client.until()).toEqual(['2', 'C INSERT 0 1', 'Z I']);
    client.send(bind({ values: ['8', 'it’s'] }), execute(), sync());
    const second = await bench.script.waiting();
    expect(second.action.fingerprint.exact).not.toBe(first.action.fingerprint.exact);
    expect(second.action.fingerprint.shape).toBe(first.action.fingerprint.shape);
    second.deny('no');
    expect(await client.until()).toEqual(['E 42501', 'Z I']);
    expect(await rows()).toEqual([7]);
  });

  it('has the same digest when it is asked for again', async () => {
    for (const _ of [1, 2]) {
      client.send(query('select 1 /* sensitive */'));
      (await bench.script.waiting()).deny('no');
      await client.until();
    }
    const [first, second] = bench.script.admitted;
    expect(first?.fingerprint).toEqual(second?.fingerprint);
  });

  it('inside a transaction waits for a shorter time', async () => {
    client.send(query('begin'));
    await client.until();
    client.send(query('select 1 /* sensitive */'));
    const waiting = await bench.script.waiting();
    expect(waiting.action.waitMs).toBe(20_000);
    expect(sqlOf(waiting.action).in_transaction).toBe(true);
    waiting.approve();
    expect(await client.until()).toContain('Z T');
  });

  it('is held at its Bind where the client reads its portal bit by bit, and once', async () => {
    client.send(
      parse({ text: 'select i from generate_series(1, 5) i /* sensitive */' }),
      bind(),
      describeMessage({ type: 'P' }),
      flush(),
    );
    (await bench.script.waiting()).approve();
    expect(await client.until('T')).toEqual(['1', '2', 'T']);
    client.send(execute({ rows: 2 }), flush());
    expect(await client.until('s')).toEqual(['D 1', 'D 2', 's']);
    client.send(execute({ rows: 2 }), flush());
    expect(await client.until('s')).toEqual(['D 3', 'D 4', 's']);
    client.send(execute({ rows: 2 }), sync());
    expect(await client.until()).toEqual(['D 5', 'C SELECT 1', 'Z I']);
    expect(bench.script.admitted).toHaveLength(1);
    expect(bench.script.settled[0]?.outcome.detail).toMatchObject({ rows: 5 });
  });
});

describe('a client that does not wait', () => {
  it('cancels: the hold is withdrawn, and the client gets 57014 and the true status', async () => {
    client.send(query('begin'));
    await client.until();
    client.send(query('insert into t values (1) /* sensitive */'));
    const waiting = await bench.script.waiting();
    await cancel(client.pid, client.secret);
    expect(await client.until()).toEqual(['E 57014', 'Z E']);
    expect(bench.script.withdrawn).toEqual([waiting.ticket]);
    client.send(query('rollback'));
    expect(await client.until()).toEqual(['C ROLLBACK', 'Z I']);
    client.send(query('select 1'));
    expect(await client.until()).toEqual(['T', 'D 1', 'C SELECT 1', 'Z I']);
  });

  it('goes away: the hold is withdrawn, and an approval that comes later runs nothing', async () => {
    client.send(query('insert into t values (1) /* sensitive */'));
    const waiting = await bench.script.waiting();
    const gone = new Promise((resolve) => waiting.signal.addEventListener('abort', resolve));
    client.socket.destroy();
    await gone;
    waiting.approve();
    expect(bench.script.withdrawn).toEqual([waiting.ticket]);
    expect(await rows()).toEqual([]);
  });

  it('cannot be cancelled with a key that is not its own', async () => {
    client.send(query('insert into t values (1) /* sensitive */'));
    const waiting = await bench.script.waiting();
    await cancel(client.pid, client.secret ^ 1);
    await cancel(client.pid ^ 1, client.secret);
    expect(bench.script.withdrawn).toEqual([]);
    waiting.approve();
    expect(await client.until()).toEqual(['C INSERT 0 1', 'Z I']);
  });

  it('cancels what runs: that is cancelled where it runs', async () => {
    client.send(query('select pg_sleep(20)'));
    await expect.poll(async () => (await serverSide()).state, PATIENCE).toBe('active');
    await cancel(client.pid, client.secret);
    expect(await client.until()).toEqual(['T', 'E 57014', 'Z I']);
    await bench.script.outcomes(1);
    expect(bench.script.settled[0]?.outcome).toMatchObject({
      status: 'failed',
      detail: { sqlstate: '57014' },
    });
  });
});

describe('several held statements of one batch', () => {
  it('are asked about together, and a denial of one withdraws those after it', async () => {
    client.send(
      ...extended('insert into t values (1) /* sensitive 1 */'),
      ...extended('insert into t values (2) /* sensitive 2 */'),
      ...extended('insert into t values (3) /* sensitive 3 */'),
      sync(),
    );
    const [first, second, third] = [
      await bench.script.waiting(),
      await bench.script.waiting(),
      await bench.script.waiting(),
    ];
    third.approve();
    second.deny('no');
    first.approve();
    expect(await client.until()).toEqual(['1', '2', 'C INSERT 0 1', 'E 42501', 'Z I']);
    expect(await rows()).toEqual([]);
    await bench.script.outcomes(2);
    const outcomes = bench.script.settled.map(({ action, outcome }) => [
      sqlOf(action).text.slice(22, 23),
      outcome.status,
    ]);
    expect(outcomes.sort()).toEqual([
      ['1', 'completed'],
      ['3', 'aborted'],
    ]);
  });
});

describe('a session that changed while it waited', () => {
  it('does not happen behind its back: later messages wait for the batch before them', async () => {
    client.send(query('set search_path = pg_catalog'));
    client.send(query('select 1 /* sensitive */'));
    const waiting = await bench.script.waiting();
    expect(sqlOf(waiting.action).search_path).toEqual(['pg_catalog']);
    waiting.approve();
    expect(await client.until('Z', 2)).toEqual(['C SET', 'Z I', 'T', 'D 1', 'C SELECT 1', 'Z I']);
  });
});
