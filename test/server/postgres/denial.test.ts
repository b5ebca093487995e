/**
 * Denial on the wire, against a real server: the refused statement never runs, the client gets one error in its place
 * and then exactly what the server itself would have said.
 */

import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './bench-setup.ts';
import {
  bind,
  close,
  copyData,
  copyDone,
  describe as describeMessage,
  execute,
  flush,
  parse,
  query,
  sync,
  type Wire,
  wire,
} from './wire.ts';

let bench: Bench;
let admin: pg.Client;
let client: Wire;

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
  bench.script.decide = ({ text }) => (/forbidden/.test(text) ? 'deny' : 'allow');
  client = await wire(bench.through);
  return () => client.end();
});

const rows = async (): Promise<number[]> =>
  (await admin.query('select id from t order by id')).rows.map(({ id }) => id);
const extended = (text: string, name = ''): Buffer[] => [
  parse({ text, name }),
  bind({ statement: name }),
  execute(),
];

describe('a simple query that is refused', () => {
  it('gets one error and one ReadyForQuery, and the session goes on', async () => {
    client.send(query("insert into t values (1, 'forbidden')"));
    expect(await client.until()).toEqual(['E 42501', 'Z I']);
    expect(client.error()).toMatchObject({
      S: 'ERROR',
      V: 'ERROR',
      C: '42501',
      M: 'denied by the test',
      D: 'Denied by policy; rules: test.rule; decision: decision-d',
    });
    expect(client.error().H).toContain('Do not retry');
    client.send(query('select 7'));
    expect(await client.until()).toEqual(['T', 'D 7', 'C SELECT 1', 'Z I']);
    expect(await rows()).toEqual([]);
  });

  it('fails an open transaction, so that a later COMMIT rolls back', async () => {
    client.send(query('begin'));
    await client.until();
    client.send(query("insert into t values (1, 'mine')"));
    await client.until();
    client.send(query("insert into t values (2, 'forbidden')"));
    expect(await client.until()).toEqual(['E 42501', 'Z E']);
    client.send(query('select 1'));
    expect(await client.until()).toEqual(['E 25P02', 'Z E']);
    client.send(query('commit'));
    expect(await client.until()).toEqual(['C ROLLBACK', 'Z I']);
    expect(await rows()).toEqual([]);
  });

  it('leaves a savepoint to go back to', async () => {
    for (const text of ['begin', 'insert into t values (1)', 'savepoint s']) {
      client.send(query(text));
      await client.until();
    }
    client.send(query("insert into t values (2, 'forbidden')"));
    expect(await client.until()).toEqual(['E 42501', 'Z E']);
    client.send(query('rollback to s'));
    expect(await client.until()).toEqual(['C ROLLBACK', 'Z T']);
    client.send(query('commit'));
    expect(await client.until()).toEqual(['C COMMIT', 'Z I']);
    expect(await rows()).toEqual([1]);
  });

  it('is refused in a failed and in a read-only transaction with the true status', async () => {
    client.send(query('begin'));
    await client.until();
    client.send(query('select 1/0'));
    expect(await client.until()).toEqual(['E 22012', 'Z E']);
    client.send(query('select 1 /* forbidden */'));
    expect(await client.until()).toEqual(['E 25P02', 'Z E']);
    client.send(query('rollback'));
    await client.until();
    client.send(query('begin read only'));
    expect(await client.until()).toEqual(['C BEGIN', 'Z T']);
    client.send(query('select 1 /* forbidden */'));
    expect(await client.until()).toEqual(['E 42501', 'Z E']);
  });

  it('runs nothing of a multi-statement query', async () => {
    client.send(query("insert into t values (1); insert into t values (2, 'forbidden')"));
    expect(await client.until()).toEqual(['E 42501', 'Z I']);
    expect(await rows()).toEqual([]);
    expect(bench.script.admitted).toHaveLength(1);
  });
});

describe('an extended query that is refused', () => {
  it('is answered once, at its place, and its Sync by one ReadyForQuery', async () => {
    client.send(...extended("insert into t values (1, 'forbidden')"), sync());
    expect(await client.until()).toEqual(['E 42501', 'Z I']);
    client.send(...extended('select 1'), sync());
    expect(await client.until()).toEqual(['1', '2', 'D 1', 'C SELECT 1', 'Z I']);
    expect(await rows()).toEqual([]);
  });

  it('in a pipeline rolls back what came before it in the batch, runs it once at most, and skips the rest', async () => {
    client.send(
      ...extended('insert into t values (1)'),
      ...extended("insert into t values (2, 'forbidden')"),
      ...extended('insert into t values (3)'),
      sync(),
    );
    expect(await client.until()).toEqual(['1', '2', 'C INSERT 0 1', 'E 42501', 'Z I']);
    expect(await rows()).toEqual([]);
    await bench.script.outcomes(2);
    expect(bench.script.settled.map(({ outcome }) => outcome.status).sort()).toEqual([
      'aborted',
      'completed',
    ]);
  });

  it('fails its own batch only, of several in one write', async () => {
    client.send(
      ...extended('insert into t values (1)'),
      sync(),
      ...extended("insert into t values (2, 'forbidden')"),
      sync(),
      ...extended('insert into t values (3)'),
      sync(),
    );
    expect(await client.until('Z', 3)).toEqual([
      '1',
      '2',
      'C INSERT 0 1',
      'Z I',
      'E 42501',
      'Z I',
      '1',
      '2',
      'C INSERT 0 1',
      'Z I',
    ]);
    expect(await rows()).toEqual([1, 3]);
  });

  it('is refused when it is only prepared, and its name is not taken', async () => {
    client.send(
      parse({ name: 's', text: "insert into t values (1, 'forbidden')" }),
      describeMessage({ type: 'S', name: 's' }),
      sync(),
    );
    expect(await client.until()).toEqual(['E 42501', 'Z I']);
    expect(bench.script.previewed).toHaveLength(1);
    expect(bench.script.admitted).toHaveLength(0);
    client.send(parse({ name: 's', text: 'select 5' }), sync());
    expect(await client.until()).toEqual(['1', 'Z I']);
    client.send(bind({ statement: 's' }), execute(), sync());
    expect(await client.until()).toEqual(['2', 'D 5', 'C SELECT 1', 'Z I']);
  });

  it('leaves the unnamed statement and named ones in place', async () => {
    client.send(parse({ text: 'select 1' }), parse({ name: 'kept', text: 'select 2' }), sync());
    await client.until();
    client.send(parse({ name: 'no', text: 'select 3 /* forbidden */' }), sync());
    expect(await client.until()).toEqual(['E 42501', 'Z I']);
    client.send(bind(), execute(), bind({ statement: 'kept' }), execute(), sync());
    expect(await client.until()).toEqual(['2', 'D 1', 'C SELECT 1', '2', 'D 2', 'C SELECT 1', 'Z I']);
  });

  it('is judged by its parameters at Bind, however often it was prepared', async () => {
    bench.script.decide = ({ parameters }) => (parameters[0]?.value === '2' ? 'deny' : 'allow');
    client.send(parse({ name: 's', text: 'insert into t values ($1)', types: [23] }), sync());
    await client.until();
    const one = (id: number): Buffer[] => [bind({ statement: 's', values: [String(id)] }), execute(), sync()];
    client.send(...one(1), ...one(2), ...one(3));
    expect(await client.until('Z', 3)).toEqual([
      '2',
      'C INSERT 0 1',
      'Z I',
      'E 42501',
      'Z I',
      '2',
      'C INSERT 0 1',
      'Z I',
    ]);
    expect(await rows()).toEqual([1, 3]);
  });

  it('is answered at once after Flush, and all to the Sync is skipped', async () => {
    client.send(...extended("insert into t values (1, 'forbidden')"), flush());
    expect(await client.until('E')).toEqual(['E 42501']);
    client.send(...extended('insert into t values (2)'), flush());
    client.send(...extended('insert into t values (3)'), close({ type: 'P' }), sync());
    expect(await client.until()).toEqual(['Z I']);
    expect(await rows()).toEqual([]);
    expect(bench.script.admitted).toHaveLength(1);
  });

  it('fails an open transaction', async () => {
    client.send(query('begin'));
    await client.until();
    client.send(...extended('insert into t values (1)'), sync());
    await client.until();
    client.send(...extended("insert into t values (2, 'forbidden')"), sync());
    expect(await client.until()).toEqual(['E 42501', 'Z E']);
    client.send(...extended('commit'), sync());
    expect(await client.until()).toEqual(['1', '2', 'C ROLLBACK', 'Z I']);
    expect(await rows()).toEqual([]);
  });

  it('after an error of the server in the same batch gives way to that', async () => {
    client.send(...extended('select 1/0'), ...extended("insert into t values (2, 'forbidden')"), sync());
    expect(await client.until()).toEqual(['1', 'E 22012', 'Z I']);
  });
});

describe('the statement before a denied one', () => {
  it('runs exactly once', async () => {
    await admin.query('drop sequence if exists counted; create sequence counted');
    client.send(...extended("select nextval('counted')"), ...extended("select 'forbidden'"), sync());
    expect(await client.until()).toEqual(['1', '2', 'D 1', 'C SELECT 1', 'E 42501', 'Z I']);
    const { rows: counted } = await admin.query('select last_value::int as n from counted');
    expect(counted).toEqual([{ n: 1 }]);
  });
});

describe('COPY', () => {
  it('that is refused does not take what the client sends after it', async () => {
    client.send(query('copy t from stdin /* forbidden */'), copyData(Buffer.from('1\tx\n')), copyDone());
    expect(await client.until()).toEqual(['E 42501', 'Z I']);
    client.send(query('select 1'));
    expect(await client.until()).toEqual(['T', 'D 1', 'C SELECT 1', 'Z I']);
    expect(await rows()).toEqual([]);
  });

  it('that is refused in the extended protocol ends at the Sync after its data', async () => {
    client.send(
      ...extended('copy t from stdin /* forbidden */'),
      copyData(Buffer.from('1\tx\n')),
      copyDone(),
      sync(),
    );
    expect(await client.until()).toEqual(['E 42501', 'Z I']);
    client.send(query('select 1'));
    expect(await client.until()).toEqual(['T', 'D 1', 'C SELECT 1', 'Z I']);
  });

  it('ends the session when a statement is sent amid its data', async () => {
    client.send(query('copy t from stdin'));
    expect(await client.until('G')).toEqual(['G']);
    client.send(copyData(Buffer.from('1\tx\n')), query('select 1'));
    expect(await client.until('E')).toEqual(['E 08P01']);
    await client.closed();
    expect(await rows()).toEqual([]);
  });
});

describe('a refusal', () => {
  it('is not to be had by saying what Holdpoint says to the server', async () => {
    client.send(query("insert into t values (1, 'forbidden')"));
    await client.until();
    const { rows: seen } = await admin.query(
      "select query from pg_stat_activity where query like 'holdpoint%'",
    );
    const word = seen[0].query.split(' ')[0];
    client.send(query(`do $$ begin raise exception '${word}'; end $$`));
    expect(await client.until()).toEqual(['E P0001', 'Z I']);
  });

  it('of text that does not parse has the server’s own words', async () => {
    client.send(query('selec 1'));
    expect(await client.until()).toEqual(['E 42601', 'Z I']);
    expect(client.error()).toMatchObject({ M: 'syntax error at or near "selec"' });
    expect(client.error().H).toBeUndefined();
  });

  it('of an encoding change stands whatever policy says', async () => {
    client.send(query("set client_encoding = 'SJIS'"));
    expect(await client.until()).toEqual(['E 42501', 'Z I']);
    client.send(query("set client_encoding = 'UTF8'"));
    expect(await client.until()).toEqual(['C SET', 'Z I']);
  });

  it('of a name that was never prepared is PostgreSQL’s', async () => {
    client.send(bind({ statement: 'nope' }), execute(), sync());
    expect(await client.until()).toEqual(['E 26000', 'Z I']);
    client.send(execute({ portal: 'nope' }), sync());
    expect(await client.until()).toEqual(['E 34000', 'Z I']);
    expect(bench.script.admitted).toEqual([]);
  });
});
