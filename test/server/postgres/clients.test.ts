/** Real clients through the listener to a real server: each sees what it would see directly, also after a denial. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './bench-setup.ts';
import { sqlOf } from './scripted-pipeline.ts';

const run = promisify(execFile);
let bench: Bench;
let home: string;

beforeAll(async () => {
  bench = await startBench();
  home = await mkdtemp(join(tmpdir(), 'holdpoint-clients-'));
});
afterAll(async () => {
  await bench.stop();
  await rm(home, { recursive: true, force: true });
});
beforeEach(() => bench.script.reset());

const denyForbidden = (): void => {
  bench.script.decide = ({ text }) => (/forbidden/.test(text) ? 'deny' : 'allow');
};

/** Says so when a client is not there, instead of passing in silence. */
function present(program: string): boolean {
  const there = existsSync(program);
  if (!there) console.warn(`NOT TESTED: ${program} is not installed`);
  return there;
}

interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code?: number;
}

describe.skipIf(!present('/usr/bin/psql'))('psql', () => {
  const psql = (url: string, args: string[]): Promise<Ran> =>
    run('/usr/bin/psql', ['-X', url, ...args], { env: { ...process.env, LC_ALL: 'C' } }).catch(
      (error: Ran) => error,
    );

  async function same(args: string[]): Promise<Ran> {
    const direct = await psql(bench.direct, args);
    const through = await psql(bench.through, args);
    expect({ stdout: through.stdout, code: through.code }).toEqual({
      stdout: direct.stdout,
      code: direct.code,
    });
    // Syntax errors have no position here: the line with the caret is the server's alone.
    const plain = (text: string): string => text.replace(/^LINE \d.*\n\s*\^\n/gm, '');
    expect(plain(through.stderr)).toBe(plain(direct.stderr));
    return through;
  }

  it('sees the same, also of what its backslash commands ask', async () => {
    const { stdout } = await same([
      '-c',
      'select 1 as one, $$two$$ as two',
      '-c',
      '\\d pg_class',
      '-c',
      '\\l',
      '-c',
      '\\du',
    ]);
    expect(stdout).toContain('two');
  });

  it('sees the same errors', async () => {
    const { stderr } = await same([
      '-c',
      'selec 1',
      '-c',
      'table nope',
      '-c',
      'select 1/0',
      '-c',
      'execute nope',
    ]);
    expect(stderr).toContain('syntax error at or near "selec"');
  });

  it('copies in and out, in a transaction, and stops at an error', async () => {
    const file = join(home, 'rows.tsv');
    await writeFile(file, Array.from({ length: 5_000 }, (_, id) => `${id}\tvalue ${id}\n`).join(''));
    const script = join(home, 'script.sql');
    const out = join(home, 'out.tsv');
    await writeFile(
      script,
      `\\set ON_ERROR_STOP 1
      set client_min_messages = error; drop table if exists c; create table c (id int, v text);
      begin; \\copy c from '${file}'
      select count(*) from c; commit;
      \\copy (select * from c order by id) to '${out}'
      prepare p(int) as select v from c where id = $1; execute p(7);
      insert into c values (1, 2, 3);
      select 'never';`,
    );
    const { stdout } = await same(['-f', script]);
    expect(stdout).toContain('value 7');
    expect(stdout).not.toContain('never');
    expect(await readFile(out, 'utf8')).toBe(await readFile(file, 'utf8'));
  });

  it('is told of a denial with reason, detail and hint, and goes on', async () => {
    denyForbidden();
    const { stdout, stderr } = await psql(bench.through, ['-c', "select 'forbidden'", '-c', 'select 7']);
    expect(stderr).toBe(
      'ERROR:  denied by the test\n' +
        'DETAIL:  Denied by policy; rules: test.rule; decision: decision-d\n' +
        'HINT:  Do not retry: ask the security team to change the policy if this is needed.\n',
    );
    expect(stdout).toContain('7');
  });
});

describe.skipIf(!present('/usr/bin/pgbench'))('pgbench', () => {
  const pgbench = async (url: string, args: string[]): Promise<string> => {
    const { stdout } = await run('/usr/bin/pgbench', [...args, url]);
    return stdout;
  };

  beforeAll(async () => {
    await pgbench(bench.through, ['-i', '-q', '-s', '1']);
  }, 60_000);

  it.each(['simple', 'extended', 'prepared'])(
    'runs its own transactions by the %s protocol',
    async (mode) => {
      const output = await pgbench(bench.through, ['-n', '-M', mode, '-c', '4', '-t', '20']);
      expect(output).toContain('number of transactions actually processed: 80/80');
      expect(output).toMatch(/number of failed transactions: 0/);
      const selects = await pgbench(bench.through, ['-n', '-S', '-M', mode, '-c', '4', '-t', '50']);
      expect(selects).toContain('number of transactions actually processed: 200/200');
    },
  );

  it('runs pipelines', async () => {
    const script = join(home, 'pipeline.sql');
    await writeFile(
      script,
      '\\startpipeline\nbegin;\n' +
        'select abalance from pgbench_accounts where aid = 1;\n'.repeat(5) +
        'end;\n\\endpipeline\n',
    );
    const output = await pgbench(bench.through, [
      '-n',
      '-M',
      'extended',
      '-c',
      '2',
      '-t',
      '20',
      '-f',
      script,
    ]);
    expect(output).toContain('number of transactions actually processed: 40/40');
  });
});

describe('pg', () => {
  async function connected<Result>(
    url: string,
    work: (client: pg.Client) => Promise<Result>,
  ): Promise<Result> {
    const client = new pg.Client({ connectionString: url, application_name: 'the agent' });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  it('sees the same', async () => {
    const work = async (client: pg.Client): Promise<unknown[]> => {
      const failed = (text: string, values?: unknown[]): Promise<unknown> =>
        client.query(text, values).catch(({ message, code, severity }) => ({ message, code, severity }));
      return [
        (await client.query('select 1 as one')).rows,
        (await client.query('select $1::int + 1 as two, $2::text as t', [1, 'ü'])).rows,
        (await client.query({ name: 'n', text: 'select $1::jsonb as j', values: [{ a: [1] }] })).rows,
        (await client.query({ name: 'n', text: 'select $1::jsonb as j', values: [{ a: [2] }] })).rows,
        (await Promise.all([1, 2, 3].map((n) => client.query('select $1::int as n', [n])))).map(
          ({ rows }) => rows,
        ),
        await failed('select nope'),
        await failed('select $1::int', ['x']),
        (await client.query("select current_setting('application_name') as name")).rows,
      ];
    };
    expect(await connected(bench.through, work)).toEqual(await connected(bench.direct, work));
  });

  it('after a denial gets the rows of its own next query', async () => {
    denyForbidden();
    await connected(bench.through, async (client) => {
      const answers = await Promise.allSettled([
        client.query('select 1 as n'),
        client.query("select 'forbidden' as n"),
        client.query('select $1::int as n', [2]),
        client.query("select $1::text as n, 'forbidden'", ['x']),
        client.query('select 3 as n'),
      ]);
      const seen = answers.map((one) => (one.status === 'fulfilled' ? one.value.rows[0].n : one.reason.code));
      expect(seen).toEqual([1, '42501', 2, '42501', 3]);
    });
  });
});

describe('postgres', () => {
  it('sees the same, pipelining as it does', async () => {
    const work = async (url: string): Promise<unknown[]> => {
      const sql = postgres(url, {
        max: 1,
        connection: { application_name: 'the agent', TimeZone: 'Asia/Tokyo' },
      });
      try {
        return [
          [...(await sql`select ${1}::int + 1 as two`)],
          (await Promise.all([1, 2, 3, 4].map((n) => sql`select ${n}::int as n`))).map((rows) => [...rows]),
          await sql`select ${'x'}::int`.catch(({ code }) => code),
          await sql`selec 1`.catch(({ code, message }) => [code, message]),
          await sql.begin(async (tx) => [...(await tx`select ${'in'}::text as t`)]),
          [...(await sql.unsafe('select 1 as a; select 2 as b'))].map((rows) => [...rows]),
          await sql`select generate_series(1, 10) as n`.cursor(3, () => {}).then(() => 'read'),
          [...(await sql`show timezone`)],
        ];
      } finally {
        await sql.end();
      }
    };
    expect(await work(bench.through)).toEqual(await work(bench.direct));
  });

  it('after a denial gets the rows of its own next query', async () => {
    denyForbidden();
    const sql = postgres(bench.through, { max: 1 });
    const answers = await Promise.allSettled([
      sql`select ${1}::int as n`,
      sql`select ${'x'}::text as n, 'forbidden'`,
      sql`select ${2}::int as n`,
    ]);
    const seen = answers.map((one) => (one.status === 'fulfilled' ? one.value[0]?.n : one.reason.code));
    expect(seen).toEqual([1, '42501', 2]);
    await sql.end();
  });
});

/** Where psycopg is, installed once for all runs on this machine; null where it cannot be had. */
async function psycopg(): Promise<string | null> {
  const venv = join(tmpdir(), `holdpoint-psycopg-${process.getuid?.() ?? 0}`);
  const python = join(venv, 'bin', 'python');
  try {
    if (existsSync(python)) await run(python, ['-c', 'import psycopg']);
    else {
      await run('python3', ['-m', 'venv', venv]);
      await run(python, [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        'psycopg[binary]==3.*',
      ]);
    }
    return python;
  } catch (error) {
    console.warn(
      `NOT TESTED: psycopg cannot be had: ${error instanceof Error ? error.message.split('\n')[0] : error}`,
    );
    return null;
  }
}

describe('psycopg', () => {
  it('sees the same, and what it should after a denial', async ({ skip }) => {
    const python = await psycopg();
    if (python === null) return skip();
    const script = join(import.meta.dirname, 'psycopg-session.py');
    const seen = async (url: string, ...more: string[]): Promise<[string, unknown][]> =>
      JSON.parse((await run(python, [script, url, ...more])).stdout);
    expect(await seen(bench.through)).toEqual(await seen(bench.direct));
    denyForbidden();
    const denied = Object.fromEntries(await seen(bench.through, 'deny'));
    expect(denied.denied).toEqual(['InsufficientPrivilege', '42501', 'denied by the test']);
    expect(denied['denied with parameters']).toEqual([
      'InsufficientPrivilege',
      '42501',
      'denied by the test',
    ]);
    expect(denied.next).toEqual([[7]]);
    expect(denied.status).toBe('IDLE');
    const bound = bench.script.admitted
      .map(sqlOf)
      .find(({ text }) => text.startsWith('insert into py values ($1'));
    expect(bound?.parameters.map(({ type }) => type)).toEqual(['int2', 'unknown', 'bytea']);
  }, 180_000);
});
