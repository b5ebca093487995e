import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Origin, type RunningProxy, run, startOrigin, startProxy, startTlsOrigin } from './support.ts';
import { converse, open, wire } from './wire.ts';

/** A CONNECT, answered 200, and the socket behind it. */
async function tunnel(proxy: RunningProxy, target: string): Promise<Socket> {
  const request = httpRequest({
    port: proxy.port,
    method: 'CONNECT',
    path: target,
    headers: { host: target },
    agent: false,
  });
  request.end();
  const [response, socket] = (await once(request, 'connect')) as [{ statusCode: number }, Socket];
  expect(response.statusCode).toBe(200);
  return socket;
}

async function secure(
  proxy: RunningProxy,
  target: string,
  servername: string | undefined,
  ca = proxy.ca,
): Promise<TLSSocket> {
  const socket = tlsConnect({
    socket: await tunnel(proxy, target),
    ca,
    ALPNProtocols: ['http/1.1'],
    ...(servername === undefined ? { host: target.split(':')[0] ?? '' } : { servername }),
    checkServerIdentity: () => undefined,
  });
  await once(socket, 'secureConnect');
  return socket;
}

describe('tunnels', () => {
  let proxy: RunningProxy;
  let origin: Origin & { ca: string };
  let other: Origin & { ca: string };
  let plain: Origin;

  beforeAll(async () => {
    origin = await startTlsOrigin(['api.example.test'], (request, response) =>
      response.end(`answer to ${request.url}`),
    );
    other = await startTlsOrigin(['pinned.example.test'], (_request, response) =>
      response.end('the real thing'),
    );
    plain = await startOrigin((request, response) =>
      response.end(`plain ${request.headers.host}${request.url}`),
    );
    proxy = await startProxy({
      tls: { intercept: true, bypass: ['*.pinned.test', 'pinned.example.test'] },
      upstream: {
        ca: [origin.ca],
        resolve: {
          'api.example.test:443': `127.0.0.1:${origin.port}`,
          'wrong.example.test:443': `127.0.0.1:${origin.port}`,
          'untrusted.example.test:443': `127.0.0.1:${other.port}`,
          'pinned.example.test:443': `127.0.0.1:${other.port}`,
          'plain.example.test:80': `127.0.0.1:${plain.port}`,
          'closed.example.test:443': '127.0.0.1:1',
        },
      },
    });
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
    await other.stop();
    await plain.stop();
  });
  beforeEach(() => {
    proxy.pipeline.verdict = () => 'allow';
    proxy.pipeline.asked.length = 0;
    proxy.pipeline.outcomes.length = 0;
  });

  const curl = (...args: string[]) => run('curl', ['-sS', '--max-time', '10', '--proxy', proxy.url, ...args]);

  it('opens a tunnel without asking, and asks for each request in it', async () => {
    const socket = wire(await secure(proxy, 'api.example.test:443', 'api.example.test'));
    expect(proxy.pipeline.asked).toHaveLength(0);
    for (const path of ['/1', '/2']) {
      socket.send(`GET ${path} HTTP/1.1\r\nHost: api.example.test\r\n\r\n`);
      await socket.expect(new RegExp(`answer to ${path}`));
    }
    expect(proxy.pipeline.asked).toHaveLength(2);
    socket.socket.destroy();
  });

  it('answers every request with a refusal where the server name is not the tunnel’s host', async () => {
    const socket = wire(await secure(proxy, 'api.example.test:443', 'other.example.test'));
    socket.send('GET / HTTP/1.1\r\nHost: other.example.test\r\nConnection: close\r\n\r\n');
    expect(await socket.closed()).toMatch(/^HTTP\/1\.1 400 [\s\S]*TLS server name/);
    expect(proxy.pipeline.asked).toEqual([]);
  });

  it.each([
    ['GET / HTTP/1.1\r\nHost: other.example.test\r\n', 'another host than the tunnel'],
    ['GET / HTTP/1.1\r\nHost: api.example.test:8443\r\n', 'another host than the tunnel'],
    [
      'GET https://other.example.test/ HTTP/1.1\r\nHost: other.example.test\r\n',
      'another host than the tunnel',
    ],
    ['GET http://api.example.test/ HTTP/1.1\r\nHost: api.example.test\r\n', 'another host than the tunnel'],
    ['GET https://other.example.test/ HTTP/1.1\r\nHost: api.example.test\r\n', 'differ'],
    ['GET / HTTP/1.1\r\n', 'missing'],
  ])('refuses %j inside the tunnel', async (head, detail) => {
    const socket = wire(await secure(proxy, 'api.example.test:443', 'api.example.test'));
    socket.send(`${head}Connection: close\r\n\r\n`);
    const answer = await socket.closed();
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain(detail);
    expect(proxy.pipeline.asked).toEqual([]);
  });

  it('refuses a tunnel inside a tunnel', async () => {
    const socket = wire(await secure(proxy, 'api.example.test:443', 'api.example.test'));
    socket.send('CONNECT other.example.test:443 HTTP/1.1\r\nHost: other.example.test:443\r\n\r\n');
    expect(await socket.closed()).toMatch(/^HTTP\/1\.1 501 [\s\S]*tunnel inside a tunnel/);
  });

  it('reads plain HTTP inside a tunnel', async () => {
    const socket = wire(await tunnel(proxy, 'plain.example.test:80'));
    socket.send('GET /x HTTP/1.1\r\nHost: plain.example.test\r\n\r\n');
    await socket.expect(/plain plain\.example\.test\/x/);
    expect(proxy.pipeline.asked[0]?.facts).toMatchObject({
      attributes: { request: { http: { scheme: 'http', host: 'plain.example.test' } } },
    });
    socket.socket.destroy();
  });

  it('closes a tunnel that carries neither TLS nor HTTP, unseen by any upstream', async () => {
    const socket = wire(await tunnel(proxy, 'plain.example.test:80'));
    socket.send('\x00\x01\x02');
    expect(await socket.closed()).toBe('');
    expect(proxy.pipeline.asked).toEqual([]);
  });

  it('carries a bypassed host as it is, once its destination is permitted', async () => {
    const seen = await curl('--cacert', await caFile(other.ca), 'https://pinned.example.test/');
    expect(seen).toMatchObject({ code: 0, stdout: 'the real thing' });
    expect(proxy.pipeline.asked).toHaveLength(1);
    expect(proxy.pipeline.asked[0]?.facts).toMatchObject({
      attributes: { request: { http: { method: 'CONNECT', host: 'pinned.example.test:443', path: '' } } },
      truncated_body: true,
      http: { tls: { intercepted: false } },
      action: { access: 'unknown', tags: ['tunnel'] },
    });
    await proxy.pipeline.until(() => proxy.pipeline.outcomes.length === 1);
    expect(proxy.pipeline.outcomes[0]).toMatchObject({ status: 'completed', detail: { http_status: 200 } });
    expect(Number(proxy.pipeline.outcomes[0]?.detail.response_bytes)).toBeGreaterThan(100);
  });

  it('refuses a bypassed host by CONNECT’s own answer', async () => {
    proxy.pipeline.verdict = () => 'deny';
    const answer = await converse(proxy.port, 'CONNECT pinned.example.test:443 HTTP/1.1\r\n\r\n');
    expect(answer).toMatch(
      /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*application\/problem\+json[\s\S]*the script denies it/,
    );
  });

  it('holds a bypassed tunnel, and withdraws it with its client', async () => {
    proxy.pipeline.verdict = () => 'hold';
    const client = open(proxy.port);
    client.send('CONNECT pinned.example.test:443 HTTP/1.1\r\n\r\n');
    await proxy.pipeline.held();
    client.socket.destroy();
    await proxy.pipeline.until(() => proxy.pipeline.withdrawn.length === 1);
    const second = open(proxy.port);
    second.send('CONNECT pinned.example.test:443 HTTP/1.1\r\n\r\n');
    (await proxy.pipeline.held()).answer(true);
    await second.expect(/^HTTP\/1\.1 200 Connection Established\r\n\r\n$/);
    second.socket.destroy();
  });

  it('asks before every tunnel where interception is off', async () => {
    const blind = await startProxy({
      tls: { intercept: false, bypass: [] },
      upstream: { ca: [], resolve: { 'api.example.test:443': `127.0.0.1:${origin.port}` } },
    });
    const seen = await run('curl', [
      '-sS',
      '--proxy',
      blind.url,
      '--cacert',
      await caFile(origin.ca),
      'https://api.example.test/blind',
    ]);
    expect(seen.stdout).toBe('answer to /blind');
    expect(blind.pipeline.asked[0]?.display.text).toContain('nothing inside it can be seen');
    await blind.stop();
  });

  it('does not trust an upstream by another name, nor one of an unknown authority', async () => {
    for (const host of ['wrong.example.test', 'untrusted.example.test']) {
      const seen = await curl('-i', '--cacert', proxy.caFile, `https://${host}/`);
      expect(seen.stdout).toMatch(/HTTP\/1\.1 502 [\s\S]*upstream_tls/);
    }
    expect(proxy.pipeline.outcomes).toEqual([
      {
        status: 'failed',
        detail: { http_status: null, request_bytes: 0, response_bytes: 0, reason: 'upstream_tls' },
      },
      {
        status: 'failed',
        detail: { http_status: null, request_bytes: 0, response_bytes: 0, reason: 'upstream_tls' },
      },
    ]);
  });

  it('tells an upstream that is not there from one that breaks off or talks nonsense', async () => {
    const seen = await curl('-i', '--cacert', proxy.caFile, 'https://closed.example.test/');
    expect(seen.stdout).toMatch(/HTTP\/1\.1 502 [\s\S]*upstream_unreachable/);
    const ask = async (answer: (socket: Socket) => void) => {
      const server = await raw(answer);
      const { port } = server.address() as AddressInfo;
      const text = await converse(
        proxy.port,
        `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
      );
      server.close();
      return text;
    };
    expect(await ask((socket) => socket.destroy())).toMatch(/502 [\s\S]*upstream_lost/);
    expect(await ask((socket) => socket.end('nonsense\r\n\r\n'))).toMatch(/502 [\s\S]*upstream_protocol/);
    expect(
      await ask((socket) =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
      ),
    ).toMatch(/502 [\s\S]*upstream_protocol/);
  });

  it('sends a request once, though the connection it was sent on was already dead', async () => {
    let requests = 0;
    const server = await raw((socket) => {
      requests += 1;
      // The first is answered and kept alive; what comes second on it finds the connection dying.
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      socket.once('data', () => {
        requests += 1;
        socket.destroy();
      });
    });
    const { port } = server.address() as AddressInfo;
    const post = () =>
      converse(
        proxy.port,
        `POST http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
      );
    expect(await post()).toMatch(/200 OK/);
    expect(await post()).toMatch(/502 [\s\S]*upstream_lost/);
    expect(requests).toBe(2);
    server.close();
  });

  async function caFile(pem: string): Promise<string> {
    const { fileWith } = await import('./support.ts');
    return fileWith(proxy.stateDir, `ca-${pem.length}-${pem.slice(40, 48).replace(/\W/g, '')}.pem`, pem);
  }
});

async function raw(onSocket: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => onSocket(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('draining', () => {
  it('finishes what is under way, refuses what is new on open connections, and then closes', async () => {
    let release: () => void = () => {};
    const origin = await startOrigin((_request, response) => {
      release = () => response.end('finished');
    });
    const proxy = await startProxy();
    const target = `127.0.0.1:${origin.port}`;
    const head = `GET http://${target}/ HTTP/1.1\r\nHost: ${target}\r\n\r\n`;
    const busy = open(proxy.port);
    busy.send(head);
    await once(origin.server, 'request');
    const drained = proxy.listener.drain();
    await expect(once(tcpConnect(proxy.port, '127.0.0.1'), 'connect')).rejects.toThrow(/ECONNREFUSED/);
    busy.send(head);
    release();
    const seen = await busy.closed();
    expect(seen).toMatch(/200 OK[\s\S]*finished/);
    expect(seen).toMatch(/503 Service Unavailable[\s\S]*"code": "draining"/);
    await drained;
    expect(proxy.pipeline.outcomes).toHaveLength(1);
    await origin.stop();
  });
});
