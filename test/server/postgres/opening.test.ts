/** How a session begins and ends: encryption requests, protocol versions, settings, keys, drain, and servers that are not there. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { type Bench, startBench, startListener } from './bench-setup.ts';
import { sqlOf } from './scripted-pipeline.ts';
import { query, wire } from './wire.ts';

const run = promisify(execFile);
/** For what happens soon, on a machine that may be busy. */
const PATIENCE = { timeout: 20_000 };

let bench: Bench;

beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());
beforeEach(() => bench.script.reset());

function packet(code: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(code, 4);
  return Buffer.concat([head, body]);
}

const SSL = packet(80_877_103);
const GSS = packet(80_877_104);
const startup = (minor: number, parameters: Record<string, string>): Buffer => {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`);
  return packet((3 << 16) | minor, Buffer.from(`${pairs.join('')}\0`));
};
const USER = { user: 'postgres', database: 'app' };

/** All that comes back until the other side closes, or until `octets` are there. */
async function converse(
  sent: Uint8Array,
  octets = Number.POSITIVE_INFINITY,
  port = bench.port,
): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  socket.write(sent);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) {
    chunks.push(chunk);
    if (Buffer.concat(chunks).length >= octets) break;
  }
  socket.destroy();
  return Buffer.concat(chunks);
}

const refusalIn = (octets: Buffer): string[] => octets.toString('utf8').split('\0');

describe('before the startup message', () => {
  it('declines encryption, each kind once', async () => {
    expect((await converse(SSL, 1)).toString()).toBe('N');
    expect((await converse(GSS, 1)).toString()).toBe('N');
    const socket = connect(bench.port, '127.0.0.1');
    for (const [request, answer] of [
      [GSS, 'N'],
      [SSL, 'N'],
    ] as const) {
      socket.write(request);
      expect(String((await once(socket, 'data'))[0])).toBe(answer);
    }
    socket.write(SSL);
    expect(refusalIn((await once(socket, 'data'))[0])).toContain('C08P01');
    socket.destroy();
  });

  it('closes, saying nothing, when anything follows an encryption request at once', async () => {
    expect(await converse(Buffer.concat([SSL, startup(0, USER)]))).toHaveLength(0);
  });

  it('refuses TLS without asking in TLS’s own words', async () => {
    expect((await converse(Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05]))).toString('hex')).toBe(
      '15030300020228',
    );
  });

  it('refuses another protocol, a packet of impossible length and one over the bound', async () => {
    expect(refusalIn(await converse(packet(2 << 16, Buffer.alloc(4))))).toContain('C0A000');
    const long = Buffer.alloc(8);
    for (const length of [7, LIMITS.pgStartupPacket + 1, -1]) {
      long.writeInt32BE(length, 0);
      expect(refusalIn(await converse(long))).toContain('Minvalid length of startup packet');
    }
  });

  it('takes a packet of exactly the bound', async () => {
    const settings = { ...USER, client_encoding: 'UTF8' };
    const bare = startup(0, { ...settings, application_name: '' });
    const name = 'x'.repeat(LIMITS.pgStartupPacket - bare.length);
    expect(
      (await converse(startup(0, { ...settings, application_name: name }), 1)).toString('latin1', 0, 1),
    ).toBe('R');
  });

  it.each([
    ['options', '-c standard_conforming_strings=off'],
    ['search_path', 'evil'],
    ['replication', 'database'],
    ['client_encoding', 'SJIS'],
    ['role', 'postgres'],
  ])('refuses the setting %s', async (name, value) => {
    const fields = refusalIn(await converse(startup(0, { ...USER, [name]: value })));
    expect(fields).toContain('C42501');
    expect(fields.some((field) => field.startsWith('M') && field.includes(name))).toBe(true);
  });

  it('refuses one without a user, or that says something twice', async () => {
    expect(refusalIn(await converse(startup(0, { database: 'app' })))).toContain('C42501');
    const twice = packet(3 << 16, Buffer.from('user\0a\0user\0b\0\0'));
    expect(refusalIn(await converse(twice))).toContain('C08P01');
  });

  it.each([
    ['client_encoding', 'utf-8'],
    ['client_encoding', 'SQL_ASCII'],
    ['DateStyle', 'ISO'],
    ['TimeZone', 'UTC'],
    ['extra_float_digits', '2'],
    ['statement_timeout', '1000'],
    ['options', ''],
    ['replication', 'false'],
  ])('lets %s = %s through', async (name, value) => {
    expect((await converse(startup(0, { ...USER, [name]: value }), 1)).toString('latin1', 0, 1)).toBe('R');
  });
});

describe('protocol versions', () => {
  it('carries 3.2, with a long cancel key', async () => {
    const answer = await converse(startup(2, USER), 1);
    expect(answer.toString('latin1', 0, 1)).toBe('R');
  });

  it('negotiates a newer minor version and options that nobody knows', async () => {
    const answer = await converse(startup(9999, { ...USER, '_pq_.test_protocol_negotiation': '' }), 60);
    expect(answer.toString('latin1', 0, 1)).toBe('v');
    expect(answer.readInt32BE(5)).toBe((3 << 16) | 2);
    expect(answer.readInt32BE(9)).toBe(1);
    expect(answer.toString('latin1', 13, 43)).toBe('_pq_.test_protocol_negotiation');
    expect(answer.toString('latin1', 44, 45)).toBe('R');
  });
});

describe('authentication', () => {
  it('refuses a wrong password in the server’s own words', async () => {
    const url = new URL(bench.through);
    url.password = 'wrong';
    const client = new pg.Client(url.href);
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
  });

  it.each(['scram-sha-256', 'md5', 'password', 'trust'])('passes %s through', async (method) => {
    const admin = new pg.Client(bench.direct);
    await admin.connect();
    const { rows } = await admin.query("select setting from pg_settings where name = 'hba_file'");
    const lines = `host all by_method 127.0.0.1/32 ${method}\nhost all all 127.0.0.1/32 scram-sha-256\n`;
    const write = `copy (select unnest(string_to_array($hba$${lines}$hba$, E'\\n'))) to '${rows[0].setting}'`;
    const encryption = method === 'md5' ? 'md5' : 'scram-sha-256';
    await admin.query(`drop role if exists by_method; set password_encryption = '${encryption}';
      create role by_method login password 'pw'`);
    await admin.query(write);
    await admin.query('select pg_reload_conf()');
    const url = new URL(bench.through);
    url.username = 'by_method';
    url.password = 'pw';
    const client = new pg.Client(url.href);
    await client.connect();
    expect((await client.query('select current_user')).rows).toEqual([{ current_user: 'by_method' }]);
    await client.end();
    await admin.end();
  });

  it('refuses a statement before it is done', async () => {
    const answer = await converse(Buffer.concat([startup(0, USER), query('select 1')]));
    expect(refusalIn(answer)).toContain('C08P01');
    expect(bench.script.admitted).toEqual([]);
  });
});

describe('the cancel key', () => {
  it('is not the server’s', async () => {
    const client = await wire(bench.through);
    client.send(query('select pg_backend_pid()'));
    const [, row] = await client.until();
    expect(row).not.toBe(`D ${client.pid}`);
    client.end();
  });
});

describe('a server that is not there', () => {
  it('is told of in an error, and the session ends', async () => {
    const listener = await startListener(bench.script, { host: '127.0.0.1', port: 1 }, bench.analyser);
    const answer = refusalIn(await converse(startup(0, USER), undefined, listener.port));
    expect(answer).toContain('C08001');
    await listener.stop();
  });

  it('is told of when it goes away in the middle', async () => {
    const sockets: Socket[] = [];
    const fake = createServer((socket) => {
      sockets.push(socket);
      // AuthenticationOk, BackendKeyData, ReadyForQuery; and search_path, so that it is not asked for.
      const status = Buffer.from('S\0\0\0\x16search_path\0public\0', 'latin1');
      status.writeInt32BE(status.length - 1, 1);
      socket.once('data', () =>
        socket.write(
          Buffer.concat([
            Buffer.from('R\0\0\0\x08\0\0\0\0', 'latin1'),
            status,
            Buffer.from('K\0\0\0\x0c\0\0\0\x01\0\0\0\x02Z\0\0\0\x05I', 'latin1'),
          ]),
        ),
      );
    });
    await once(fake.listen(0, '127.0.0.1'), 'listening');
    const address = fake.address();
    const listener = await startListener(
      bench.script,
      {
        host: '127.0.0.1',
        port: typeof address === 'object' && address ? address.port : 0,
      },
      bench.analyser,
    );
    const url = new URL(bench.through);
    url.port = String(listener.port);
    const client = await wire(url.href);
    client.send(query('select 1'));
    await once(sockets[0] as Socket, 'data');
    sockets[0]?.destroy();
    expect(await client.until('E')).toEqual(['E 08006']);
    await client.closed();
    await bench.script.outcomes(1);
    expect(bench.script.settled[0]?.outcome.status).toBe('aborted');
    await listener.stop();
    fake.close();
  });
});

describe('drain', () => {
  it('ends idle sessions, lets what runs finish, and accepts nothing more', async () => {
    const listener = await startListener(bench.script, bench.server, bench.analyser);
    const url = new URL(bench.through);
    url.port = String(listener.port);
    const idle = await wire(url.href);
    const busy = await wire(url.href);
    busy.send(query('select pg_sleep(0.3), 5'));
    await expect.poll(() => bench.script.admitted.length, PATIENCE).toBe(1);
    const drained = listener.listener.drain();
    expect(await idle.until('E')).toEqual(['E 57P01']);
    expect(await busy.until('E')).toEqual(['T', 'D ,5', 'C SELECT 1', 'Z I', 'E 57P01']);
    await drained;
    await expect(wire(url.href)).rejects.toThrow();
    expect(listener.listener.sessions).toBe(0);
  });
});

describe('a Unix socket', () => {
  it('leads to the server as well', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'holdpoint-socket-'));
    await chmod(directory, 0o755);
    // The embedded server listens on loopback only: stand a socket before it.
    const path = join(directory, `.s.PGSQL.${bench.server.port}`);
    const relay = createServer((socket) => {
      const behind = connect(bench.server.port, bench.server.host);
      socket.pipe(behind).pipe(socket);
    });
    await once(relay.listen(path), 'listening');
    const listener = await startListener(
      bench.script,
      { host: directory, port: bench.server.port },
      bench.analyser,
    );
    const url = new URL(bench.through);
    url.port = String(listener.port);
    const client = new pg.Client(url.href);
    await client.connect();
    expect((await client.query('select 3 as three')).rows).toEqual([{ three: 3 }]);
    await client.end();
    await listener.stop();
    relay.close();
    await rm(directory, { recursive: true, force: true });
  });
});

/** Debian's server of an older version, which does not report search_path. */
const OLDER = '/usr/lib/postgresql/15/bin';
const unprivileged = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** Connects as soon as the server lets it. */
async function patiently(url: string): Promise<pg.Client> {
  for (let attempt = 0; ; attempt += 1) {
    const client = new pg.Client(url);
    client.on('error', () => {});
    const failed = await client.connect().then(
      () => null,
      (error: Error) => error,
    );
    if (failed === null) return client;
    if (attempt === 100) throw failed;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe.skipIf(!existsSync(OLDER))('a server before 18', () => {
  it('is asked for its search_path, which is then followed', async () => {
    const home = await mkdtemp(join(tmpdir(), 'holdpoint-older-'));
    await chmod(home, 0o777);
    const data = join(home, 'data');
    await run(
      join(OLDER, 'initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C'],
      unprivileged,
    );
    const args = ['-D', data, '-k', home, '-c', 'listen_addresses=', '-p', '5432'];
    const server = spawn(join(OLDER, 'postgres'), args, { ...unprivileged, stdio: 'ignore' });
    try {
      const listener = await startListener(bench.script, { host: home, port: 5432 }, bench.analyser);
      const client = await patiently(`postgres://postgres@127.0.0.1:${listener.port}/postgres`);
      await client.query('set search_path = a, b');
      await client.query('reset search_path');
      await client.query('select 1');
      const seen = bench.script.admitted.map(sqlOf);
      expect(seen.map(({ search_path }) => search_path.join())).toEqual([
        'postgres,public',
        'a,b',
        'postgres,public',
      ]);
      expect(seen.flatMap(({ flags }) => flags)).not.toContain('session_unknown');
      await client.end();
      await listener.stop();
    } finally {
      server.kill('SIGQUIT');
      await once(server, 'exit');
      await rm(home, { recursive: true, force: true });
    }
  });
});
