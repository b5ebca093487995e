/** Sessions against a real server: names, settings, COPY, portals and pipelines, each as it is without us. */

import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './bench-setup.ts';
import { sqlOf } from './scripted-pipeline.ts';
import {
  bind,
  close,
  copyData,
  copyDone,
  copyFail,
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
let client: Wire;
let direct: Wire;

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
  client = await wire(bench.through);
  direct = await wire(bench.direct);
  return () => {
    client.end();
    direct.end();
  };
});

const extended = (text: string, ...values: string[]): Uint8Array[] => [
  parse({ text }),
  bind({ values }),
  execute(),
];
const judged = (): ReturnType<typeof sqlOf>[] => bench.script.admitted.map(sqlOf);

/** Sends the same to both and expects the same back. */
async function same(messages: Uint8Array[], readies = 1): Promise<string[]> {
  direct.send(...messages);
  const expected = await direct.until('Z', readies);
  client.send(...messages);
  expect(await client.until('Z', readies)).toEqual(expected);
  if (expected.some((answer) => answer.startsWith('E'))) expect(client.error().M).toBe(direct.error().M);
  return expected;
}

describe('a client', () => {
  const cases: [string, Uint8Array[], number?][] = [
    ['sends a simple query', [query('select 1, null, $$x$$')]],
    ['sends several statements in one', [query('select 1; select 2')]],
    ['sends nothing', [query('')]],
    ['sends an empty statement extended', [...extended(''), sync()]],
    ['sends a comment', [query('-- nothing')]],
    ['makes an error in the middle', [query('select 1; select nope; select 2')]],
    ['makes an error while it prepares', [...extended('select nope'), sync()]],
    ['sends a Sync alone', [sync()]],
    ['sends two Syncs', [sync(), sync()], 2],
    [
      'describes a statement',
      [parse({ name: 'd', text: 'select $1::int' }), describeMessage({ type: 'S', name: 'd' }), sync()],
    ],
    [
      'describes a statement with no rows',
      [parse({ text: 'begin' }), describeMessage({ type: 'S' }), sync()],
    ],
    ['closes what is not there', [close({ type: 'S', name: 'nope' }), sync()]],
    [
      'pipelines batches',
      [...extended('select 1'), sync(), ...extended('select 2'), sync(), ...extended('select 3'), sync()],
      3,
    ],
    [
      'pipelines an error',
      [...extended('select 1'), sync(), ...extended('selec'), sync(), ...extended('select 3'), sync()],
      3,
    ],
    ['pipelines simple queries', [query('select 1'), query('selec 2'), query('select 3')], 3],
    ['pipelines a transaction', [query('begin'), query('select 1'), query('commit')], 3],
    ['raises and catches', [query("do $$ begin raise exception 'x' using errcode = 'ZZ001'; end $$")]],
    ['copies out', [query('copy (select generate_series(1, 3)) to stdout')]],
    [
      'copies out in the extended protocol',
      [...extended('copy (select generate_series(1, 3)) to stdout'), sync()],
    ],
    ['asks for a parameter of the wrong form', [...extended('select $1::int', 'x'), sync()]],
    ['binds the wrong number of parameters', [...extended('select 1', 'x'), sync()]],
    ['parses two statements as one', [...extended('select 1; select 2'), sync()]],
    ['mixes both protocols', [parse({ text: 'select 1' }), bind(), query('select 2'), sync()], 2],
  ];
  it.each(cases)('%s, and sees what it would see directly', async (_name, messages, readies) => {
    await same(messages, readies);
    await same([query('select 42')]);
  });

  it('takes a pipeline in parts of any size', async () => {
    const octets = Buffer.concat([
      ...extended('select 1'),
      sync(),
      query('select 2'),
      ...extended('select 3'),
      sync(),
    ]);
    for (let at = 0; at < octets.length; at += 7) {
      client.socket.write(octets.subarray(at, at + 7));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const answers = await client.until('Z', 3);
    expect(answers.filter((answer) => answer.startsWith('D'))).toEqual(['D 1', 'D 2', 'D 3']);
  });

  it('calls a function by the fast path, as far as policy lets it', async () => {
    const { rows } = await admin.query("select 'pg_backend_pid'::regproc::oid::int as oid");
    const call = Buffer.alloc(15);
    call.write('F', 0);
    call.writeInt32BE(14, 1);
    call.writeInt32BE(rows[0].oid, 5);
    client.send(call);
    expect(await client.until()).toEqual(['V', 'Z I']);
    expect(judged()[0]).toMatchObject({ protocol: 'fastpath', statements: [], flags: ['fastpath'] });
    bench.script.decide = ({ flags }) => (flags.includes('fastpath') ? 'deny' : 'allow');
    client.send(call);
    expect(await client.until()).toEqual(['E 42501', 'Z I']);
  });
});

describe('a portal', () => {
  it('is read in parts, and is judged once', async () => {
    await same([query('begin')]);
    await same([
      parse({ text: 'select generate_series(1, 5)' }),
      bind({ portal: 'p' }),
      execute({ portal: 'p', rows: 2 }),
      sync(),
    ]);
    await same([execute({ portal: 'p', rows: 2 }), sync()]);
    await same([execute({ portal: 'p', rows: 2 }), sync()]);
    await same([query('commit')]);
    expect(judged().map(({ text }) => text)).toEqual(['begin', 'select generate_series(1, 5)', 'commit']);
    expect(judged()[1]?.flags).toContain('portal_limit');
    const outcome = bench.script.settled.find(({ action }) =>
      sqlOf(action).text.startsWith('select'),
    )?.outcome;
    expect(outcome).toMatchObject({ status: 'completed', detail: { rows: 5 } });
  });

  it('that is left unread is settled when its transaction ends', async () => {
    client.send(query('begin'));
    await client.until();
    client.send(
      parse({ text: 'select generate_series(1, 5)' }),
      bind({ portal: 'p' }),
      execute({ portal: 'p', rows: 2 }),
      sync(),
    );
    await client.until();
    client.send(query('commit'));
    await client.until();
    await bench.script.outcomes(3);
    const outcome = bench.script.settled.find(({ action }) =>
      sqlOf(action).text.startsWith('select'),
    )?.outcome;
    expect(outcome).toMatchObject({ status: 'completed', detail: { rows: 2, suspended: true } });
  });

  it('that is a SQL cursor is judged whenever it is read, by its query', async () => {
    await same([query('begin')]);
    await same([query('declare c cursor for select * from pg_class')]);
    await same([execute({ portal: 'c', rows: 1 }), sync()]).catch(() => {});
    client.send(query('fetch 1 from c'));
    await client.until();
    const [, , viaExecute, viaFetch] = judged();
    expect(viaExecute?.statements[0]?.reads).toEqual([{ schema: null, name: 'pg_class' }]);
    expect(viaFetch?.statements[0]?.reads).toEqual([{ schema: null, name: 'pg_class' }]);
    expect(viaFetch?.flags).not.toContain('needs_cursor_lookup');
  });
});

describe('a name', () => {
  it('that SQL prepared is known to Bind, and one that Parse prepared to EXECUTE', async () => {
    await same([query('prepare p as select v from t')]);
    await same([bind({ statement: 'p' }), execute(), sync()]);
    await same([parse({ name: 'q', text: 'delete from t where id = 1' }), sync()]);
    await same([query('execute q')]);
    const [, viaBind, viaExecute] = judged();
    expect(viaBind?.statements[0]).toMatchObject({ node: 'SelectStmt', reads: [{ name: 't' }] });
    expect(viaExecute?.statements[0]).toMatchObject({
      command: 'EXECUTE',
      nested: ['DeleteStmt'],
      writes: [{ name: 't' }],
    });
    expect(viaExecute?.flags).not.toContain('needs_prepared_lookup');
  });

  it('that was never seen is said to be unknown', async () => {
    client.send(query('execute nope'));
    expect(await client.until()).toEqual(['E 26000', 'Z I']);
    expect(judged()[0]?.flags).toEqual(expect.arrayContaining(['needs_prepared_lookup']));
  });

  it('keeps its meaning when another Parse of it fails', async () => {
    client.send(parse({ name: 's', text: 'select id from t' }), sync());
    await client.until();
    client.send(parse({ name: 's', text: 'select 1' }), sync());
    expect(await client.until()).toEqual(['E 42P05', 'Z I']);
    client.send(bind({ statement: 's' }), execute(), sync());
    expect(await client.until()).toEqual(['2', 'C SELECT 0', 'Z I']);
    expect(judged()[0]?.text).toBe('select id from t');
  });

  it('keeps its meaning also when both come in one write', async () => {
    client.send(parse({ name: 's', text: 'select id from t' }), sync());
    await client.until();
    client.send(parse({ name: 's', text: 'select 1' }), sync(), bind({ statement: 's' }), execute(), sync());
    expect(await client.until('Z', 2)).toEqual(['E 42P05', 'Z I', '2', 'C SELECT 0', 'Z I']);
    expect(judged()[0]?.text).toBe('select id from t');
  });

  it.each(['deallocate all', 'discard all', 'deallocate s'])('is gone after %s', async (text) => {
    await same([parse({ name: 's', text: 'select 1' }), sync()]);
    await same([query(text), bind({ statement: 's' }), execute(), sync()], 2);
  });

  it('changes the digest of what it is used in', async () => {
    for (const text of ['select 1', 'select 2']) {
      await same([query(`prepare p as ${text}`)]);
      await same([query('execute p')]);
      await same([query('deallocate p')]);
    }
    const executes = bench.script.admitted.filter((action) => sqlOf(action).text === 'execute p');
    expect(new Set(executes.map(({ fingerprint }) => fingerprint.exact)).size).toBe(2);
  });
});

describe('the session', () => {
  it('knows its search_path from the server, also after a rollback', async () => {
    const paths = async (...texts: string[]): Promise<string[][]> => {
      for (const text of texts) await same([query(text)]);
      return judged().map(({ search_path }) => search_path);
    };
    await admin.query('create schema if not exists a; create schema if not exists b');
    const seen = await paths(
      'select 1',
      'set search_path = a, "B"',
      'select 1',
      'begin',
      'set local search_path = b',
      'select 1',
      'rollback',
      'select 1',
    );
    expect(seen).toEqual([
      ['postgres', 'public'],
      ['postgres', 'public'],
      ['a', 'B'],
      ['a', 'B'],
      ['a', 'B'],
      ['b'],
      ['b'],
      ['a', 'B'],
    ]);
  });

  it('follows SET ROLE in order, also within one batch', async () => {
    await admin.query('drop role if exists limited; create role limited');
    await same([...extended('set role limited'), ...extended('select 1'), sync()]);
    await same([query('begin')]);
    await same([query('reset role')]);
    await same([query('select 2')]);
    await same([query('rollback')]);
    await same([query('select 3')]);
    await same([query('set session authorization limited')]);
    await same([query('select 4')]);
    const seen = judged().map(({ text, user, role }) => `${text}: ${user} ${role}`);
    expect(seen).toEqual([
      'set role limited: postgres postgres',
      'select 1: postgres limited',
      'begin: postgres limited',
      'reset role: postgres limited',
      'select 2: postgres postgres',
      'rollback: postgres postgres',
      'select 3: postgres limited',
      'set session authorization limited: postgres limited',
      'select 4: limited limited',
    ]);
  });

  it('says when it cannot know its role', async () => {
    await same([query("do $$ begin perform set_config('role', 'none', false); end $$")]);
    await same([query('select 1')]);
    expect(judged()[0]?.flags).not.toContain('session_unknown');
    expect(judged()[1]?.flags).toContain('session_unknown');
    await same([query('reset role')]);
    await same([query('select 1')]);
    expect(judged()[3]?.flags).not.toContain('session_unknown');
  });

  it('ends when the server reads text in another encoding after all', async () => {
    await admin.query(`create or replace function turn() returns text language sql
      begin atomic select set_config('client_encoding', 'LATIN1', false); end`);
    client.send(query('select turn()'));
    await expect(client.until()).rejects.toThrow(/E 42501/);
    expect(client.error()).toMatchObject({
      S: 'FATAL',
      M: expect.stringContaining('client_encoding became LATIN1'),
    });
  });

  it('hands notices and notifications on at any time', async () => {
    await same([query('listen news')]);
    const seen: Buffer[] = [];
    client.socket.on('data', (chunk) => seen.push(chunk));
    await admin.query("notify news, 'hello'");
    await expect.poll(() => Buffer.concat(seen).includes('hello'), PATIENCE).toBe(true);
    await same([query("do $$ begin raise notice 'look'; end $$")]);
    expect(client.notices).toContain('look');
  });

  it('learns parameter types from the server', async () => {
    const octets = Buffer.alloc(4);
    octets.writeInt32BE(77);
    client.send(
      parse({ name: 's', text: 'select $1 + 1' }),
      describeMessage({ type: 'S', name: 's' }),
      sync(),
    );
    await client.until();
    client.send(bind({ statement: 's', values: [octets], binary: false }), execute(), sync());
    expect(await client.until()).toEqual(['2', 'D 78', 'C SELECT 1', 'Z I']);
    expect(judged()[0]?.parameters).toEqual([{ value: '77', type: 'int4', format: 'binary' }]);
  });
});

describe('COPY in', () => {
  const data = [copyData(Buffer.from('1\tone\n')), copyData(Buffer.from('2\ttwo\n'))];
  const count = async (): Promise<number> =>
    (await admin.query('select count(*)::int as n from t')).rows[0].n;

  it('runs by the simple protocol, when the data comes with it and when it waits', async () => {
    client.send(query('copy t from stdin'), ...data, copyDone());
    expect(await client.until()).toEqual(['G', 'C COPY 2', 'Z I']);
    client.send(query('truncate t'));
    await client.until();
    client.send(query('copy t from stdin'));
    await client.until('G');
    client.send(...data);
    client.send(copyDone());
    expect(await client.until()).toEqual(['C COPY 2', 'Z I']);
    expect(await count()).toBe(2);
    expect(bench.script.settled.at(-1)?.outcome.detail).toMatchObject({ command_tag: 'COPY 2', rows: 2 });
  });

  it('runs by the extended protocol with a Sync before its data, as libpq sends it', async () => {
    client.send(...extended('copy t from stdin'), sync());
    expect(await client.until('G')).toEqual(['1', '2', 'G']);
    client.send(...data, copyDone(), sync());
    expect(await client.until()).toEqual(['C COPY 2', 'Z I']);
    await same([query('select 1')]);
  });

  it('runs by the extended protocol with all in one write', async () => {
    client.send(...extended('copy t from stdin'), sync(), ...data, copyDone(), sync(), query('select 1'));
    expect(await client.until('Z', 2)).toEqual([
      '1',
      '2',
      'G',
      'C COPY 2',
      'Z I',
      'T',
      'D 1',
      'C SELECT 1',
      'Z I',
    ]);
  });

  it('runs by the extended protocol with Flush', async () => {
    client.send(...extended('copy t from stdin'), flush());
    expect(await client.until('G')).toEqual(['1', '2', 'G']);
    client.send(...data, copyDone(), sync());
    expect(await client.until()).toEqual(['C COPY 2', 'Z I']);
  });

  it('fails by the client, by its data and by its table as it does directly', async () => {
    client.send(query('copy t from stdin'), ...data, copyFail('changed my mind'));
    expect(await client.until()).toEqual(['G', 'E 57014', 'Z I']);
    client.send(...extended('copy t from stdin'), sync(), copyData(Buffer.from('x\n')), copyDone(), sync());
    expect(await client.until()).toEqual(['1', '2', 'G', 'E 22P02', 'Z I']);
    client.send(query('copy nope from stdin'), ...data, copyDone());
    expect(await client.until()).toEqual(['E 42P01', 'Z I']);
    await same([query('select 1')]);
    expect(await count()).toBe(0);
  });
});
