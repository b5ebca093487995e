/** A hostile agent sends octets that no driver sends: nothing that was not permitted reaches the server. */

import { connect } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, startBench } from '../server/postgres/bench-setup.ts';
import { sqlOf } from '../server/postgres/scripted-pipeline.ts';
import {
  bind,
  copyData,
  copyDone,
  execute,
  flush,
  parse,
  query,
  sync,
  type Wire,
  wire,
} from '../server/postgres/wire.ts';

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
  await admin.query('drop table if exists t; create table t (id int primary key); insert into t values (1)');
  client = await wire(bench.through);
  return () => client.end();
});

const rows = async (): Promise<number> => (await admin.query('select count(*)::int as n from t')).rows[0].n;
const holdDeletes = (): void => {
  bench.script.decide = ({ text }) => (/delete/i.test(text) ? 'hold' : 'allow');
};
function message(type: string, body: Buffer | string, length?: number): Buffer {
  const octets = Buffer.from(body as string);
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(length ?? octets.length + 4, 1);
  return Buffer.concat([head, octets]);
}
/** Everything that comes until the other side closes, or two seconds without an end. */
function raw(octets: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(bench.port, '127.0.0.1');
    let seen = '';
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(seen));
    socket.end(octets);
  });
}
const startup = (): Buffer => {
  const body = Buffer.from(
    `\0\x03\0\0user\0${new URL(bench.direct).username}\0database\0postgres\0\0`,
    'latin1',
  );
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
};

describe('octets before a session', () => {
  it.each([
    ['a statement before the password', () => Buffer.concat([startup(), message('Q', 'delete from t\0')])],
    ['a second startup', () => Buffer.concat([startup(), startup()])],
    ['a statement without a startup', () => message('Q', 'delete from t\0')],
    [
      'a statement as a password',
      () => Buffer.concat([startup(), message('p', 'x\0'), message('Q', 'delete from t\0')]),
    ],
    [
      'an encryption request after the startup',
      () => Buffer.concat([startup(), Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])]),
    ],
    ['a negative length', () => Buffer.from([255, 255, 255, 255, 0, 3, 0, 0])],
  ])('reach nothing: %s', async (_, octets) => {
    await raw(octets());
    expect(bench.script.admitted).toEqual([]);
    expect(await rows()).toBe(1);
  });
});

describe('a malformed message', () => {
  const bindWith = (tail: number[]): Buffer =>
    message('B', Buffer.concat([Buffer.from('\0\0'), Buffer.from(tail)]));
  it.each([
    ['Query without terminator', message('Q', 'delete from t')],
    ['Query with octets after its NUL', message('Q', 'select 1\0delete from t\0')],
    ['length 3', message('Q', 'delete from t\0', 3)],
    ['length 0', message('S', '', 0)],
    ['length -1', message('Q', 'x', -1)],
    ['length 2^31 - 1', message('Q', 'x', 0x7fffffff)],
    ['Sync with a body', message('S', 'x')],
    ['unknown type', message('?', '')],
    ['a password in mid session', message('p', 'x\0')],
    ['Bind with format 2', bindWith([0, 1, 0, 2, 0, 0, 0, 0])],
    ['Bind with two formats for one value', bindWith([0, 2, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0])],
    ['Bind with length -2', bindWith([0, 0, 0, 1, 255, 255, 255, 254, 0, 0])],
    ['Bind with more octets', bindWith([0, 0, 0, 0, 0, 0, 9])],
    ['Parse with fewer types than it says', message('P', Buffer.from('\0select 1\0\0\x05', 'latin1'))],
    ['Describe of neither', message('D', 'X\0')],
    ['Close of neither', message('C', 'X\0')],
    ['a name that is not UTF-8', message('D', Buffer.from([0x53, 0xff, 0]))],
    ['FunctionCall cut short', message('F', Buffer.from([0, 0, 1]))],
  ])('runs nothing of what comes with it: %s', async (_, octets) => {
    client.send(octets, query('delete from t'), sync());
    await Promise.race([client.closed(), client.until('Z', 2)]).catch(() => {});
    const ran = bench.script.admitted
      .map((action) => sqlOf(action).text)
      .filter((text) => text === 'delete from t');
    // Where the session went on, the statement was judged like any other.
    if (ran.length === 0) expect(await rows()).toBe(1);
  });
});

describe('while a statement is held', () => {
  it('what follows waits, and goodbye withdraws it', async () => {
    holdDeletes();
    client.send(query('delete from t'));
    const held = await bench.script.waiting();
    client.send(query('insert into t values (2)'), flush(), sync(), message('X', ''));
    await client.closed();
    held.approve();
    expect(bench.script.withdrawn).toEqual([held.ticket]);
    expect(await rows()).toBe(1);
  });

  it('a malformed message ends it, and an approval that comes later runs nothing', async () => {
    holdDeletes();
    client.send(query('delete from t'));
    const held = await bench.script.waiting();
    client.send(message('?', ''));
    await client.closed();
    held.approve();
    expect(await rows()).toBe(1);
  });

  it('an approval at the same moment as the end of the client runs at most what was approved, and has one outcome', async () => {
    holdDeletes();
    client.send(query('delete from t'));
    const held = await bench.script.waiting();
    client.socket.destroy();
    held.approve();
    await bench.script.outcomes(1);
    expect(bench.script.settled).toHaveLength(1);
  });

  it('two thousand wrong keys cancel nothing', async () => {
    holdDeletes();
    client.send(query('delete from t'));
    const held = await bench.script.waiting();
    const cancel = (pid: number, key: number): Promise<string> => {
      const octets = Buffer.alloc(16);
      octets.writeInt32BE(16, 0);
      octets.writeInt32BE(80_877_102, 4);
      octets.writeInt32BE(pid, 8);
      octets.writeInt32BE(key, 12);
      return raw(octets);
    };
    for (let at = 0; at < 2_000; at += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => cancel(client.pid, (client.secret ^ (at + index + 1)) | 0)),
      );
    expect(held.signal.aborted).toBe(false);
    await cancel(client.pid, client.secret);
    expect((await client.until()).at(0)).toBe('E 57014');
  });
});

describe('COPY', () => {
  it('takes data that looks like messages for data', async () => {
    await admin.query('create table if not exists lines (line text); truncate lines');
    const trap = message('Q', 'delete from t\0').toString('latin1').replaceAll('\0', '.');
    client.send(query('copy lines from stdin'), copyData(Buffer.from(`${trap}\n`)), copyDone());
    expect(await client.until()).toContain('C COPY 1');
    expect(await rows()).toBe(1);
  });

  it('with a statement pipelined behind it does not leave the two sides out of step', async () => {
    client.send(
      query('copy t from stdin'),
      query("select 'second'"),
      copyData(Buffer.from('7\n')),
      copyDone(),
    );
    // A hang is the runner's time limit: either both answers come, or the session is ended.
    const ended = await Promise.race([
      client.until('Z', 2).then(
        () => 'answered',
        () => 'closed',
      ),
      client.closed().then(() => 'closed'),
    ]);
    expect(['answered', 'closed']).toContain(ended);
  });
});

describe('our own word', () => {
  it('cannot be said by the client: an error that quotes it is the server’s', async () => {
    bench.script.decide = ({ text }) => (text.includes('secret') ? 'deny' : 'allow');
    client.send(query('select * from secret'));
    expect((await client.until())[0]).toBe('E 42501');
    expect(JSON.stringify(client.error())).not.toMatch(/holdpoint_[0-9a-f]{16}/);
    for (const field of ['P', 'q', 'W', 'p']) expect(client.error()[field]).toBeUndefined();
    client.send(
      query("do $$begin raise exception 'holdpoint_%', repeat('0', 32) using errcode = '42501'; end$$"),
    );
    expect((await client.until())[0]).toBe('E 42501');
    expect(client.error().M).toContain('holdpoint_000');
  });

  it('is not told to the client of a batch, nor to pg_stat_activity of the next statement', async () => {
    bench.script.decide = ({ text }) => (text.includes('secret') ? 'deny' : 'allow');
    client.send(parse({ text: 'select * from secret' }), bind({}), execute({}), sync());
    const answers = await client.until();
    expect(answers).toEqual(['E 42501', 'Z I']);
    expect(JSON.stringify(client.error())).not.toMatch(/holdpoint_[0-9a-f]{16}/);
  });
});
