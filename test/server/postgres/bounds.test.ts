/** Bounds of a listener, and loads that should not trouble it: long rows, long texts, deep texts, many sessions. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { createPostgresListener } from '../../../src/server/postgres/listener.ts';
import { handClock } from '../../support/clock.ts';
import { silentLogger } from '../../support/logger.ts';
import { type Bench, startBench } from './bench-setup.ts';
import { query, wire } from './wire.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());
beforeEach(() => bench.script.reset());

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Octets in buffers that something still holds. */
function bufferedOctets(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

describe('a listener', () => {
  it('takes so many sessions, and tells one more in PostgreSQL’s words', async () => {
    const clock = handClock();
    const listener = createPostgresListener({
      name: 'full',
      listen: { host: '127.0.0.1', port: 0 },
      upstream: bench.server,
      pipeline: bench.script,
      analyser: bench.analyser,
      clock,
      random: randomBytes,
      logger: silentLogger,
      waits: { outside: 1_000, inTransaction: 1_000 },
    });
    const { port } = await listener.listen();
    const sockets: Socket[] = [];
    for (let count = 0; count < LIMITS.pgSessions; count += 1) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      sockets.push(socket);
      await once(socket, 'connect');
    }
    await expect.poll(() => listener.sessions, { timeout: 20_000 }).toBe(LIMITS.pgSessions);
    // It never closes its side, and must not keep the drain waiting for it below.
    const late = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    late.on('error', () => {});
    const [answer] = await once(late, 'data');
    expect(String(answer)).toContain('C53300\0Msorry, too many clients already');
    expect(listener.sessions).toBe(LIMITS.pgSessions);
    // None of them says anything: their time to open a session runs out.
    clock.advance(LIMITS.pgOpening - 1);
    expect(listener.sessions).toBe(LIMITS.pgSessions);
    clock.advance(1);
    await expect.poll(() => listener.sessions, { timeout: 20_000 }).toBe(0);
    await listener.drain();
    late.destroy();
  });
});

describe('a long result', () => {
  it('passes in flat memory, and at the client’s pace', async () => {
    const client = await wire(bench.through);
    const { socket } = client;
    let octets = 0;
    let tail = Buffer.alloc(0);
    socket.removeAllListeners('data');
    const done = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        octets += chunk.length;
        tail = Buffer.concat([tail, chunk]).subarray(-6);
        if (tail.toString('latin1') === 'Z\0\0\0\x05I') resolve();
      });
    });
    // 100 rows of 1 MB. The client stops reading for a while: nothing piles up.
    client.send(
      query('select repeat(i::text, 1000000) from generate_series(0, 9) i, generate_series(1, 10)'),
    );
    await once(socket, 'data');
    const before = bufferedOctets();
    socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const kept = bufferedOctets() - before;
    const seen = octets;
    socket.resume();
    await done;
    expect(seen).toBeLessThan(octets / 2);
    expect(kept).toBeLessThan(8 * 1024 * 1024);
    expect(octets).toBeGreaterThan(100_000_000);
    await bench.script.outcomes(1);
    expect(bench.script.settled[0]?.outcome.detail).toMatchObject({ rows: 100, command_tag: 'SELECT 100' });
    client.end();
  }, 60_000);
});

describe('a text', () => {
  let client: pg.Client;
  beforeEach(async () => {
    client = new pg.Client(bench.through);
    await client.connect();
    return () => client.end();
  });

  it('of almost 1 MB runs, with its parameter', async () => {
    const text = `select length('${'x'.repeat(LIMITS.sqlText - 40)}') as n, $1::text as p`;
    expect((await client.query(text, ['y'.repeat(5_000_000)])).rows[0].n).toBe(LIMITS.sqlText - 40);
  });

  it('over 1 MB is refused, and the session goes on', async () => {
    const text = `select '${'x'.repeat(LIMITS.sqlText)}'`;
    await expect(client.query(text)).rejects.toMatchObject({ code: '54000' });
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  it.each([
    ['200 kB of 1+1+1…', `select ${'1+'.repeat(100_000)}1`],
    ['comments nested 20,000 deep', `${'/*'.repeat(20_000)}${'*/'.repeat(20_000)} select 1`],
    ['100,000 parentheses', `select ${'('.repeat(100_000)}1${')'.repeat(100_000)}`],
  ])(
    'of %s ends in an error or a result, and the session goes on',
    async (_name, text) => {
      const answer = await client.query(text).then(
        () => 'ran',
        ({ code }) => code,
      );
      expect(['ran', '54000', '54001', '42601', '57014']).toContain(answer);
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    },
    30_000,
  );

  it('with a NUL or in another encoding is refused, and the session goes on', async () => {
    const raw = await wire(bench.through);
    raw.send(query('select 1\0; drop table x'));
    expect(await raw.until()).toEqual(['E 22021', 'Z I']);
    const sjis = query("select E'??'");
    sjis.set([0x95, 0x5c], sjis.indexOf('??'));
    raw.send(sjis);
    expect(await raw.until()).toEqual(['E 22021', 'Z I']);
    raw.send(query('select 1'));
    expect(await raw.until()).toEqual(['T', 'D 1', 'C SELECT 1', 'Z I']);
    raw.end();
  });
});

describe('cancelling', () => {
  it('at any moment ends one statement at most, and never the next', async () => {
    const client = new pg.Client(bench.through);
    await client.connect();
    const key = client as unknown as { processID: number; secretKey: number };
    bench.script.decide = ({ text }) => (/held/.test(text) ? 'hold' : 'allow');
    for (let round = 0; round < 20; round += 1) {
      const text = round % 2 ? 'select pg_sleep(0.01)' : 'select 1 /* held */';
      const asked = client.query(text).then(
        () => 'ran',
        ({ code }) => code,
      );
      if (round % 2 === 0) await bench.script.waiting();
      const cancel = connect(bench.port, '127.0.0.1');
      const packet = Buffer.alloc(16);
      [16, 80_877_102, key.processID, key.secretKey].forEach((value, index) => {
        packet.writeInt32BE(value, 4 * index);
      });
      cancel.end(packet);
      await once(cancel, 'close');
      expect(['ran', '57014']).toContain(await asked);
    }
    expect((await client.query('select 7 as n')).rows).toEqual([{ n: 7 }]);
    await client.end();
  });
});
