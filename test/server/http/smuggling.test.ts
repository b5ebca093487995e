import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { type Origin, type RunningProxy, startOrigin, startProxy } from './support.ts';
import { converse, open } from './wire.ts';

/** What must not get through, as raw octets after the request line and Host. */
const REFUSED: readonly (readonly [name: string, rest: string])[] = [
  [
    'Content-Length beside Transfer-Encoding',
    'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'Transfer-Encoding beside Content-Length',
    'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n',
  ],
  ['two Content-Length fields', 'Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd'],
  ['two equal Content-Length fields', 'Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd'],
  ['a list in Content-Length', 'Content-Length: 4, 4\r\n\r\nabcd'],
  ['a signed Content-Length', 'Content-Length: +4\r\n\r\nabcd'],
  ['an unknown transfer coding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
  ['identity as a transfer coding', 'Transfer-Encoding: identity\r\n\r\n0\r\n\r\n'],
  ['chunked not last', 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
  ['another coding before chunked', 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  [
    'two Transfer-Encoding fields',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['a space before the colon', 'X : y\r\n\r\n'],
  ['a folded line', 'X: y\r\n z\r\n\r\n'],
  ['a bare LF', 'X: y\nContent-Length: 4\r\n\r\n'],
  ['a bare CR', 'X: y\rZ: 1\r\n\r\n'],
  ['a NUL', 'X: y\0z\r\n\r\n'],
  ['a chunk size with a bare LF', 'Transfer-Encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n'],
  ['a negative chunk size', 'Transfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n'],
  ['an oversized chunk size', `Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(17)}\r\nok\r\n0\r\n\r\n`],
  ['a second Host', 'Host: HOST\r\n\r\n'],
];

describe('what two servers could read as two things', () => {
  let proxy: RunningProxy;
  let origin: Origin;
  const reached: string[] = [];

  beforeAll(async () => {
    origin = await startOrigin((request, response) => {
      reached.push(`${request.method} ${request.url}`);
      request.resume();
      response.end('ok');
    });
    proxy = await startProxy();
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
  });
  beforeEach(() => {
    reached.length = 0;
    proxy.pipeline.asked.length = 0;
  });

  const host = () => `127.0.0.1:${origin.port}`;
  const ANSWERED = /\r\n\r\n[\s\S]*\}\s*$/;

  it.each(REFUSED)('refuses %s', async (_name, rest) => {
    const octets = `POST http://HOST/ HTTP/1.1\r\nHost: HOST\r\n${rest}`.replaceAll('HOST', host());
    const answer = await converse(proxy.port, Buffer.from(octets, 'latin1'), ANSWERED);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/Content-Type: application\/problem\+json/);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(reached).toEqual([]);
    expect(proxy.pipeline.outcomes).toEqual([]);
  });

  it.each([
    ['another host in Host', 'GET http://HOST/ HTTP/1.1\r\nHost: other.test\r\n\r\n', 400, 'differ'],
    ['another port in Host', 'GET http://HOST/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n', 400, 'differ'],
    ['no Host', 'GET http://HOST/ HTTP/1.1\r\n\r\n', 400, 'missing'],
    ['user information', 'GET http://a:b@HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n', 400, 'user information'],
    ['a fragment', 'GET http://HOST/#x HTTP/1.1\r\nHost: HOST\r\n\r\n', 400, 'fragment'],
    ['another scheme', 'GET ftp://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n', 501, 'scheme ftp'],
    ['a path only', 'GET / HTTP/1.1\r\nHost: HOST\r\n\r\n', 400, 'this is a proxy'],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: HOST\r\n\r\n', 400, 'this is a proxy'],
    ['an octet above ASCII in the path', 'GET http://HOST/\xe9 HTTP/1.1\r\nHost: HOST\r\n\r\n', 400, 'parse'],
    ['HTTP/0.9', 'GET http://HOST/\r\n\r\n', 400, 'Host'],
    ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'parse'],
    [
      'a transfer coding in HTTP/1.0',
      'POST http://HOST/ HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      '1.0',
    ],
    ['CONNECT without a port', 'CONNECT example.test HTTP/1.1\r\nHost: example.test\r\n\r\n', 400, 'port'],
    ['CONNECT with another Host', 'CONNECT a.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n', 400, 'differ'],
    ['CONNECT with a path', 'CONNECT a.test:443/x HTTP/1.1\r\nHost: a.test:443\r\n\r\n', 400, ''],
  ])('refuses %s', async (_name, octets, status, detail) => {
    const answer = await converse(
      proxy.port,
      Buffer.from(octets.replaceAll('HOST', host()), 'latin1'),
      ANSWERED,
    );
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain(detail);
    expect(reached).toEqual([]);
  });

  it('takes the trailing dot and the case of a host for what they are: nothing', async () => {
    const octets = `GET http://127.0.0.1.:${origin.port}/ HTTP/1.1\r\nHost: ${host()}\r\nConnection: close\r\n\r\n`;
    expect(await converse(proxy.port, octets)).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('bounds the header section', async () => {
    // The parser counts the target, names and values, and has to stay below its bound.
    const counted = ['http://', host(), '/', 'Host', host(), 'X', 'Connection', 'close'].join('').length;
    const octets = (total: number) =>
      `GET http://${host()}/ HTTP/1.1\r\nHost: ${host()}\r\nX: ${'a'.repeat(total - counted)}\r\nConnection: close\r\n\r\n`;
    expect(await converse(proxy.port, octets(LIMITS.httpHeaderSection), ANSWERED)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await converse(proxy.port, octets(LIMITS.httpHeaderSection - 1))).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('bounds the number of header fields, and never drops one in silence', async () => {
    const octets = (count: number) =>
      `GET http://${host()}/ HTTP/1.1\r\nHost: ${host()}\r\nConnection: close\r\n${'X: y\r\n'.repeat(count - 2)}\r\n`;
    expect(await converse(proxy.port, octets(LIMITS.httpHeaderFields + 1), ANSWERED)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await converse(proxy.port, octets(LIMITS.httpHeaderFields))).toMatch(/^HTTP\/1\.1 200 /);
    const seen = proxy.pipeline.asked.at(-1)?.facts;
    expect(seen?.kind === 'http' && seen.attributes.request.http.headers.x?.split(', ')).toHaveLength(
      LIMITS.httpHeaderFields - 2,
    );
  });

  it('bounds the request target', async () => {
    const octets = (length: number) => {
      const start = `http://${host()}/`;
      return `GET ${start}${'a'.repeat(length - start.length)} HTTP/1.1\r\nHost: ${host()}\r\nConnection: close\r\n\r\n`;
    };
    expect(await converse(proxy.port, octets(LIMITS.httpTarget + 1), ANSWERED)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await converse(proxy.port, octets(LIMITS.httpTarget))).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('answers pipelined requests in order, up to a bound', async () => {
    const one = `GET http://${host()}/ HTTP/1.1\r\nHost: ${host()}\r\n\r\n`;
    const client = open(proxy.port);
    client.send(one.repeat(3));
    await client.expect(/(?:200 OK[\s\S]*){3}/);
    client.socket.destroy();
    proxy.pipeline.verdict = () => 'hold';
    const greedy = open(proxy.port);
    greedy.send(one.repeat(LIMITS.httpPipelined));
    await proxy.pipeline.until(() => proxy.pipeline.asked.length === 3 + LIMITS.httpPipelined);
    greedy.send(one);
    greedy.socket.end();
    await proxy.pipeline.until(() => proxy.pipeline.withdrawn.length === LIMITS.httpPipelined);
    expect(proxy.pipeline.asked).toHaveLength(3 + LIMITS.httpPipelined);
    proxy.pipeline.verdict = () => 'allow';
  });

  it('says how long it keeps an idle connection', async () => {
    const client = open(proxy.port);
    client.send(`GET http://${host()}/ HTTP/1.1\r\nHost: ${host()}\r\n\r\n`);
    await client.expect(new RegExp(`Keep-Alive: timeout=${LIMITS.httpKeepAlive / 1_000}\\r\\n`, 'i'));
    client.socket.destroy();
  });

  it('strips what is meant for this hop, and lets Connection remove nothing that matters', async () => {
    let fields: string[] = [];
    const mirror = await startOrigin((request, response) => {
      fields = request.rawHeaders;
      response.end();
    });
    const target = `127.0.0.1:${mirror.port}`;
    await converse(
      proxy.port,
      `GET http://${target}/ HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic eDp5\r\nProxy-Connection: keep-alive\r\n` +
        'Keep-Alive: timeout=5\r\nTE: trailers\r\nX-Hop: 1\r\nAuthorization: Bearer t\r\nX-Kept: 1\r\nConnection: close, X-Hop, authorization, host\r\n\r\n',
    );
    await mirror.stop();
    expect(fields).toEqual([
      'host',
      target,
      'connection',
      'keep-alive',
      'Authorization',
      'Bearer t',
      'X-Kept',
      '1',
    ]);
  });

  it('drops an upgrade that a client offers unasked, and refuses one that is meant', async () => {
    const ask = (upgrade: string) =>
      `GET http://${host()}/ HTTP/1.1\r\nHost: ${host()}\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`;
    expect(await converse(proxy.port, ask('h2c'), /ok$/)).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(await converse(proxy.port, ask('websocket'), ANSWERED)).toMatch(
      /^HTTP\/1\.1 501 [\s\S]*websocket is not carried/,
    );
  });
});
