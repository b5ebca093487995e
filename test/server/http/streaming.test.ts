import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { type Origin, type RunningProxy, startOrigin, startProxy } from './support.ts';
import { converse, open } from './wire.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const MIB = 1024 * 1024;

describe('bodies on their way', () => {
  let proxy: RunningProxy;
  let origin: Origin;
  let handler: Handler = (_request, response) => response.end();
  const on = (next: Handler) => {
    handler = next;
  };

  beforeAll(async () => {
    origin = await startOrigin((request, response) => handler(request, response));
    proxy = await startProxy();
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
  });
  beforeEach(() => {
    proxy.pipeline.verdict = () => 'allow';
    proxy.pipeline.asked.length = 0;
    proxy.pipeline.outcomes.length = 0;
    proxy.pipeline.withdrawn.length = 0;
  });

  const host = () => `127.0.0.1:${origin.port}`;
  const head = (method: string, ...fields: string[]) =>
    `${[`${method} http://${host()}/ HTTP/1.1`, `Host: ${host()}`, ...fields].join('\r\n')}\r\n\r\n`;
  const send = (method: string, headers: Record<string, string | number> = {}) =>
    httpRequest({
      port: proxy.port,
      method,
      path: `http://${host()}/`,
      headers: { host: host(), ...headers },
      agent: false,
    });

  it('passes each chunk of a response on as it comes', async () => {
    let next: (() => void) | undefined;
    on((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      next = () => response.write('data: 1\n\n');
    });
    const client = open(proxy.port);
    client.send(head('GET'));
    // The head arrives before there is any body; then each event by itself.
    await client.expect(/\r\n\r\n$/);
    next?.();
    await client.expect(/data: 1\n\n/);
    next?.();
    await client.expect(/data: 1\n\n[\s\S]*data: 1\n\n/);
    client.socket.destroy();
    await proxy.pipeline.until(() => proxy.pipeline.outcomes.length === 1);
    expect(proxy.pipeline.outcomes[0]).toMatchObject({ status: 'aborted' });
  });

  it('stops reading from the upstream while the client does not read', async () => {
    let written = 0;
    let full: () => void = () => {};
    const stalled = new Promise<void>((resolve) => {
      full = resolve;
    });
    on((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const push = () => {
        while (written < 200 * MIB) {
          written += chunk.length;
          if (!response.write(chunk)) return;
        }
        response.end();
      };
      response.on('drain', push);
      response.on('close', full);
      push();
    });
    const client = send('GET');
    client.end();
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    response.pause();
    // Nothing more moves once the buffers between are full: several turns without progress.
    for (let still = 0, last = -1; still < 200; still = written === last ? still + 1 : 0) {
      last = written;
      await nextTurn();
    }
    expect(written).toBeLessThan(40 * MIB);
    response.destroy();
    await stalled;
  });

  it('carries 50 MB each way, with the same octets and flat memory', async () => {
    const block = randomBytes(MIB);
    const up = createHash('sha256');
    on((request, response) => {
      request.on('data', (chunk: Buffer) => up.update(chunk));
      request.on('end', () => {
        let left = 50;
        const push = () => {
          for (; left > 0; left -= 1) {
            if (!response.write(block)) {
              left -= 1;
              return;
            }
          }
          response.end();
        };
        response.on('drain', push);
        push();
      });
    });
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    const client = send('POST', { 'content-length': 50 * MIB });
    const sent = createHash('sha256');
    for (let count = 0; count < 50; count += 1) {
      sent.update(block);
      if (!client.write(block)) await once(client, 'drain');
    }
    client.end();
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    const down = createHash('sha256');
    let octets = 0;
    let peak = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      down.update(chunk);
      octets += chunk.length;
      peak = Math.max(peak, process.memoryUsage().rss);
    }
    expect(up.digest('hex')).toBe(sent.digest('hex'));
    expect(octets).toBe(50 * MIB);
    // Client, proxy and server share this process: far less than the 100 MiB that moved.
    expect(peak - before).toBeLessThan(60 * MIB);
    await proxy.pipeline.until(() => proxy.pipeline.outcomes.length === 1);
    expect(proxy.pipeline.outcomes[0]).toEqual({
      status: 'completed',
      detail: { http_status: 200, request_bytes: 50 * MIB, response_bytes: 50 * MIB },
    });
    const [action] = proxy.pipeline.asked;
    expect(action?.facts).toMatchObject({
      truncated_body: true,
      parsed_body: null,
      http: { body_sha256: null },
    });
  });

  it('keeps a held body whole, on disk without a name, and forwards exactly what was approved', async () => {
    const body = randomBytes(3 * MIB);
    const sha256 = createHash('sha256').update(body).digest('hex');
    const received: Buffer[] = [];
    on((request, response) => {
      request.on('data', (chunk: Buffer) => received.push(chunk));
      request.on('end', () => response.end(request.headers['content-length']));
    });
    proxy.pipeline.verdict = () => 'hold';
    const client = send('PUT', { 'transfer-encoding': 'chunked' });
    client.end(body);
    const { action, answer } = await proxy.pipeline.held();
    expect(action.facts).toMatchObject({ truncated_body: true, http: { body_sha256: sha256 } });
    expect(action.display.text).toContain(sha256);
    expect(received).toEqual([]);
    expect(await readdir(join(proxy.stateDir, 'spool'))).toEqual([]);
    expect((await stat(join(proxy.stateDir, 'spool'))).mode & 0o777).toBe(0o700);
    answer(true);
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    expect(await text(response)).toBe(String(body.length));
    expect(Buffer.concat(received).equals(body)).toBe(true);
  });

  it('does not forward on an approval that covers part of a body only', async () => {
    let reached = 0;
    on((_request, response) => {
      reached += 1;
      response.end();
    });
    const { admit } = proxy.pipeline;
    proxy.pipeline.verdict = () => 'hold';
    // A pipeline that asks a person without asking for the rest.
    proxy.pipeline.admit = ({ whole: _whole, ...action }, caller) =>
      admit.call(proxy.pipeline, action, caller);
    const client = send('PUT');
    client.end(randomBytes(100_000));
    (await proxy.pipeline.held()).answer(true);
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    proxy.pipeline.admit = admit;
    expect(response.statusCode).toBe(500);
    response.resume();
    expect(reached).toBe(0);
    expect(proxy.pipeline.outcomes).toEqual([{ status: 'aborted', detail: { reason: 'internal' } }]);
  });

  it('gives the same large body the same digest, and another body another', async () => {
    on((request, response) => {
      request.resume();
      response.end();
    });
    proxy.pipeline.verdict = () => 'hold';
    const digestOf = async (body: Buffer) => {
      const client = send('PUT');
      client.end(body);
      const { action, answer } = await proxy.pipeline.held();
      answer(false);
      const [response] = (await once(client, 'response')) as [IncomingMessage];
      response.resume();
      return action.fingerprint.exact;
    };
    const body = randomBytes(100_000);
    const other = Buffer.from(body);
    other[99_999] = (other[99_999] ?? 0) ^ 1;
    expect(await digestOf(body)).toBe(await digestOf(body));
    expect(await digestOf(other)).not.toBe(await digestOf(body));
  });

  it('refuses a held body past its bound, and keeps nothing of it', async () => {
    on((_request, response) => response.end('reached'));
    proxy.pipeline.verdict = () => 'hold';
    const client = open(proxy.port);
    client.send(head('PUT', `Content-Length: ${2 * LIMITS.httpHeldBody}`));
    const block = Buffer.alloc(4 * MIB);
    let left = (2 * LIMITS.httpHeldBody) / block.length;
    const push = () => {
      for (; left > 0 && client.socket.writable; left -= 1) if (!client.socket.write(block)) break;
    };
    client.socket.on('drain', push);
    push();
    expect(await client.expect(/\}\s*$/)).toMatch(/^HTTP\/1\.1 413 /);
    client.socket.destroy();
    expect(await readdir(join(proxy.stateDir, 'spool'))).toEqual([]);
  }, 60_000);

  it('withdraws the hold when the client goes away, and sends nothing', async () => {
    let reached = 0;
    on((_request, response) => {
      reached += 1;
      response.end();
    });
    proxy.pipeline.verdict = () => 'hold';
    for (const go of [
      (socket: { destroy(): void }) => socket.destroy(),
      (socket: { end(): void }) => socket.end(),
    ]) {
      const client = open(proxy.port);
      client.send(`${head('POST', 'Content-Length: 2')}{}`);
      const { answer } = await proxy.pipeline.held();
      const count = proxy.pipeline.withdrawn.length;
      go(client.socket as never);
      await proxy.pipeline.until(() => proxy.pipeline.withdrawn.length === count + 1);
      answer(true);
      client.socket.destroy();
    }
    expect(reached).toBe(0);
  });

  it('asks for the body of an Expect: 100-continue only when it is wanted', async () => {
    on((request, response) => {
      request.resume();
      request.on('end', () => response.end(`expect: ${request.headers.expect}`));
    });
    const client = open(proxy.port);
    client.send(head('POST', 'Content-Length: 2', 'Expect: 100-continue', 'Connection: close'));
    await client.expect(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    client.send('{}');
    expect(await client.closed()).toContain('expect: undefined');

    const refused = open(proxy.port);
    refused.send(
      head('POST', 'Content-Length: 2', 'Expect: 100-continue').replaceAll(host(), `127.0.0.1:${proxy.port}`),
    );
    const answer = await refused.closed();
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toMatch(/Connection: close/);
  });

  it('lets a refused client read why, though its body is still on the way', async () => {
    proxy.pipeline.verdict = () => 'deny';
    const client = open(proxy.port);
    client.send(head('POST', `Content-Length: ${10 * MIB}`));
    for (let count = 0; count < 4; count += 1) client.send(Buffer.alloc(100_000));
    const answer = await client.expect(/\}\s*$/);
    expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*Connection: close/);
    client.socket.destroy();
  });

  it.each(['HEAD', 'GET'])('keeps the form of %s responses without content', async (method) => {
    on((request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'content-length': 1234, etag: '"x"' }).end();
      else response.writeHead(304, { etag: '"x"' }).end();
    });
    const answer = await converse(proxy.port, head(method, 'Connection: close'));
    expect(answer).toMatch(method === 'HEAD' ? /200 OK[\s\S]*content-length: 1234/i : /304 Not Modified/);
    expect(answer).toMatch(/etag: "x"/i);
    expect(answer).toMatch(/\r\n\r\n$/);
    expect(answer).not.toMatch(/transfer-encoding/i);
  });

  it('answers HEAD with the head of a problem', async () => {
    proxy.pipeline.verdict = () => 'deny';
    const answer = await converse(proxy.port, head('HEAD', 'Connection: close'));
    expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*Content-Length: [1-9]\d+[\s\S]*\r\n\r\n$/);
  });

  it('carries trailers, repeated fields and the case of names', async () => {
    on((_request, response) => {
      response.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-CaSe', 'é', 'Trailer', 'X-Sum']);
      response.write(Buffer.from('body'));
      response.addTrailers({ 'X-Sum': '4' });
      response.end();
    });
    const answer = await converse(proxy.port, head('GET', 'Connection: close'));
    expect(answer).toMatch(/Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-CaSe: é\r\nTrailer: X-Sum\r\n/);
    expect(answer).toMatch(/body\r\n0\r\nX-Sum: 4\r\n\r\n$/);
  });

  it('answers an HTTP/1.0 client in its own way', async () => {
    on((_request, response) => {
      response.write('chunk');
      response.end('ed');
    });
    const answer = await converse(proxy.port, `GET http://${host()}/ HTTP/1.0\r\n\r\n`);
    expect(answer).not.toMatch(/transfer-encoding/i);
    expect(answer).toMatch(/chunked$/);
  });

  it('breaks off towards the client what broke off from the upstream', async () => {
    on((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.destroy());
    });
    const client = send('GET');
    client.end();
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    await expect(text(response)).rejects.toThrow(/aborted/);
    await proxy.pipeline.until(() => proxy.pipeline.outcomes.length === 1);
    expect(proxy.pipeline.outcomes[0]).toMatchObject({
      status: 'failed',
      detail: { http_status: 200, response_bytes: 4 },
    });
  });
});

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
