/** A hostile client and a hostile upstream on raw sockets: one permit, one request, and exactly the octets judged. */

import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningProxy, startProxy } from '../server/http/support.ts';
import { converse, open } from '../server/http/wire.ts';

let proxy: RunningProxy;
let origin: Server;
let port = 0;
let reached = '';
/** What the upstream says to each connection once it has seen a whole head. */
let answer: (socket: Socket, seen: string) => void;

beforeAll(async () => {
  proxy = await startProxy();
  origin = createServer((socket) => {
    let seen = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
      reached += chunk.toString('latin1');
      if (seen.includes('\r\n\r\n')) answer(socket, seen);
    });
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  port = (origin.address() as AddressInfo).port;
});
afterAll(async () => {
  await proxy.stop();
  origin.close();
});
beforeEach(() => {
  reached = '';
  proxy.pipeline.verdict = () => 'allow';
  answer = (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
});

const host = (): string => `127.0.0.1:${port}`;
const request = (method: string, path: string, rest = ''): string =>
  `${method} http://${host()}${path} HTTP/1.1\r\nHost: ${host()}\r\n${rest}\r\n`;

describe('a client', () => {
  it('has nothing of its second request ride on the permit of the first', async () => {
    proxy.pipeline.verdict = (action) => (action.display.title.includes('/held') ? 'hold' : 'deny');
    const client = open(proxy.port);
    client.send(`${request('POST', '/held', 'Content-Length: 2\r\n')}ab${request('DELETE', '/second')}`);
    const held = await proxy.pipeline.held();
    held.answer(true);
    await client.expect(/200 OK[\s\S]*403 /);
    expect(reached).not.toContain('second');
    client.socket.destroy();
  });

  it('smuggles nothing in a body that is longer than its length', async () => {
    proxy.pipeline.verdict = (action) => (action.display.title.includes('/first') ? 'allow' : 'deny');
    const client = open(proxy.port);
    client.send(`${request('POST', '/first', 'Content-Length: 1\r\n')}x${request('DELETE', '/second')}`);
    await client.expect(/200 OK[\s\S]*403 /);
    expect(reached).not.toContain('second');
    client.socket.destroy();
  });

  it.each([
    ['chunk extensions', '2;a="\r\n\r\nok\r\n0\r\n\r\n'],
    ['a chunk longer than it says', '2\r\nokGET / HTTP/1.1\r\n0\r\n\r\n'],
    ['a trailer that frames', '2\r\nok\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a chunk size in hex notation', '0x2\r\nok\r\n0\r\n\r\n'],
    ['a chunk size with a sign', '+2\r\nok\r\n0\r\n\r\n'],
    ['white space before a chunk size', ' 2\r\nok\r\n0\r\n\r\n'],
  ])('has nothing pass that is read in two ways: %s', async (_, body) => {
    await converse(
      proxy.port,
      request('POST', '/', 'Transfer-Encoding: chunked\r\nConnection: close\r\n') + body,
      /\r\n\r\n/,
    );
    expect(reached).not.toMatch(/GET \/ HTTP|0x2|content-length: 9|;a=/i);
  });

  it('is not read past Connection: close', async () => {
    const seen = await converse(
      proxy.port,
      request('GET', '/a', 'Connection: close\r\n') + request('GET', '/b'),
    );
    expect((seen.match(/HTTP\/1\.1/g) ?? []).length).toBeLessThanOrEqual(1);
    expect(reached).not.toContain('/b');
  });

  it.each(['X-HTTP-Method-Override', 'X_Under'])(
    'gets the case and order of %s through as judged',
    async (name) => {
      await converse(proxy.port, request('GET', '/', `${name}: v\r\nConnection: close\r\n`));
      expect(reached).toContain(`${name}: v`);
    },
  );

  it('has its method judged as it is sent', async () => {
    const seen = await converse(proxy.port, request('get', '/', 'Connection: close\r\n'), /\r\n\r\n/);
    const methods = proxy.pipeline.asked.map(
      ({ facts }) => facts.kind === 'http' && facts.attributes.request.http.method,
    );
    if (seen.includes('200 OK')) expect(methods.at(-1)).toBe('get');
    expect(reached).not.toMatch(/^GET/);
  });

  it('does not see a bomb for a body', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, ' '));
    await converse(
      proxy.port,
      Buffer.concat([
        Buffer.from(
          request(
            'POST',
            '/',
            `Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\nConnection: close\r\n`,
          ),
        ),
        bomb,
      ]),
      /200 OK/,
    );
    const facts = proxy.pipeline.asked.at(-1)?.facts;
    expect(facts?.kind === 'http' && facts.truncated_body).toBe(true);
  });

  it.each([
    ['deep', '['.repeat(30_000) + ']'.repeat(30_000)],
    ['doubled', '{"a":1,"a":2}'],
    ['doubled by escape', '{"a":1,"\\u0061":2}'],
    ['__proto__', '{"__proto__":{"admin":true},"a":1}'],
    ['a huge number', `{"a":1e400,"b":${'9'.repeat(400)}}`],
  ])('is not judged by JSON that is read in two ways: %s', async (name, json) => {
    await converse(
      proxy.port,
      request(
        'POST',
        '/',
        `Content-Type: application/json\r\nContent-Length: ${json.length}\r\nConnection: close\r\n`,
      ) + json,
      /\r\n\r\n/,
    );
    const facts = proxy.pipeline.asked.at(-1)?.facts;
    if (facts?.kind !== 'http') throw new Error('not asked');
    if (name === '__proto__') expect(Object.keys(facts.parsed_body as object)).toEqual(['__proto__', 'a']);
    else expect(facts.http.ambiguous || facts.truncated_body || facts.parsed_body === null).toBe(true);
  });
});

describe('an upstream', () => {
  it.each([
    [
      'two lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\nokHTTP/1.1 200 OK\r\nX: smuggled\r\n\r\n',
    ],
    [
      'a length and a coding',
      'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nX: smuggled\r\n\r\n',
    ],
    [
      'more than its length',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nX: smuggled\r\nContent-Length: 0\r\n\r\n',
    ],
    [
      'a body to HEAD',
      'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nX: smuggled\r\nContent-Length: 0\r\n\r\n',
    ],
    ['a split field', 'HTTP/1.1 200 OK\r\nX: a\rHTTP/1.1 200 OK\rX: smuggled\r\nContent-Length: 0\r\n\r\n'],
    [
      'a switch that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nX: smuggled',
    ],
  ])('puts no second response in the client’s stream with %s', async (_, octets) => {
    answer = (socket) => socket.write(octets);
    const client = open(proxy.port);
    client.send(request('GET', '/one', 'Connection: close\r\n'));
    const seen = await client.closed().catch(String);
    expect(seen).not.toContain('smuggled');
    expect((seen.match(/HTTP\/1\.1/g) ?? []).length).toBeLessThanOrEqual(1);
  });

  it('tires nobody with informational responses', async () => {
    answer = (socket) =>
      socket.end(
        `${'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'.repeat(5_000)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
      );
    const seen = await converse(proxy.port, request('GET', '/', 'Connection: close\r\n'));
    expect(seen.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('fills no memory with its head', async () => {
    answer = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      socket.end(`X: ${'a'.repeat(10_000_000)}\r\n\r\n`);
    };
    expect(await converse(proxy.port, request('GET', '/', 'Connection: close\r\n'))).toMatch(
      /^HTTP\/1\.1 502 /,
    );
  });
});
