import { type Dispatcher, fetch, ProxyAgent } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Origin, type RunningProxy, run, startOrigin, startProxy, startTlsOrigin } from './support.ts';

describe('clients as they come', () => {
  let proxy: RunningProxy;
  let plain: Origin;
  let named: Origin & { ca: string };
  let numbered: Origin & { ca: string };

  beforeAll(async () => {
    plain = await startOrigin((request, response) => response.end(`${request.method} ${request.url}`));
    named = await startTlsOrigin(['api.example.test'], (request, response) => {
      request.setEncoding('utf8');
      let body = '';
      request.on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => response.end(JSON.stringify({ method: request.method, body })));
    });
    numbered = await startTlsOrigin(['127.0.0.1'], (_request, response) => response.end('by address'));
    proxy = await startProxy({
      upstream: {
        ca: [named.ca, numbered.ca],
        resolve: { 'api.example.test:443': `127.0.0.1:${named.port}` },
      },
    });
  });
  afterAll(async () => {
    await proxy.stop();
    await plain.stop();
    await named.stop();
    await numbered.stop();
  });

  it('serves fetch through undici’s ProxyAgent', async () => {
    const dispatcher: Dispatcher = new ProxyAgent({ uri: proxy.url, requestTls: { ca: proxy.ca } });
    const response = await fetch('https://api.example.test/v1', {
      method: 'POST',
      body: '{"a":1}',
      dispatcher,
    });
    expect(await response.json()).toEqual({ method: 'POST', body: '{"a":1}' });
    const other = await fetch(`http://127.0.0.1:${plain.port}/x`, { dispatcher });
    expect(await other.text()).toBe('GET /x');
    await dispatcher.close();
  });

  it('serves curl on an address without a name', async () => {
    const seen = await run('curl', [
      '-sS',
      '--proxy',
      proxy.url,
      '--cacert',
      proxy.caFile,
      `https://127.0.0.1:${numbered.port}/`,
    ]);
    expect(seen).toEqual({ code: 0, stdout: 'by address', stderr: '' });
    expect(proxy.pipeline.asked.at(-1)?.facts).toMatchObject({
      http: { tls: { sni: null, intercepted: true } },
    });
  });

  it('serves a client that sends an https URL to the proxy as it is', async () => {
    const { converse } = await import('./wire.ts');
    const answer = await converse(
      proxy.port,
      'GET https://api.example.test/v1 HTTP/1.1\r\nHost: api.example.test\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/200 OK[\s\S]*"method":"GET"/);
    expect(proxy.pipeline.asked.at(-1)?.facts).toMatchObject({
      attributes: { request: { http: { scheme: 'https' } } },
      http: { tls: { sni: null, intercepted: false } },
    });
  });

  it('reads compressed bodies, and forwards them as they are', async () => {
    const { gzipSync } = await import('node:zlib');
    const dispatcher = new ProxyAgent({ uri: proxy.url, requestTls: { ca: proxy.ca } });
    const body = gzipSync('{"secret":true}');
    const response = await fetch('https://api.example.test/', {
      method: 'POST',
      body,
      headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' },
      dispatcher,
    });
    await response.text();
    expect(proxy.pipeline.asked.at(-1)?.facts).toMatchObject({
      parsed_body: { secret: true },
      truncated_body: false,
    });
    await dispatcher.close();
  });
});
