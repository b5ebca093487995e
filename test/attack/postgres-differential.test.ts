/**
 * Random pipelines, full of errors, once straight at the server and once through an allowing Holdpoint: the very same
 * replies, and afterwards every name and setting is to Holdpoint what it is to the server.
 */

import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Bench, startBench } from '../server/postgres/bench-setup.ts';
import { sqlOf } from '../server/postgres/scripted-pipeline.ts';
import {
  bind,
  close,
  describe,
  execute,
  parse,
  query,
  sync,
  type Wire,
  wire,
} from '../server/postgres/wire.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await startBench();
  const admin = new pg.Client(bench.direct);
  await admin.connect();
  await admin.query('create role other; create table t (id int primary key deferrable initially deferred)');
  await admin.query('create role third');
  await admin.end();
});
afterAll(() => bench.stop());

const NAMES = ['', 'a', 'b'] as const;
const TEXTS = [
  'select 1',
  'select 2',
  'select 1/0',
  'select nope',
  'selec',
  'insert into t values (1), (1)',
  'prepare a as select 11',
  'prepare b as select 12',
  'deallocate a',
  'deallocate all',
  'discard all',
  'discard plans',
  'begin',
  'commit',
  'commit and chain',
  'rollback',
  'savepoint s',
  'release s',
  'rollback to s',
  'declare a cursor for select 21',
  'declare b cursor with hold for select 22',
  'close a',
  'close all',
  'fetch a',
  'fetch b',
  'execute a',
  'execute b',
  'set role other',
  'set local role third',
  'reset role',
  'set search_path to x, y',
  "set local search_path to 'z'",
  "select set_config('search_path', 'q', false)",
  "select set_config('role', 'other', true)",
  'reset all',
  'set session authorization other',
  'reset session authorization',
] as const;
const SEVERAL = [
  'select 1; select 1/0; select 2',
  'begin; set role other; select 1/0',
  'prepare a as select 31; select 1/0',
  'set role third; commit; select 1/0',
  'begin; savepoint s; set role other; rollback to s',
];

const name = fc.constantFrom(...NAMES);
const text = fc.constantFrom(...TEXTS);
const whole = (sql: string, portal: string): Uint8Array[] => [
  parse({ text: sql }),
  bind({ portal }),
  execute({ portal }),
];
const message = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(name, text)
      .map(([n, sql]) => ({ say: `Parse ${n}=${sql}`, octets: [parse({ name: n, text: sql })] })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(name, name)
      .map(([p, s]) => ({ say: `Bind ${p}<${s}`, octets: [bind({ portal: p, statement: s })] })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(name, fc.nat(1))
      .map(([p, r]) => ({ say: `Execute ${p} ${r}`, octets: [execute({ portal: p, rows: r })] })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom<'S' | 'P'>('S', 'P'), name)
      .map(([type, n]) => ({ say: `Describe ${type}${n}`, octets: [describe({ type, name: n })] })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom<'S' | 'P'>('S', 'P'), name)
      .map(([type, n]) => ({ say: `Close ${type}${n}`, octets: [close({ type, name: n })] })),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(text, name).map(([sql, p]) => ({ say: `Run ${p}: ${sql}`, octets: whole(sql, p) })),
  },
  { weight: 4, arbitrary: fc.constant({ say: 'Sync', octets: [sync()] }) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(...TEXTS, ...SEVERAL)
      .map((sql) => ({ say: `Query ${sql}`, octets: [sync(), query(sql)] })),
  },
);
/** Sent in one write each. */
// A Query amid a batch is left out: there PostgreSQL itself loses count (`unexpected state STARTED`).
const pipelines = fc.array(fc.array(message, { minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 3 });

/** Nothing else in these pipelines is empty, and that is answered even in a failed transaction. */
async function play(to: Wire, octets: Uint8Array[]): Promise<string[]> {
  // A Sync ends whatever error recovery it is in; the mark that follows is then answered for certain.
  to.send(...octets, sync(), query('-- the end'));
  try {
    return [...(await to.until('I')), ...(await to.until('Z'))];
  } catch (closed) {
    // RELEASE by EXECUTE ends a session of PostgreSQL itself.
    return [String(closed)];
  }
}

/** A portal that is spent is gone here; there it cannot be run again, or not in a failed transaction. */
const spent = (answer: string): string => answer.replace(/^E (?:34000|25P02)$/, 'E 55000');

async function value(to: Wire, sql: string): Promise<string[]> {
  to.send(query(sql));
  return (await to.until()).filter((answer) => !answer.startsWith('T'));
}

it('differ in nothing that can be seen, nor in what a name stands for', async () => {
  await fc.assert(
    fc.asyncProperty(pipelines, async (batches) => {
      const direct = await wire(bench.direct);
      const client = await wire(bench.through);
      try {
        for (const batch of batches) {
          const octets = batch.flatMap((one) => one.octets);
          const seen = await play(client, octets);
          // Refused on purpose: a portal whose session has changed, EXECUTE of what changes the session.
          if (seen.includes('E 55000') || seen.includes('E 0A000')) return;
          expect(seen.map(spent)).toEqual((await play(direct, octets)).map(spent));
          if (seen.length === 1) return;
        }
        await sameSettings(client, direct);
        for (const known of NAMES) await sameStatement(client, direct, known);
      } finally {
        client.end();
        direct.end();
      }
    }),
    {
      numRuns: Number(process.env.RUNS ?? 100),
      // The same pipelines every time: SEED=$RANDOM RUNS=2000 explores others.
      seed: Number(process.env.SEED ?? 20261123),
    },
  );
});

async function sameSettings(client: Wire, direct: Wire): Promise<void> {
  const question = "select current_user || '|' || current_setting('search_path')";
  bench.script.admitted.length = 0;
  const answer = await value(client, question);
  expect(answer).toEqual(await value(direct, question));
  const judged = bench.script.admitted.at(-1);
  const real = answer.find((one) => one.startsWith('D '))?.slice(2);
  if (judged === undefined || real === undefined) return;
  const { role, search_path, flags } = sqlOf(judged);
  if (flags.includes('session_unknown')) return;
  expect(`${role}|${search_path.join(', ')}`).toBe(real.replace('"$user"', role));
}

async function sameStatement(client: Wire, direct: Wire, statement: string): Promise<void> {
  if (statement !== '') {
    const question = `select statement from pg_prepared_statements where name = '${statement}'`;
    const known = (await value(direct, question)).find((one) => one.startsWith('D '))?.slice(2) ?? null;
    bench.script.admitted.length = 0;
    client.send(bind({ statement }), sync());
    const answers = await client.until();
    if (answers[0] === 'E 0A000') return;
    direct.send(bind({ statement }), sync());
    expect(answers).toEqual(await direct.until());
    const judged = bench.script.admitted.map((action) => sqlOf(action).text);
    if (known !== null && judged.length > 0) expect(judged).toEqual([known]);
  }
}
