/**
 * A hostile agent plays with names: what Holdpoint takes a prepared statement or a portal for has to be what the server
 * takes it for, whatever the order, the length and the way the name came to be.
 */

import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, startBench } from '../server/postgres/bench-setup.ts';
import { sqlOf } from '../server/postgres/scripted-pipeline.ts';
import { bind, close, execute, parse, query, sync, type Wire, wire } from '../server/postgres/wire.ts';

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
  await admin.query('drop table if exists t; create table t (id int primary key); insert into t values (1)');
  client = await wire(bench.through);
  return () => client.end();
});

/** Judged as it will run: anything that deletes is denied. */
const denyDeletes = (): void => {
  bench.script.decide = ({ statements }) =>
    statements.some(({ node, nested }) => [node, ...nested].includes('DeleteStmt')) ? 'hold' : 'allow';
};
const rows = async (): Promise<number> => (await admin.query('select count(*)::int as n from t')).rows[0].n;
const judged = (): string[] => bench.script.admitted.map((action) => sqlOf(action).text);
const CUT = 'n'.repeat(63);

describe('names longer than PostgreSQL keeps', () => {
  it('are one statement where the server has one', async () => {
    denyDeletes();
    const one = `${CUT}1`;
    const two = `${CUT}2`;
    client.send(parse({ name: one, text: 'select 1' }), sync());
    await client.until();
    client.send(close({ type: 'S', name: two }), parse({ name: two, text: 'delete from t' }), sync());
    await client.until();
    client.send(bind({ statement: one }), execute(), sync());
    const held = await Promise.race([bench.script.waiting(), client.until()]);
    expect(held).toHaveProperty('ticket');
    expect(await rows()).toBe(1);
  });

  it('are the same to SQL, which cuts them as well', async () => {
    denyDeletes();
    client.send(parse({ name: `${CUT}xyz`, text: 'delete from t' }), sync());
    await client.until();
    client.send(query(`execute ${CUT}`));
    await Promise.race([bench.script.waiting(), client.until()]);
    expect(await rows()).toBe(1);
    expect(judged().at(-1)).toBe(`execute ${CUT}`);
  });
});

describe('a statement that runs another by name', () => {
  it.each([
    [
      'a prepared statement',
      'execute a',
      [parse({ name: 'a', text: 'select 1' })],
      [close({ type: 'S', name: 'a' }), parse({ name: 'a', text: 'delete from t' })],
    ],
    [
      'a cursor',
      'fetch 1 from a',
      [parse({ text: 'select 1' }), bind({ portal: 'a' })],
      [
        close({ type: 'P', name: 'a' }),
        parse({ text: 'with d as (select 1) select * from d, t' }),
        bind({ portal: 'a' }),
      ],
    ],
  ])('does not run what %s became after its Bind', async (_, text, before, after) => {
    denyDeletes();
    client.send(query('begin'));
    await client.until();
    client.send(...before, parse({ name: 'outer', text }), bind({ portal: 'p', statement: 'outer' }), sync());
    await client.until();
    client.send(...after, sync());
    await client.until();
    client.send(execute({ portal: 'p' }), sync());
    expect(await client.until()).toEqual(['E 55000', 'Z E']);
    expect(await rows()).toBe(1);
  });

  it('does not run what a name became in the same batch', async () => {
    denyDeletes();
    client.send(
      parse({ name: 'a', text: 'select 1' }),
      parse({ name: 'outer', text: 'execute a' }),
      bind({ portal: 'p', statement: 'outer' }),
      close({ type: 'S', name: 'a' }),
      parse({ name: 'a', text: 'delete from t' }),
      execute({ portal: 'p' }),
      sync(),
    );
    await client.until();
    expect(await rows()).toBe(1);
  });

  it.each(['set role other', 'deallocate all', 'execute b', 'begin', 'close all', 'discard all'])(
    'is not carried where that is %s, which would change the session unseen',
    async (text) => {
      client.send(parse({ name: 'a', text }), sync());
      await client.until();
      client.send(query('execute a'));
      expect(await client.until()).toEqual(['E 0A000', 'Z I']);
      client.send(parse({ text: 'execute a' }), bind({}), execute({}), sync());
      expect(await client.until()).toEqual(['E 0A000', 'Z I']);
    },
  );
});

describe('what a session acts as', () => {
  const last = (): ReturnType<typeof sqlOf> => {
    const action = bench.script.admitted.at(-1);
    if (action === undefined) throw new Error('nothing was judged');
    return sqlOf(action);
  };
  const trusted = ({ role, flags }: ReturnType<typeof sqlOf>): string =>
    flags.includes('session_unknown') ? 'unknown' : role;

  beforeEach(async () => {
    await admin.query('drop role if exists other');
    await admin.query('create role other');
  });

  const run = async (...texts: string[]): Promise<string[]> => {
    let answers: string[] = [];
    for (const text of texts) {
      client.send(query(text));
      answers = await client.until();
    }
    return answers;
  };
  /** What the server says the role is, and what was judged while it was asked. */
  const compare = async (): Promise<void> => {
    const answers = await run('select current_user');
    const real = answers.find((answer) => answer.startsWith('D'))?.slice(2);
    expect([real, 'unknown']).toContain(trusted(last()));
  };

  it.each([
    ['a setting through EXECUTE', ["prepare p as select set_config('role', 'other', false)", 'execute p']],
    [
      'a setting through FETCH',
      ['begin', "declare c cursor for select set_config('role', 'other', false)", 'fetch c'],
    ],
    ['PREPARE alone', ["prepare p as select set_config('role', 'other', false)"]],
    [
      'EXECUTE after RESET',
      ["prepare p as select set_config('role', 'other', false)", 'reset role', 'execute p'],
    ],
    ['DECLARE alone', ['begin', "declare c cursor for select set_config('role', 'other', false)"]],
    ['EXPLAIN', ["explain select set_config('role', 'other', false)"]],
    ['a plain call', ["select pg_catalog.set_config('role', 'other', false)"]],
    ['a setting that is not evaluated', ["select set_config('role', 'other', false) where false"]],
    [
      'a setting that is one of two',
      ["select case when true then 1 else set_config('role', 'other', false)::int end"],
    ],
    [
      'a setting that is local by computation',
      ['begin', "select set_config('role', 'other', 1 = 1)", 'commit'],
    ],
    ['a savepoint after SET ROLE', ['begin', 'set role other', 'savepoint s', 'reset role', 'rollback to s']],
    [
      'a savepoint after SET LOCAL',
      ['begin', 'set local role other', 'savepoint s', 'set role none', 'rollback to s'],
    ],
    ['a DO block', ['do $$begin set role other; end$$']],
    ['a rolled back SET', ['begin', 'set role other', 'rollback']],
    ['SET LOCAL outside', ['set local role other']],
    ['a failed text', ['set role other; select 1/0']],
    ['a text with COMMIT that fails afterwards', ['begin; set role other; commit; select 1/0']],
    ['SET SESSION AUTHORIZATION LOCAL', ['begin', 'set local session authorization other', 'commit']],
    ['COMMIT of a failed transaction', ['begin', 'set role other', 'select 1/0', 'commit']],
    ['COMMIT AND CHAIN', ['begin', 'set local role other', 'commit and chain']],
    ['ROLLBACK AND CHAIN', ['begin', 'set role other', 'rollback and chain']],
    ['PREPARE TRANSACTION refused', ['begin', 'set role other', "prepare transaction 'x'"]],
    ['DISCARD ALL', ['set role other', 'discard all']],
    ['RESET ALL', ['set role other', 'reset all']],
  ])('is known or said to be unknown after %s', async (_, texts) => {
    await run(...texts);
    await compare();
    await run('rollback');
    await compare();
  });

  it('does not change between Bind and Execute', async () => {
    client.send(query('begin'));
    await client.until();
    client.send(parse({ text: 'delete from t' }), bind({ portal: 'p' }), sync());
    await client.until();
    await run('set role other');
    client.send(execute({ portal: 'p' }), sync());
    expect(await client.until()).toEqual(['E 55000', 'Z E']);
    expect(await rows()).toBe(1);
  });

  it('does not change between Bind and Execute of one batch', async () => {
    const setRole = [parse({ text: 'set role other' }), bind({}), execute({})];
    const deletes = [parse({ text: 'delete from t' }), bind({ portal: 'p' })];
    client.send(...deletes, ...setRole, execute({ portal: 'p' }), sync());
    expect(await client.until()).toEqual(['1', '2', '1', '2', 'C SET', 'E 55000', 'Z I']);
    expect(await rows()).toBe(1);
  });
});

describe('what the parser cannot model', () => {
  const LEXER = "select set_config('standard_conforming_strings', 'off', false)";
  it.each([
    ['PREPARE', `prepare p as ${LEXER}`],
    ['DECLARE', `declare c cursor for ${LEXER}`],
    ['a function that need not be called', `select 1 where exists (${LEXER})`],
    ['COPY', `copy (${LEXER}) to stdout`],
    ['EXPLAIN ANALYZE', `explain analyze ${LEXER}`],
    ['a name made up at run time', "select set_config('standard_' || 'conforming_strings', 'off', false)"],
    ['ALTER ROLE', 'alter role current_user set standard_conforming_strings = off'],
  ])('is not switched on by %s', async (_, text) => {
    client.send(query(text));
    expect(await client.until()).toEqual(['E 42501', 'Z I']);
  });
});
